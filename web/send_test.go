package web_test

import (
	"net/http"
	"testing"
	"time"

	"hark/presence"
)

// Who sends faster than people do is told so and keeps the words, in a message and in a draft.
func TestTooFast(t *testing.T) {
	d := openWith(t, func(s *presence.Server) { s.SendEvery, s.SendBurst = time.Hour, 1 })
	b := d.browser(t, true)
	b.login()
	d.Online(1)
	b.get("/with/1")
	b.send("Send", "text", "first")
	b.says("Sent.")
	b.send("Send", "text", "second")
	b.says("very fast")
	if _, fields := b.form("Send"); b.status != http.StatusTooManyRequests || fields.Get("text") != "second" {
		t.Errorf("%d, and the form holds %q", b.status, fields.Get("text"))
	}
	b.send("Send", "text", "second", "keep", "1")
	b.get("/drafts")
	b.send("Send 1")
	b.says("very fast", "second")
	if got := d.XMPP.Received(); len(got) != 1 || got[0].Body != "first" {
		t.Errorf("Ben got %+v", got)
	}
}
