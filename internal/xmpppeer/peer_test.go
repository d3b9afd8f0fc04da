package xmpppeer_test

import (
	"context"
	"os"
	"strings"
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
	next := func() xmpppeer.Message {
		select {
		case m := <-ben.Messages():
			return m
		case <-ctx.Done():
			t.Fatal("nothing came")
		}
		panic("unreachable")
	}
	if m := next(); m.Body != "Grüße & <so>" || m.From.Bare().String() != "ana@localhost" || m.ID != "m1" {
		t.Errorf("got %+v", m)
	}
	// A server ends a stream on which more is acknowledged than it sent.
	if err := ben.Manage(ctx); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"m2", "m3", "m4"} {
		if err := ana.Say(ctx, "ben@localhost", id, "and on"); err != nil {
			t.Fatal(err)
		}
		if m := next(); m.ID != id {
			t.Errorf("got %+v, want %s", m, id)
		}
	}
	awaitLog(ctx, t, server.LogFile, "h='3'")
}

// awaitLog waits until a server has written something into its log.
func awaitLog(ctx context.Context, t *testing.T, file, text string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		log, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(log), text) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the server did not log %s", text)
		}
	}
}

func TestWrongPassword(t *testing.T) {
	server := testbed.ProsodyFor(t, testbed.ProsodyOptions{Users: map[string]string{"ana": "pa"}})
	if _, err := xmpppeer.Login(t.Context(), server.Addr, "ana@localhost", "guess"); err == nil {
		t.Error("logged in with a wrong password")
	}
}
