package xmpp

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"hark/im"
)

// TestRequestsOfStrangers: answers to others' requests are stanzas too, which the server has to acknowledge; however many
// they are, they do not keep the user's messages from being sent.
func TestRequestsOfStrangers(t *testing.T) {
	play(t, managed(), func(f *fake) {
		f.login()
		for range 2 * maxQueued {
			f.say("<iq type='get' id='q' from='eve@example.com/x'><ping xmlns='urn:xmpp:ping'/></iq>")
			if got := f.until("to='eve@example.com/x'/>"); strings.Contains(got, "<r ") {
				f.say("<a xmlns='urn:xmpp:sm:3' h='%d'/>", f.conn.sentSoFar()-1)
			}
		}
		f.hears()
		message := im.Outgoing{ID: "1", To: address("ben@example.org"), Body: "hello"}
		if err := f.conn.Send(context.Background(), message); err != nil {
			t.Error(err)
		}
	})
}

// TestPresenceOfStrangers: who is not in the roster is not remembered, whatever he sends; of a contact, some clients are.
func TestPresenceOfStrangers(t *testing.T) {
	play(t, managed(), func(f *fake) {
		_, id, _ := strings.Cut(f.login(), "<iq type='get' id='")
		id, _, _ = strings.Cut(id, "'")
		f.hears()
		f.say("<iq type='result' id='%s'><query xmlns='jabber:iq:roster'><item jid='ben@example.org'/></query></iq>", id)
		f.body()
		for i := range 200 {
			f.say("<presence from='eve%d@example.com/x'><status>remember me</status></presence>", i)
		}
		for i := range 200 {
			f.say("<presence from='ben@example.org/%d'/>", i)
		}
		synctest.Wait()
		for len(f.events) > 0 {
			if p, ok := f.body().(im.Presence); ok && p.From.ID != "ben@example.org" {
				t.Errorf("told of %+v", p)
			}
		}
		if people, clients := len(f.conn.resources), len(f.conn.resources["ben@example.org"]); people != 1 || clients > maxResources {
			t.Errorf("remembers %d people, and %d clients of one", people, clients)
		}
	})
}

// sentSoFar is how many stanzas were sent.
func (c *Conn) sentSoFar() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ledger.out
}
