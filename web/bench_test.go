package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/im"
	"hark/presence/presencetest"
	"hark/web"
)

// BenchmarkPages measures whole pages, over loopback, with the presence server behind them: pages/s and the time within
// which 99 of 100 are there. Sixteen clients ask at once.
func BenchmarkPages(b *testing.B) {
	bed := presencetest.New(b)
	bed.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: ben, Name: "Ben"})
	site := httptest.NewServer((&web.Server{Auth: bed.Accounts, Dialer: bed.Dialer(), Audio: audioBase}).Handler())
	defer site.Close()
	_, reply := bed.Login(presencetest.Ana, presencetest.AnaPIN, "web")
	bed.Online(1)
	for i := range 30 {
		bed.XMPP.Deliver(ben.ID, presencetest.AnaID, fmt.Sprintf("message %d: are you coming at eight, or at nine?", i))
	}
	bed.Until("kept", func() bool { return bed.XMPP.Counts().Unacked == 0 })
	for _, page := range []string{"/inbox?as=html", "/with/1?as=html", "/with/1?as=xhtml", "/with/1?as=wml"} {
		b.Run(strings.NewReplacer("/", "", "?as=", "-").Replace(page), func(b *testing.B) {
			benchmarkPage(b, site.URL+page, reply.Session)
		})
	}
}

func benchmarkPage(b *testing.B, address, token string) {
	const clients = 16
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var times []time.Duration
	var size int64
	jobs := make(chan struct{})
	var wait sync.WaitGroup
	b.ReportAllocs()
	for range clients {
		wait.Go(func() {
			for range jobs {
				start := time.Now()
				n, err := ask(client, address, token)
				mu.Lock()
				times, size = append(times, time.Since(start)), n
				mu.Unlock()
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		jobs <- struct{}{}
	}
	close(jobs)
	wait.Wait()
	slices.Sort(times)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(size), "bytes/page")
}

func ask(client *http.Client, address, token string) (int64, error) {
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		return 0, err
	}
	req.AddCookie(&http.Cookie{Name: "hark", Value: token})
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", resp.Status)
	}
	return n, err
}
