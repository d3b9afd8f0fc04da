package presence_test

import (
	"slices"
	"testing"

	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// What was heard is told to senders who asked for it, in whatever order, and moves no cursor; what was only
// acknowledged, because it was skipped or deleted, is told to nobody.
func TestHeardIsMarked(t *testing.T) {
	b := presencetest.New(t)
	phone, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	b.XMPP.Deliver("ben@example.org", presencetest.AnaID, "zero")
	b.XMPP.Deliver("ben@example.org", presencetest.AnaID, "one")
	b.XMPP.Unmarked = true
	b.XMPP.Deliver("ben@example.org", presencetest.AnaID, "two, of a client that asks for no markers")
	waitFor(t, phone, 3)
	if err := phone.Heard(t.Context(), 2, 3, 77); err != nil {
		t.Fatal(err)
	}
	if err := phone.Ack(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	waitFor(t, phone, 0)
	if got := b.XMPP.Marked(); !slices.Equal(got, []string{"ben@example.org 1"}) {
		t.Errorf("marked as read: %q", got)
	}
	if err := phone.Heard(t.Context(), make([]int64, 101)...); !presence.HasCode(err, wire.Syntax) {
		t.Errorf("101 at once: %v", err)
	}
}
