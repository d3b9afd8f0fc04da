package ivr_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hark/im"
	"hark/ivr"
	"hark/ivr/ivrtest"
	"hark/presence/wire"
)

// sequences is how many random callers there are unless -rapid.checks says so.
const sequences = "500"

// TestRandomKeys plays callers who press anything, at any time. Hark may not panic, fall silent, or lose a message. Run
// it with -rapid.checks=10000 for longer.
func TestRandomKeys(t *testing.T) {
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set(sequences); err != nil {
			t.Fatal(err)
		}
	}
	sensible := rapid.SampledFrom([]string{
		"1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "*", "#", "1", "1", "#", "#", "12", "1#", "*0", "##", "2#1",
		"23#1", "8", "22", "444", "4", "41", "44", "3", "7", "5", "28", "28666##1", "come", "wait", "wait", "wait long", "say", "say", "text", "voice", "cut", "slow", "back",
	})
	action := rapid.OneOf(sensible, rapid.StringOfN(rapid.RuneFrom([]rune("0123456789*#")), 1, 9, -1))
	calls, pressed, longest := 0, 0, time.Duration(0)
	rapid.Check(t, func(rt *rapid.T) {
		actions := rapid.SliceOfN(action, 8, 60).Draw(rt, "actions")
		var failure error
		synctest.Test(t, func(t *testing.T) {
			w := newWanderer(t)
			failure = w.wander(t.Context(), actions)
			longest = max(longest, w.quiet)
		})
		calls, pressed = calls+1, pressed+len(actions)
		if failure != nil {
			rt.Fatal(failure)
		}
	})
	t.Logf("%d calls, %d actions; the longest quiet in which nothing was awaited from the caller: %s", calls, pressed, longest)
}

// A wanderer is a caller who presses anything.
type wanderer struct {
	*world
	states []visit
	texts  int           // messages that came in the call
	quiet  time.Duration // longest, beyond the time for the first digit of a number
}

// A visit is when a call entered a state.
type visit struct {
	at    time.Time
	state string
}

func newWanderer(t testing.TB) *wanderer {
	w := &wanderer{world: newWorld(t)}
	w.server.SetTrace(func(_ ivr.Line, state string) { w.states = append(w.states, visit{time.Now(), state}) })
	return w
}

// wander calls, does the actions, and then waits until Hark ends the call by itself. A second call must then be told of
// every message of which the first one heard nothing.
func (w *wanderer) wander(ctx context.Context, actions []string) error {
	for _, line := range []string{
		"contact Ben available", "contact Carla away", "contact Edda offline", "message from Ben: One two three four five six",
		"voice from Carla: 12s", "message from Ben: Seven eight", "message from 4711009: Nine",
	} {
		if err := w.Do(ctx, line); err != nil {
			return err
		}
	}
	began := time.Now()
	line, err := w.Dial(ctx, "5551234")
	if err != nil {
		return err
	}
	line.Press(theUser + thePIN)
	for _, action := range actions {
		if err := w.act(line, action); err != nil {
			return fmt.Errorf("%s: %w\n%s", action, err, line)
		}
	}
	if err := w.act(line, "back"); err != nil {
		return err
	}
	if err := w.outlast(ctx, line); err != nil {
		return err
	}
	if err := w.neverQuiet(line, began); err != nil {
		return fmt.Errorf("%w\n%s", err, line)
	}
	return w.nothingLost(ctx, line)
}

// names make texts that differ from each other.
var names = strings.Fields("Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike")

// act does one thing.
func (w *wanderer) act(line *ivrtest.Line, action string) error {
	switch action {
	case "wait":
		time.Sleep(700 * time.Millisecond)
	case "wait long":
		time.Sleep(9 * time.Second)
	case "say":
		line.Talk(3*time.Second, nil)
		time.Sleep(3 * time.Second)
	case "text":
		w.texts++
		return w.message(fmt.Sprintf("from Dora: %s %s", names[w.texts%len(names)], names[w.texts/len(names)]))
	case "voice":
		return w.voiceMessage("from Carla: 7s")
	case "come":
		w.post.shows(person("Edda"), im.Offline)
		w.post.shows(person("Edda"), im.Available)
	case "cut":
		w.post.cut()
	case "slow":
		w.post.fault.set(nil, 2500*time.Millisecond)
	case "back":
		w.post.fault.set(nil, 0)
	default:
		line.Press(action)
	}
	return nil
}

// outlast waits until the call ends without another key, and looks at what it left.
func (w *wanderer) outlast(ctx context.Context, line *ivrtest.Line) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	if err := w.Gone(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, line)
	}
	if !line.Over() {
		return fmt.Errorf("Handle returned without hanging up\n%s", line)
	}
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if w.post.logins > 0 && !w.post.open {
		return fmt.Errorf("the session is gone\n%s", line)
	}
	if w.post.cursor > int64(len(w.post.log)) {
		return fmt.Errorf("acknowledged %d of %d messages", w.post.cursor, len(w.post.log))
	}
	return nil
}

// promptWithin is how long a caller may hear nothing when it is Hark's turn.
const promptWithin = 5 * time.Second

// neverQuiet looks that Hark always spoke in time: 5 s after it, or the caller, was last to be heard, or as long as the
// first digit of a number may take.
func (w *wanderer) neverQuiet(line *ivrtest.Line, began time.Time) error {
	list, _ := line.Transcript()
	var since time.Duration // nothing was heard
	for _, h := range list {
		quiet, allowed := h.At-since, promptWithin
		if first := ivr.FirstDigit(w.stateAt(began.Add(since))); first > promptWithin {
			allowed = first
		} else {
			w.quiet = max(w.quiet, quiet)
		}
		if quiet > allowed+50*time.Millisecond {
			return fmt.Errorf("nothing was heard for %s before %.2fs, in %s", quiet, h.At.Seconds(), w.stateAt(began.Add(since)))
		}
		if h.Text == "Hark hung up" {
			break
		}
		since = max(since, h.At, h.End)
	}
	return nil
}

// stateAt is the state in which the call was.
func (w *wanderer) stateAt(then time.Time) (state string) {
	for _, v := range w.states {
		if v.at.After(then) && state != "" {
			break
		}
		state = v.state
	}
	return state
}

// nothingLost calls again and listens to all that is new: each message of which nothing was heard in the first call must
// be there, unless it was deleted or answered unheard.
func (w *wanderer) nothingLost(ctx context.Context, first *ivrtest.Line) error {
	w.mend()
	line, err := w.Dial(ctx, "5551234")
	if err != nil {
		return err
	}
	excused := w.dealtWith()
	line.Press(theUser + w.auth.pin + "*****") // past drafts
	if err := line.Hear(ctx, "new message", false); err != nil {
		return fmt.Errorf("in the next call: %w\n%s\n%s", err, first, line)
	}
	line.Press("1")
	if err := w.outlast(ctx, line); err != nil {
		return err
	}
	for _, m := range w.post.log {
		words := m.Body
		if len(m.Attachments) > 0 {
			words = "(sound " + words[strings.LastIndexByte(words, '/')+1:] + ".wav"
		}
		_, before := first.Heard(words)
		if _, now := line.Heard(words); !m.Outgoing && !excused[m.Seq] && !before && !now {
			return fmt.Errorf("message %d, %q, is lost\n%s\n%s", m.Seq, words, first, line)
		}
	}
	return nil
}

// dealtWith are the messages that were deleted or answered.
func (w *wanderer) dealtWith() map[int64]bool {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	list, done := []int64{}, map[int64]bool{}
	_ = json.Unmarshal(w.post.state[wire.State+" phone.gone"], &list)
	for _, seq := range list {
		done[seq] = true
	}
	for _, m := range w.post.log {
		answers := func(r wire.SendRequest) bool { return m.ID != "" && r.ReplyTo == m.ID }
		done[m.Seq] = done[m.Seq] || slices.ContainsFunc(w.post.sent, answers)
	}
	return done
}
