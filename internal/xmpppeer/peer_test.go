package xmpppeer_test

import (
	"context"
	"testing"
	"time"

	"hark/internal/testbed"
	"hark/internal/xmpppeer"
)

// TestTwoPeers lets two peers befriend each other and talk over a real Prosody.
func TestTwoPeers(t *testing.T) {
	server := testbed.ProsodyFor(t, testbed.ProsodyOptions{Users: map[string]string{"ana": "pa", "ben": "pb"}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	login := func(user, password string) *xmpppeer.Peer {
		p, err := xmpppeer.Login(ctx, server.Addr, user+"@localhost", password)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return p
	}
	ana, ben := login("ana", "pa"), login("ben", "pb")
	if err := ana.Befriend(ctx, "ben@localhost", "Ben"); err != nil {
		t.Fatal(err)
	}
	if err := ana.Say(ctx, "ben@localhost", "m1", "Grüße & <so>"); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-ben.Messages():
		if m.Body != "Grüße & <so>" || m.From.Bare().String() != "ana@localhost" || m.ID != "m1" {
			t.Errorf("got %+v", m)
		}
	case <-ctx.Done():
		t.Fatal("nothing came")
	}
}

func TestWrongPassword(t *testing.T) {
	server := testbed.ProsodyFor(t, testbed.ProsodyOptions{Users: map[string]string{"ana": "pa"}})
	if _, err := xmpppeer.Login(t.Context(), server.Addr, "ana@localhost", "guess"); err == nil {
		t.Error("logged in with a wrong password")
	}
}
