package ivr_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/presence/wire"
)

// rounds is how often Asterisk is killed; 50 take eight minutes.
var rounds = flag.Int("rounds", 2, "how often TestAsteriskKilledInRecording kills Asterisk")

const (
	mostMissing = 2100 * time.Millisecond // of a recording, when Asterisk is killed
	backWithin  = 2 * time.Second         // after ARI is
	leastDraft  = 2 * time.Second         // a shorter recording is dropped
	afterTone   = 500 * time.Millisecond  // a recording may begin so much later than the tone ends, on a busy machine
)

// A losing is a call that is lost in a recording.
type losing struct {
	*booth
	phone *telephone
	door  string
}

// TestAsteriskKilledInRecording kills Asterisk at a random moment while two callers speak, one over ARI and one over
// FastAGI. What they said is a draft but for 2.1 s at most, nothing counts as heard that was not, and the next call
// offers the draft.
func TestAsteriskKilledInRecording(t *testing.T) {
	board, voice := newSwitchboard(t), newSpeaker(t)
	missing, back := time.Duration(0), time.Duration(0)
	for round := range *rounds {
		number := round % numbersEach
		calls := []*losing{
			{booth: newBooth(t, board, strconv.Itoa(overARI+number), voice), door: "ARI"},
			{booth: newBooth(t, board, strconv.Itoa(overAGI+number), voice), door: "FastAGI"},
		}
		each(t, calls, (*losing).speak)
		time.Sleep(500*time.Millisecond + rand.N(6*time.Second)) // real time: somebody speaks
		killed := time.Now()
		if err := board.asterisk.Kill(); err != nil {
			t.Fatal(err)
		}
		back = max(back, board.comeBack(t))
		for _, c := range calls {
			lost, err := c.left(t.Context(), killed.Sub(c.phone.heard))
			if err != nil {
				t.Errorf("round %d over %s: %v\n%s", round, c.door, err, c.phone)
			}
			missing = max(missing, lost)
		}
		if round == 0 {
			each(t, calls, (*losing).offered)
		}
	}
	t.Logf("%d rounds: at most %s are missing between the end of the tone and the moment of death; Hark was connected at most %s after ARI was there", *rounds, missing, back)
	if back > backWithin {
		t.Errorf("Hark was connected %s after ARI was there", back)
	}
}

// each does something with all calls at once.
func each(t *testing.T, calls []*losing, do func(*losing, context.Context) error) {
	t.Helper()
	var group errgroup.Group
	for _, c := range calls {
		group.Go(func() error {
			if err := do(c, t.Context()); err != nil {
				return fmt.Errorf("over %s: %w\n%s", c.door, err, c.phone)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// speak calls, logs in, answers the first message, and begins to speak.
func (l *losing) speak(ctx context.Context) error {
	for _, line := range []string{"contact Ben away", "message from Ben: The first of all messages, which nobody will hear to its end this time"} {
		if err := l.Do(ctx, line); err != nil {
			return err
		}
	}
	if err := l.ring(ctx, theUser+thePIN+"11"); err != nil {
		return err
	}
	if err := l.phone.Hear(ctx, "(tone)", true); err != nil {
		return err
	}
	speech, err := l.phone.speech(ctx, 20*time.Second)
	go l.phone.call.SpeakPCM(ctx, speech) // until the call is over
	return err
}

// ring calls and presses keys.
func (l *losing) ring(ctx context.Context, keys string) error {
	phone, err := l.Ring(ctx, "5551234")
	if err != nil {
		return err
	}
	l.phone = phone.(*telephone)
	l.phone.Press(keys)
	return nil
}

// comeBack starts Asterisk again, and returns how long after ARI both doors were open.
func (s *switchboard) comeBack(t *testing.T) time.Duration {
	t.Helper()
	if err := s.asterisk.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for !s.app.Connected() {
		if time.Since(began) > time.Minute {
			t.Fatal("Hark does not connect again")
		}
		time.Sleep(5 * time.Millisecond) // another process
	}
	return time.Since(began)
}

// left looks at what is there after a call was lost that somebody had spoken in for so long: how much is missing.
func (l *losing) left(ctx context.Context, spoken time.Duration) (missing time.Duration, err error) {
	l.phone.Hang()
	if err := l.Gone(ctx); err != nil {
		return 0, err
	}
	var v draftValue
	l.stateOf(wire.Draft, &v)
	kept := time.Duration(v.Seconds * float64(time.Second))
	switch {
	case l.post.cursor != 0 || len(l.post.marked) > 0:
		err = errors.New("a message counts as heard")
	case kept == 0 && spoken < leastDraft+mostMissing+afterTone:
		return 0, nil
	case kept < spoken-mostMissing-afterTone || kept > spoken+afterTone:
		err = fmt.Errorf("the draft has %s of %s", kept, spoken)
	}
	return spoken - kept, err
}

// offered looks that the next call offers the draft, if there is one.
func (l *losing) offered(ctx context.Context) error {
	var v draftValue
	if l.stateOf(wire.Draft, &v); v.Seconds == 0 {
		return nil
	}
	l.phone.other, l.phone = nil, nil
	if err := l.ring(ctx, theUser+thePIN); err != nil {
		return err
	}
	if err := l.phone.Hear(ctx, "You have an unsent recording for Ben.", false); err != nil {
		return err
	}
	l.phone.Hang()
	return l.Gone(ctx)
}

// TestHangUpInRecording hangs up at many moments of a recording, in real calls over both doors: 2 s of speech make a
// draft, less does not.
func TestHangUpInRecording(t *testing.T) {
	board, voice := newSwitchboard(t), newSpeaker(t)
	var calls errgroup.Group
	for i, after := range []time.Duration{200, 1000, 1500, 2700, 4000, 10_000} {
		after *= time.Millisecond
		for door, first := range ways {
			l := &losing{booth: newBooth(t, board, strconv.Itoa(first+i), voice), door: door}
			calls.Go(func() error {
				if err := l.hangUpAfter(t.Context(), after); err != nil {
					t.Errorf("after %s over %s: %v\n%s", after, door, err, l.phone)
				}
				return nil // the others go on
			})
		}
	}
	_ = calls.Wait()
	board.nothingLeft(t)
}

// hangUpAfter speaks for so long and hangs up.
func (l *losing) hangUpAfter(ctx context.Context, after time.Duration) error {
	if err := l.speak(ctx); err != nil {
		return err
	}
	time.Sleep(time.Until(l.phone.heard.Add(after))) // real time: somebody speaks
	l.phone.Hang()
	spoken := time.Since(l.phone.heard)
	if err := l.Gone(ctx); err != nil {
		return err
	}
	var v draftValue
	l.stateOf(wire.Draft, &v)
	kept := time.Duration(v.Seconds * float64(time.Second))
	switch {
	case spoken < leastDraft-afterTone && kept != 0:
		return fmt.Errorf("%s are a draft", kept)
	case kept == 0 && spoken < leastDraft+afterTone:
		return nil
	case kept < spoken-afterTone || kept > spoken+afterTone:
		return fmt.Errorf("the draft has %s of %s", kept, spoken)
	}
	return nil
}
