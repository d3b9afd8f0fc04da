package web_test

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/web"
)

// The door of a node that does not own the session follows the referral for each request, with cookies and without. The
// tokens, and the session number of the login, are as good as at the owner's door.
func TestReferral(t *testing.T) {
	bed := presencetest.New(t)
	bed.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: ben, Name: "Ben"})
	second := &presence.Server{
		Name: "ps2", Addr: "hark://ps2.test:7778", Sessions: bed.Store, Accounts: bed.Accounts, Services: bed.Server.Services,
		Secret: bed.Server.Secret, Log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- second.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var referred atomic.Int32
	dialer := &presence.Dialer{Home: "hark://ps2.test:7778", Dial: func(ctx context.Context, url string) (net.Conn, error) {
		if url == bed.Server.Addr {
			referred.Add(1)
			return bed.Server.Pipe(ctx)
		}
		return second.Pipe(ctx)
	}}
	bed.Login(presencetest.Ana, presencetest.AnaPIN, "phone") // at the first node
	site := httptest.NewServer((&web.Server{Auth: bed.Accounts, Accounts: bed.Accounts, Dialer: dialer, Audio: audioBase}).Handler())
	t.Cleanup(site.Close)
	d := &door{Bed: bed, site: site}
	for _, cookies := range []bool{true, false} {
		b := d.browser(t, cookies)
		b.login()
		number := sessionNumber.FindString(b.source)
		d.receive("Are you coming?")
		b.follow("Look again")
		b.follow("Ben")
		for range 6 {
			b.follow("Look again")
		}
		b.send("Send", "text", "Yes.")
		b.says("Sent.")
		before := referred.Load()
		b.follow("Inbox")
		if referred.Load() != before+1 {
			t.Error("the page did not come from the owner of the session")
		}
		other := d.browser(t, true)
		other.send("Go on", "code", number, "pin", presencetest.AnaPIN)
		other.says("Welcome, Ana")
	}
	if second.Stats().Sessions != 0 || len(d.XMPP.Received()) != 2 {
		t.Errorf("%d sessions at the second node, Ben got %+v", second.Stats().Sessions, d.XMPP.Received())
	}
}
