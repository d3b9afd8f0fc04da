package xmpp

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"mellium.im/xmpp/jid"

	"hark/im"
)

// sentMessages makes a ledger that has sent n messages after out stanzas.
func sentMessages(out uint32, n int) *ledger {
	l := &ledger{out: out}
	for i := range n {
		l.sent(sent{trace: trace{ID: fmt.Sprint(i)}, Data: []byte("x")})
	}
	return l
}

func TestConfirm(t *testing.T) {
	for name, c := range map[string]struct {
		out  uint32 // before three messages
		h    uint32
		ids  []string
		ok   bool
		left int
	}{
		"none":           {0, 0, nil, true, 3},
		"two":            {0, 2, []string{"0", "1"}, true, 1},
		"all":            {0, 3, []string{"0", "1", "2"}, true, 0},
		"too many":       {0, 4, nil, false, 3},
		"old news":       {100, 50, nil, true, 3},
		"across the end": {math.MaxUint32 - 1, 1, []string{"0", "1", "2"}, true, 0},
		"at the end":     {math.MaxUint32 - 1, math.MaxUint32, []string{"0"}, true, 2},
	} {
		l := sentMessages(c.out, 3)
		ids, ok := l.confirm(c.h)
		if !slices.Equal(ids, c.ids) || ok != c.ok || len(l.queue) != c.left || l.bytes != c.left {
			t.Errorf("%s: %v, %v, %d left of %d bytes", name, ids, ok, len(l.queue), l.bytes)
		}
		for _, id := range []string{"0", "1", "2"} {
			if _, known := l.knows(id); !known {
				t.Errorf("%s: message %s is forgotten", name, id)
			}
		}
	}
}

func TestCatchUp(t *testing.T) {
	if ids := sentMessages(0, 3).catchUp(0, false); ids != nil {
		t.Errorf("a server that says nothing has %v", ids)
	}
	if ids := sentMessages(0, 3).catchUp(10, true); len(ids) != 3 {
		t.Errorf("a server that knows more has %v", ids)
	}
}

func TestRecentIsBounded(t *testing.T) {
	l := sentMessages(0, 3*maxRecent)
	if !l.full() && len(l.queue) >= maxQueued {
		t.Error("not full")
	}
	l.confirm(l.out)
	if len(l.recent) != maxRecent {
		t.Errorf("%d are remembered", len(l.recent))
	}
}

func TestFull(t *testing.T) {
	if l := sentMessages(0, maxQueued-1); l.full() {
		t.Error("full too early")
	}
	if l := sentMessages(0, maxQueued); !l.full() {
		t.Error("never full")
	}
	l := &ledger{}
	l.sent(sent{Data: make([]byte, maxQueueBytes)})
	if !l.full() {
		t.Error("bytes do not count")
	}
}

func TestParseResume(t *testing.T) {
	own := jid.MustParse("ana@example.org")
	good := state{JID: "ana@example.org/hark", ID: "s", In: 7, Out: 9, Show: im.Away}
	s, err := parseResume(good.pack(), own)
	if err != nil || s.In != 7 || s.Out != 9 || s.ID != "s" || s.Show != im.Away {
		t.Errorf("got %+v, %v", s, err)
	}
	if s, err := parseResume(nil, own); err != nil || s.ID != "" {
		t.Errorf("nil gives %+v, %v", s, err)
	}
	for name, bad := range map[string]im.Resume{
		"another account": state{JID: "eve@example.org/hark", ID: "s"}.pack(),
		"no address":      state{ID: "s"}.pack(),
		"version":         im.Resume(`{"v":2,"jid":"ana@example.org/hark"}`),
		"not JSON":        im.Resume("x"),
	} {
		if s, err := parseResume(bad, own); err == nil || s.ID != "" {
			t.Errorf("%s gives %+v", name, s)
		}
	}
}

func FuzzParseResume(f *testing.F) {
	own := jid.MustParse("ana@example.org")
	f.Add([]byte(state{JID: "ana@example.org/hark", ID: "s", Queue: []sent{{trace: trace{ID: "1"}, Data: []byte("<x/>")}}}.pack()))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseResume(b, own)
		if err != nil {
			return
		}
		if len(b) == 0 {
			return
		}
		again, err := parseResume(s.pack(), own)
		if err != nil || string(again.pack()) != string(s.pack()) {
			t.Errorf("%q became %q (%v)", s.pack(), again.pack(), err)
		}
	})
}

// A stanza that brings two events is acknowledged when both are kept, and not with the first.
func TestKeepHalfAStanza(t *testing.T) {
	l := &ledger{in: 7}
	first, second := l.event(false, true, nil), l.event(true, true, nil)
	if l.keep(first); l.acked != 6 {
		t.Errorf("with the first event %d stanzas are acknowledged", l.acked)
	}
	if l.keep(second); l.acked != 7 {
		t.Errorf("with both events %d stanzas are acknowledged", l.acked)
	}
}
