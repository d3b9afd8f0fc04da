package presence_test

import (
	"testing"
	"testing/synctest"
	"time"

	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// The 11th message within a second is refused, also to another client of the user, and after a new login; the next second
// brings room for one more.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.Prepare(t)
		b.Adjust = func(s *presence.Server) { s.SendEvery = 0 }
		b.Start()
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		say := func(id string) error {
			_, err := client.Send(t.Context(), wire.SendRequest{ID: id, To: xmpp("ben@x"), Body: "hello"})
			return err
		}
		for i := range 10 {
			if err := say(string(rune('a' + i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := say("k"); !presence.HasCode(err, wire.Limit) {
			t.Errorf("the 11th: %v", err)
		}
		other, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		say = func(id string) error {
			_, err := other.Send(t.Context(), wire.SendRequest{ID: id, To: xmpp("ben@x"), Body: "hello"})
			return err
		}
		if err := say("k"); !presence.HasCode(err, wire.Limit) {
			t.Errorf("the 11th from another client: %v", err)
		}
		if err := client.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
		other, _ = b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		if err := say("k"); !presence.HasCode(err, wire.Limit) {
			t.Errorf("the 11th in a new session: %v", err)
		}
		time.Sleep(time.Second)
		if err := say("k"); err != nil {
			t.Errorf("a second later: %v", err)
		}
		if err := say("l"); !presence.HasCode(err, wire.Limit) {
			t.Errorf("and one more: %v", err)
		}
	})
}
