package ivr_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hark/internal/sipphone"
	"hark/internal/wav"
	"hark/ivr"
	"hark/ivr/ivrtest"
)

// notes are an ivr.Memory.
type notes struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (n *notes) Keep(call string, note []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept[call] = note
	return nil
}

func (n *notes) Recall(call string) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept[call], nil
}

func (n *notes) Forget(call string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.kept, call)
	return nil
}

// TestAdopted kills Hark in a state, as far as the call can tell, and lets another Hark find the call: it goes on there,
// without number and PIN.
func TestAdopted(t *testing.T) {
	for _, tt := range []struct{ name, keys, goesOn string }{
		{"home", "", "You have two new messages:"},
		{"reader", "1#", "Three four"},
		{"more", "4", "To set your status, press 1."},
		{"status", "41", "To be available, press 1."},
		{"settings", "44", "To change your PIN, press 1."},
		{"language", "442", "For English, press two."},
		{"record", "11", "One two"},
		{"review", "11#", "One two"},
		{"who", "2", "You have two new messages:"},
		{"spell", "128", "One two"},
		{"PIN change", "441246810", "To change your PIN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { adoptedCall(t, tt.keys, tt.goesOn) })
		})
	}
}

func adoptedCall(t *testing.T, keys, goesOn string) {
	w := newWorld(t)
	memory := &notes{kept: map[string][]byte{}}
	w.server.Memory = memory
	for _, text := range []string{"One two", "Three four"} {
		if err := w.message("from Ben: " + text); err != nil {
			t.Fatal(err)
		}
	}
	line, err := w.Dial(t.Context(), "5551234")
	if err != nil {
		t.Fatal(err)
	}
	line.Press(theUser + thePIN + keys)
	time.Sleep(300 * time.Millisecond)
	memory.mu.Lock()
	kept := maps.Clone(memory.kept)
	memory.mu.Unlock()
	w.shut(errShutdown)
	if err := w.Gone(t.Context()); err != nil {
		t.Fatal(err)
	}
	memory.kept = kept
	again := adoptedLine(t, w, line.ID(), ivr.Recorded{})
	if err := hears(again, "Sorry for the break.", goesOn); err != nil {
		t.Errorf("%v\n%s", err, again)
	}
	again.Hang()
	if err := w.Gone(t.Context()); err != nil {
		t.Error(err)
	}
	if len(memory.kept) > 0 {
		t.Error("the call is over and still remembered")
	}
	if w.post.logins != 1 || w.auth.tries != 1 && !strings.Contains(keys, thePIN) {
		t.Errorf("%d logins, %d PINs", w.post.logins, w.auth.tries)
	}
}

// TestAdoptedInRecording kills Hark while the caller speaks: what was spoken is in the hand of the next Hark, and sent as
// the answer that it was to be. Less than 2 s are dropped.
func TestAdoptedInRecording(t *testing.T) {
	for _, tt := range []struct {
		spoken time.Duration
		hears  []string
		then   string // after a 1
		sent   string
	}{
		{4 * time.Second, []string{"Sorry for the break.", "The recording broke off.", "To send, press 1."}, "Sent.", "to xmpp:ben@example.org: voice 4s cut short answering"},
		{time.Second, []string{"Sorry for the break.", "One two"}, "Speak after the tone", "nothing"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			memory := &notes{kept: map[string][]byte{}}
			w.server.Memory = memory
			if err := w.message("from Ben: One two"); err != nil {
				t.Fatal(err)
			}
			id := leaveCall(t, w, memory, nil)
			left := filepath.Join(w.dir, "left.wav")
			if err := wav.Write(left, wav.Sound{Rate: sipphone.Rate, Samples: sipphone.Tone(300, tt.spoken)}); err != nil {
				t.Fatal(err)
			}
			line := adoptedLine(t, w, id, ivr.Recorded{File: left, Duration: tt.spoken})
			if err := hears(line, tt.hears...); err != nil {
				t.Errorf("%v\n%s", err, line)
			}
			line.Press("1")
			if err := hears(line, tt.then); err != nil {
				t.Errorf("%v\n%s", err, line)
			}
			line.Hang()
			if err := errors.Join(w.Gone(t.Context()), w.checkSent(tt.sent)); err != nil {
				t.Errorf("after %s: %v", tt.spoken, err)
			}
		})
	}
}

// TestAdoptedInReview kills Hark when a recording is in the caller's hand: it is there again.
func TestAdoptedInReview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		memory := &notes{kept: map[string][]byte{}}
		w.server.Memory = memory
		if err := w.message("from Ben: One two"); err != nil {
			t.Fatal(err)
		}
		id := leaveCall(t, w, memory, []ivrtest.Step{{Verb: "say", Arg: "4s"}, {Verb: "press", Arg: "#"}, {Verb: "hear", Arg: "To send, press 1."}})
		var kept struct{ File string }
		if err := json.Unmarshal(memory.kept[id], &kept); err != nil || kept.File == "" {
			t.Fatalf("%q is kept, %v", memory.kept[id], err)
		}
		if err := wav.Write(kept.File, wav.Sound{Rate: sipphone.Rate, Samples: sipphone.Tone(300, 4*time.Second)}); err != nil {
			t.Fatal(err) // the first Hark ended as it should, and took it away
		}
		line := adoptedLine(t, w, id, ivr.Recorded{})
		if err := hears(line, "Sorry for the break.", "To send, press 1."); err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		line.Press("1")
		if err := hears(line, "Sent."); err != nil {
			t.Errorf("%v\n%s", err, line)
		}
		line.Hang()
		if err := errors.Join(w.Gone(t.Context()), w.checkSent("to xmpp:ben@example.org: voice 4s answering")); err != nil {
			t.Error(err)
		}
	})
}

// leaveCall brings a call into a recording and does the steps, and lets its Hark go without a word.
func leaveCall(t *testing.T, w *world, memory *notes, steps []ivrtest.Step) (id string) {
	line, err := w.Dial(t.Context(), "5551234")
	if err != nil {
		t.Fatal(err)
	}
	line.Press(theUser + thePIN + "11")
	steps = append([]ivrtest.Step{{Verb: "hear", Arg: "(tone)"}}, steps...)
	if err := ivrtest.Follow(t.Context(), steps, line); err != nil {
		t.Fatal(err)
	}
	memory.mu.Lock()
	kept := maps.Clone(memory.kept)
	memory.mu.Unlock()
	w.shut(errShutdown)
	if err := w.Gone(t.Context()); err != nil {
		t.Fatal(err)
	}
	memory.kept = kept
	return line.ID()
}

// adoptedLine lets the server find a call that another one answered, and left a recording in, if it did.
func adoptedLine(t *testing.T, w *world, id string, left ivr.Recorded) *ivrtest.Line {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	line := ivrtest.NewLine(id, "5551234", w.dir)
	line.Taken, line.Left, line.Hanger = true, left, func() { cancel(ivr.ErrHangup) }
	w.line, w.gone = line, make(chan error, 1)
	line.Press("1") // into the break: it does not count
	go func() {
		w.gone <- w.server.Handle(ctx, line)
		cancel(nil)
	}()
	return line
}

// hears waits until the words were heard in order.
func hears(line *ivrtest.Line, words ...string) error {
	steps := []ivrtest.Step{}
	for _, text := range words {
		steps = append(steps, ivrtest.Step{Verb: "hear", Arg: text})
	}
	return ivrtest.Follow(context.Background(), steps, line)
}

// TestAdoptedUnknown: a call of which nothing is known begins anew.
func TestAdoptedUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.server.Memory = &notes{kept: map[string][]byte{"bad": []byte("{")}}
		for _, id := range []string{"unknown", "bad"} {
			line := adoptedLine(t, w, id, ivr.Recorded{})
			if err := hears(line, "Enter your user number"); err != nil {
				t.Errorf("%s: %v\n%s", id, err, line)
			}
			line.Hang()
			if err := w.Gone(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestLeft kills Hark while the caller speaks, who hangs up before the next one is there: what was spoken is a draft of the
// caller, once; less than 2 s are dropped, and an unknown call is left alone.
func TestLeft(t *testing.T) {
	for spoken, draft := range map[time.Duration]string{4 * time.Second: "for xmpp:ben@example.org 4s cut short", time.Second: "none"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			memory := &notes{kept: map[string][]byte{}}
			w.server.Memory = memory
			if err := w.message("from Ben: One two"); err != nil {
				t.Fatal(err)
			}
			id := leaveCall(t, w, memory, nil)
			left := filepath.Join(w.dir, "left.wav")
			if err := wav.Write(left, wav.Sound{Rate: sipphone.Rate, Samples: sipphone.Tone(300, spoken)}); err != nil {
				t.Fatal(err)
			}
			if w.server.Left("unknown") != nil {
				t.Error("an unknown call is known")
			}
			w.server.Left(id)(t.Context(), ivr.Recorded{File: left, Duration: spoken})
			if err := w.checkDraft(draft); err != nil {
				t.Error(err)
			}
			if w.server.Left(id) != nil {
				t.Error("it would be taken twice")
			}
			if _, err := os.Stat(left); err == nil {
				t.Error("the file is still there")
			}
		})
	}
}
