package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"hark/accounts"
	"hark/presence/presencetest"
	"hark/web"
)

// telephones keeps one user's telephone, as accounts.DB does. Numbers that begin with 0 may be called, five times a day.
type telephones struct {
	mu     sync.Mutex
	phone  accounts.Phone
	called int
}

func (p *telephones) Phone(context.Context, string) (accounts.Phone, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phone.Number == "" {
		return accounts.Phone{}, accounts.ErrNotFound
	}
	return p.phone, nil
}

func (p *telephones) SetPhone(_ context.Context, _ string, set accounts.Phone) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phone.Ring, p.phone.QuietFrom, p.phone.QuietTo, p.phone.Daily = set.Ring, set.QuietFrom, set.QuietTo, set.Daily
	return nil
}

func (p *telephones) TestPhone(_ context.Context, _, number string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !strings.HasPrefix(number, "0") {
		return web.ErrNoWay
	}
	if p.called++; p.called > 5 {
		return accounts.ErrTooOften
	}
	p.phone = accounts.Phone{Number: number, Test: true, Daily: 5}
	return nil
}

// prove is what the call and the PIN do.
func (p *telephones) prove() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phone.Test, p.phone.Proven, p.phone.Ring = false, true, true
}

// A telephone is named on the page, proven by a call and the PIN, and called or not as the page says.
func TestCallMe(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	b.follow("You")
	b.follow("Call me when a message comes")
	b.says("You are not called yet")
	b.send("Call it, to prove it", "number", "110")
	b.says("This number cannot be called.")
	action, fields := b.send("Call it, to prove it", "number", "030 1234-567")
	b.says("In a moment 0301234567 is called")
	if strings.Contains(b.source, `value="Call me"`) {
		t.Error("a telephone that is not proven can be switched on")
	}
	b.post("/you/phone/switch", map[string][]string{"turn": {"on"}})
	if b.status != http.StatusBadRequest {
		t.Errorf("it is switched on all the same: %d", b.status)
	}
	for range 9 { // Reload: five calls a day are made, so the last ones would be refused if each of these were one
		b.post(action, fields)
		b.says("It is called in a moment.")
	}
	d.phones.prove()
	b.get("/you/phone")
	b.says("You are called at 0301234567 when a message comes")
	b.send("Do not call me")
	b.says("You are not called at 0301234567 now.")
	b.send("Call me")
	for _, bad := range [][3]string{{"24", "7", "3"}, {"22", "", "3"}} {
		b.send("Keep this", "from", bad[0], "to", bad[1], "daily", bad[2])
		b.says("There is no such hour.")
	}
	b.send("Keep this", "from", "22", "to", "7", "daily", "21")
	b.says("Please choose a number from 1 to 20.")
	b.send("Keep this", "from", "22", "to", "7", "daily", "3")
	b.says("3 times a day at most, and not from 22 to 7 o'clock")
	p, err := d.phones.Phone(t.Context(), presencetest.Ana)
	if err != nil || !p.Proven || !p.Ring || p.QuietFrom != 22 || p.QuietTo != 7 || p.Daily != 3 {
		t.Errorf("kept: %+v, %v", p, err)
	}
	b.send("Keep this", "from", "", "to", "", "daily", "3")
	b.says("3 times a day at most.")
	for range 4 {
		b.send("Call it, to prove it", "number", "0301234567")
		b.says("It is called in a moment.")
	}
	b.send("Call it, to prove it", "number", "0301234567")
	b.says("It was called often today.")
}

// The page is whole in every markup.
func TestCallMeInEveryMarkup(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	if err := d.phones.TestPhone(t.Context(), presencetest.Ana, "0301234567"); err != nil {
		t.Fatal(err)
	}
	d.phones.prove()
	for _, as := range []string{"html", "xhtml", "wml", "hdml", "vxml"} {
		var all strings.Builder
		for from := range 10 { // a small screen shows it in decks
			page, err := source(b, d.site.URL+"/you/phone?as="+as+"&from="+fmt.Sprint(from))
			if err != nil {
				t.Fatal(err)
			}
			all.WriteString(page)
		}
		for _, want := range []string{"You are called at 0301234567", "Do not call me", "Call it, to prove it", "Most calls a day", "/you/phone/number", "/you/phone/switch", "/you/phone/rest"} {
			if !strings.Contains(all.String(), want) {
				t.Errorf("%s without %q", as, want)
			}
		}
	}
}

func source(b *browser, address string) (string, error) {
	resp, err := b.client.Get(address)
	if err != nil {
		return "", err
	}
	page, err := io.ReadAll(resp.Body)
	return string(page), errors.Join(err, resp.Body.Close())
}
