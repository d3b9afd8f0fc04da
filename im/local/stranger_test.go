package local_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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

// TestStranger: who writes to somebody learns nothing of him, whatever he does, until he answers.
func TestStranger(t *testing.T) {
	h := newHouse(map[string]string{"4711001": "Stranger A", "4711002": "Stranger B"})
	s := &local.Service{Deliverer: h, Directory: h}
	ana, ben := newStranger(t, s, "4711001"), newStranger(t, s, "4711002")
	ana.until(t, "im.Synced")
	if err := ana.writes("4711002", "1"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		ben.SetPresence(t.Context(), im.Presence{Show: im.Busy}),
		ben.Conn.(im.Typer).SetTyping(t.Context(), hark("4711001"), true),
		ben.Conn.(im.Marker).MarkRead(t.Context(), im.Message{ID: "1", From: hark("4711001"), To: hark("4711002")}),
		ana.writes("4711002", "2"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{"im.Roster {[{hark:4711002 }]}", "im.Delivery {1 sent }", "im.Delivery {2 sent }"}
	if told := ana.until(t, "im.Delivery {2"); !slices.Equal(told, want) {
		t.Errorf("told are %q, not %q", told, want)
	}
}

// writes sends a message to a number.
func (s stranger) writes(number, id string) error {
	return s.Send(context.Background(), im.Outgoing{ID: id, To: hark(number), Body: "hello"})
}

// TestWrongNumbers is threat T3 between users: a wrong number is told, but after twenty of them a day who tries strange
// numbers is told of each that nobody has it, for a day.
func TestWrongNumbers(t *testing.T) {
	h := newHouse(map[string]string{"4711001": "Ana", "4711002": "Stranger", "4711003": "Carla"})
	now := time.Now()
	s := &local.Service{Deliverer: h, Directory: h, Now: func() time.Time { return now }}
	ana := newStranger(t, s, "4711001")
	if err := ana.writes("4711002", "before"); err != nil {
		t.Fatal(err)
	}
	<-h.logs["4711002"]
	refused := func(number string) {
		t.Helper()
		var e *im.Error
		if err := ana.writes(number, number); !errors.As(err, &e) || e.Class != im.Policy || !strings.Contains(err.Error(), "nobody has this number") {
			t.Errorf("writing to %s: %v", number, err)
		}
	}
	for i := range 20 {
		refused(fmt.Sprint(5000000 + i))
	}
	refused("4711002")
	if len(h.logs["4711002"]) > 0 {
		t.Error("a message that was refused has come")
	}
	if err := ana.writes("4711003", "to a contact"); err != nil {
		t.Error(err)
	}
	now = now.Add(24 * time.Hour)
	if err := ana.writes("4711002", "a day later"); err != nil {
		t.Error(err)
	}
	refused("5000000")
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
