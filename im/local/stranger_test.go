package local_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hark/im"
	"hark/im/local"
)

// stranger is somebody online at a service, with everything that is told to him.
type stranger struct {
	im.Conn
	events chan any
}

func newStranger(t *testing.T, s *local.Service, user string) stranger {
	events := make(chan any, 100)
	return stranger{open(t, s, user, im.SinkFunc(func(e im.Event) { events <- e.Body })), events}
}

// until lists what was told up to the first line that begins so.
func (s stranger) until(t *testing.T, begins string) (told []string) {
	t.Helper()
	for {
		select {
		case body := <-s.events:
			told = append(told, fmt.Sprintf("%T %v", body, body))
			if strings.HasPrefix(told[len(told)-1], begins) {
				return told
			}
		case <-t.Context().Done():
			t.Fatalf("%q never came, only %q", begins, told)
		}
	}
}

// TestNobodyIsLikeSomebody is threat T3 between users: who writes to a number is told the same whether somebody has it or
// nobody, whatever the one who has it does, until that one answers.
func TestNobodyIsLikeSomebody(t *testing.T) {
	told := map[string][]string{}
	for _, number := range []string{"4711002", "4711999"} {
		h := newHouse(map[string]string{"4711001": "Stranger A", "4711002": "Stranger B"})
		s := &local.Service{Deliverer: h, Directory: h}
		ana, ben := newStranger(t, s, "4711001"), newStranger(t, s, "4711002")
		ana.until(t, "im.Synced")
		if err := ana.Send(t.Context(), im.Outgoing{ID: "1", To: hark(number), Body: "hello"}); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			ben.SetPresence(t.Context(), im.Presence{Show: im.Busy}),
			ben.Conn.(im.Typer).SetTyping(t.Context(), hark("4711001"), true),
			ben.Conn.(im.Marker).MarkRead(t.Context(), im.Message{ID: "1", From: hark("4711001"), To: hark("4711002")}),
			ana.Send(t.Context(), im.Outgoing{ID: "2", To: hark(number), Body: "are you there?"}),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		lines := ana.until(t, "im.Delivery {2")
		for i := range lines {
			lines[i] = strings.ReplaceAll(lines[i], number, "NUMBER")
		}
		told[number] = lines
	}
	want := []string{"im.Roster {[{hark:NUMBER }]}", "im.Delivery {1 sent }", "im.Delivery {2 sent }"}
	for number, lines := range told {
		if !slices.Equal(lines, want) {
			t.Errorf("who writes to %s is told %q, not %q", number, lines, want)
		}
	}
}

// TestLettersToNobody looks at what is kept of a message that nobody gets: nothing but its size.
func TestLettersToNobody(t *testing.T) {
	h := newHouse(map[string]string{"4711001": "Ana"})
	s := &local.Service{Deliverer: h, Directory: h}
	ana := newStranger(t, s, "4711001")
	if err := ana.Send(t.Context(), im.Outgoing{ID: "1", To: hark("4711999"), Body: "a secret"}); err != nil {
		t.Fatal(err)
	}
	m := <-h.logs["nobody"]
	if len(m.Body) != len("a secret") || strings.TrimSpace(m.Body) != "" || strings.Contains(fmt.Sprint(m), "4711") {
		t.Errorf("kept is %+v", m)
	}
}

// TestAnswered has the one who was written to answer: from then on each knows the name of the other and sees him.
func TestAnswered(t *testing.T) {
	h := newHouse(map[string]string{"4711001": "Stranger A", "4711002": "Stranger B"})
	s := &local.Service{Deliverer: h, Directory: h}
	ana, ben := newStranger(t, s, "4711001"), newStranger(t, s, "4711002")
	if err := ana.Send(t.Context(), im.Outgoing{ID: "1", To: hark("4711002"), Body: "hello"}); err != nil {
		t.Fatal(err)
	}
	ben.until(t, "im.Roster {[{hark:4711001 Stranger A}]}")
	ben.until(t, "im.Presence {hark:4711001 available }")
	if err := ben.Send(t.Context(), im.Outgoing{ID: "2", To: hark("4711001"), Body: "who is this?"}); err != nil {
		t.Fatal(err)
	}
	ana.until(t, "im.Roster {[{hark:4711002 Stranger B}]}")
	ana.until(t, "im.Presence {hark:4711002 available }")
	if err := ben.Conn.(im.Typer).SetTyping(t.Context(), hark("4711001"), true); err != nil {
		t.Fatal(err)
	}
	ana.until(t, "im.ChatState {hark:4711002 true}")
}
