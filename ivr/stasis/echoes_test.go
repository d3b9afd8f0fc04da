package stasis

import (
	"syscall"
	"testing"
	"time"

	"hark/ivr"
	"hark/ivr/linetest"
)

// TestEchoes feeds keys with Asterisk's times, as Asterisk tells them.
func TestEchoes(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	type told struct {
		key byte
		ms  int
	}
	cases := []struct {
		name string
		told []told
		want string
	}{
		{"slowly", []told{{'4', 0}, {'4', 200}, {'5', 400}}, "445"},
		{"as fast as a machine", []told{{'4', 0}, {'4', 160}, {'4', 320}, {'4', 480}}, "4444"},
		{"one held up", []told{{'3', 0}, {'4', 20}, {'4', 46}, {'5', 240}}, "345"},
		{"one held up, then the same", []told{{'3', 0}, {'4', 20}, {'4', 46}, {'4', 320}}, "344"},
		{"three in one breath", []told{{'3', 0}, {'4', 1}, {'4', 46}, {'5', 47}, {'5', 215}}, "345"},
		{"the same in one breath", []told{{'4', 0}, {'4', 1}, {'4', 46}, {'4', 47}, {'4', 215}}, "444"},
		{"while another is drawn out", []told{{'3', 0}, {'4', 110}, {'4', 170}, {'5', 420}}, "345"},
		// What a real Asterisk told that was stopped three times for 300 ms.
		{"stopped", []told{{'4', 228}, {'7', 538}, {'1', 666}, {'9', 994}, {'9', 1039}, {'0', 1106}, {'0', 1541}, {'2', 1542},
			{'2', 1707}, {'3', 1709}, {'3', 1874}, {'8', 1874}, {'8', 2039}, {'4', 2045}, {'4', 2205}, {'#', 2285}, {'#', 2371}}, "471902384#"},
		{"stopped, twice the same", []told{{'1', 4606}, {'1', 4969}, {'1', 5014}, {'2', 5046}, {'2', 5518}, {'2', 5519},
			{'2', 6025}, {'3', 6028}, {'3', 6192}, {'3', 6195}, {'3', 6362}, {'4', 6363}, {'4', 6527}}, "1122334"},
		{"just behind one that was put back", []told{{'4', 5417}, {'#', 5497}, {'#', 5582}, {'1', 5737}, {'1', 6100}, {'2', 6100}, {'2', 6602}}, "4#12"},
	}
	for _, c := range cases {
		l := &Line{queue: newQueue()}
		for _, k := range c.told {
			l.tell(note{kind: keyPressed, key: k.key, held: 120 * time.Millisecond, stamp: start.Add(time.Duration(k.ms) * time.Millisecond)})
		}
		l.tell(note{kind: playEnded})
		l.drain()
		if string(l.keys) != c.want {
			t.Errorf("%s: got %q, want %q", c.name, l.keys, c.want)
		}
	}
}

// TestKeysHeldUp stops Asterisk for a while, again and again, in which keys come in: then it reads several at once, as
// after a network that holds packets up. Each counts once, in its order. The same key twice in a row is left out: whether
// the second is an echo can be told only by likelihood then.
func TestKeysHeldUp(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	for i, keys := range []string{"471902384", "1212121212", "360258147"} {
		got := c.gather(ivr.Gather{Max: 20, Ends: "#", First: time.Minute, Between: time.Minute})
		done := make(chan error, 1)
		go func() { done <- p.Press(t.Context(), keys) }()
		for range 3 {
			linetest.Until(time.Now(), 150*time.Millisecond)
			s.stall(t, time.Duration(300+50*i)*time.Millisecond)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		p.PressKeys("#")
		if in, err := got(); err != nil || in.Keys != keys {
			t.Errorf("%s became %+v, %v", keys, in, err)
		}
	}
}

// stall stops the whole Asterisk for a while.
func (s *site) stall(t *testing.T, d time.Duration) {
	t.Helper()
	if err := syscall.Kill(s.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	linetest.Until(time.Now(), d)
	if err := syscall.Kill(s.PID, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}
