package xmpp_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"hark/im"
)

// TestSentOnceIntoAnEmptyArchive: the connection of a new account breaks before the server has confirmed a message, which
// it has handled all the same, and its stream is gone. The next login finds the message in the archive and does not send
// it again.
func TestSentOnceIntoAnEmptyArchive(t *testing.T) { onEach(t, sentOnceIntoAnEmptyArchive) }

func sentOnceIntoAnEmptyArchive(t *testing.T, r *realm) {
	account, friend := r.pair(t)
	friend.quiet()
	c, d := login(t, r.service(), account, nil)
	find(t, d, func(im.Synced) bool { return true })
	send := func(c im.Conn, id string) {
		t.Helper()
		if err := c.Send(t.Context(), im.Outgoing{ID: id, To: friend.Address(), Body: id}); err != nil {
			t.Fatal(err)
		}
	}
	received := func(id string) {
		t.Helper()
		if m, err := friend.Receive(t.Context()); err != nil || m.ID != id {
			t.Fatalf("the friend got %q (%v), not %q", m.ID, err, id)
		}
	}
	send(c, "m1")
	received("m1")
	find(t, d, func(d im.Delivery) bool { return d.ID == "m1" && d.State == im.Sent })
	if err := c.Close(t.Context(), im.Keep); err != nil {
		t.Fatal(err)
	}
	c, d = login(t, r.service(), account, unconfirm(t, c.Resume(), "m1", friend.Address().ID))
	send(c, "m2")
	received("m2")
	find(t, d, func(d im.Delivery) bool { return d.ID == "m1" && d.State == im.Sent })
	if s := d.outgoing(); len(s) > 0 {
		t.Errorf("reported as if another client had sent them: %v", s)
	}
}

// unconfirm makes a resume state into that of a login whose server has not confirmed its last message, and cannot resume
// the stream.
func unconfirm(t *testing.T, resume im.Resume, id, to string) im.Resume {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(forgetStream(t, resume), &fields); err != nil {
		t.Fatal(err)
	}
	if mam, _ := fields["mam"].(map[string]any); mam["id"] != nil {
		t.Fatalf("the archive is not empty: %v", mam)
	}
	data := fmt.Appendf(nil, "<message to='%s' type='chat' id='%s'><body>%s</body></message>", to, id, id)
	fields["q"] = []any{map[string]any{"id": id, "to": to, "d": data}}
	fields["r"] = slices.DeleteFunc(fields["r"].([]any), func(t any) bool { return t.(map[string]any)["id"] == id })
	changed, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// outgoing returns the ids of the messages of the user's own.
func (d *diary) outgoing() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, e := range d.events {
		if m, ok := e.Body.(im.Message); ok && m.Outgoing {
			list = append(list, m.ID)
		}
	}
	return list
}
