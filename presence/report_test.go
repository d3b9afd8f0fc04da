package presence_test

import (
	"testing"
	"testing/synctest"
	"time"

	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// A browser that comes and goes with each page is no news to the operator; who stays is told of, also when he came while a
// report was due.
func TestReportOfClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		first, login := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		first.Close()
		report := func() presence.Report {
			owner, err := b.Store.Lookup(t.Context(), presencetest.Ana)
			if err != nil {
				t.Fatal(err)
			}
			r, _, err := presence.ReadReport(t.Context(), b.Store, owner)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		come := func() *presence.Client {
			c := b.Client()
			if _, err := c.Resume(t.Context(), wire.ResumeRequest{Session: login.Session, Brief: true}); err != nil {
				t.Fatal(err)
			}
			return c
		}
		time.Sleep(3 * time.Second)
		quiet := report()
		for range 40 { // pages, one after the other
			c := come()
			time.Sleep(90 * time.Millisecond)
			c.Close()
		}
		time.Sleep(3 * time.Second)
		if r := report(); !r.Made.Equal(quiet.Made) || len(r.Clients) != 0 {
			t.Errorf("40 pages are reported: %+v, before: %+v", r, quiet)
		}
		defer come().Close()
		time.Sleep(600 * time.Millisecond)
		defer come().Close()
		time.Sleep(3 * time.Second)
		if r := report(); r.Clients["web"] != 2 {
			t.Errorf("two stay, reported are %v", r.Clients)
		}
	})
}
