package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"hark/web"
)

// operator opens an operator's door that shows a number, which the test sets.
func operator(t *testing.T) (site string, number *atomic.Int64, looks *atomic.Int64) {
	number, looks = new(atomic.Int64), new(atomic.Int64)
	o := &web.Operator{Every: 20 * time.Millisecond, Look: func(context.Context) (web.Overview, error) {
		looks.Add(1)
		if number.Load() < 0 {
			return web.Overview{}, errors.New("away")
		}
		return web.Overview{Node: "a:1", Sections: []web.Section{
			{Title: "Calls", Text: fmt.Sprint(number.Load(), " calls."), Head: []string{"Number", "<Since>"}, Rows: [][]string{{"7000", "<b>"}}},
		}}, nil
	}}
	server := httptest.NewServer(o.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return server.URL, number, looks
}

func TestOperator(t *testing.T) {
	site, number, _ := operator(t)
	number.Store(3)
	status, page := visitAs(t, site+"/", "")
	for _, want := range []string{"<h1>a:1</h1>", "3 calls.", "<td>&lt;b&gt;</td>", `<noscript><meta http-equiv="refresh"`} {
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%d: no %s in\n%s", status, want, page)
		}
	}
	number.Store(-1)
	deadline := time.Now().Add(time.Minute)
	for status = 0; status != http.StatusServiceUnavailable && time.Now().Before(deadline); {
		status, page = visitAs(t, site+"/admin", "")
	}
	if status != http.StatusServiceUnavailable || strings.Contains(page, "away") {
		t.Errorf("when nothing can be gathered: %d\n%s", status, page)
	}
}

// Another site that points its own name at the loopback address gets nothing.
func TestOperatorForeignName(t *testing.T) {
	site, _, looks := operator(t)
	for _, host := range []string{"evil.example", "evil.example:80", "127.0.0.1.evil.example"} {
		if status, _ := visitAs(t, site+"/admin", host); status != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", host, status)
		}
	}
	if looks.Load() != 0 {
		t.Error("something was gathered for it")
	}
	for _, host := range []string{"localhost", "localhost:8081", "[::1]:8081", "127.0.0.1"} {
		if status, _ := visitAs(t, site+"/admin", host); status != http.StatusOK {
			t.Errorf("%s: %d", host, status)
		}
	}
}

// The stream sends the tables at first, and then only what has changed.
func TestOperatorLive(t *testing.T) {
	site, number, looks := operator(t)
	resp, err := http.Get(site + "/admin/live")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data: ") {
				return lines.Text()
			}
		}
		t.Fatal(lines.Err())
		return ""
	}
	if first := next(); !strings.Contains(first, "0 calls.") {
		t.Error(first)
	}
	for deadline := time.Now().Add(time.Minute); looks.Load() < 5 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	number.Store(7)
	if second := next(); !strings.Contains(second, "7 calls.") {
		t.Errorf("the second event tells of no change: %s", second)
	}
}

// In a browser the number changes by itself, with a script and without.
func TestOperatorInChromium(t *testing.T) {
	site, number, _ := operator(t)
	b := openTab(t)
	b.run(chromedp.Navigate(site + "/admin"))
	b.sees("0 calls.")
	number.Store(4)
	b.sees("4 calls.")
	b.accessible("operator's page")
	b.run(scriptOff, chromedp.Navigate(site+"/admin"))
	number.Store(5)
	b.sees("5 calls.")
	b.run(chromedp.Navigate("about:blank"))
}

// visitAs gets a page under a host name, "" for the address's own.
func visitAs(t *testing.T, address, host string) (status int, page string) {
	t.Helper()
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
