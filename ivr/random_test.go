package ivr_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hark/im"
	"hark/ivr/ivrtest"
)

// quietest is the longest time in which a caller may hear nothing: the wait for the first digit of a number.
const quietest = 8500 * time.Millisecond

// TestRandomKeys plays callers who press anything, at any time. Hark may not panic, fall silent, or lose a message.
func TestRandomKeys(t *testing.T) {
	action := rapid.SampledFrom([]string{
		"1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "*", "#", "1", "1", "#", "#", "12", "1#", "*0", "##", "2#1",
		"23#1", "8", "22", "444", "4", "41", "44", "3", "7", "5", "28", "28666##1", "come", "wait", "wait", "wait long", "say", "say", "text", "voice", "cut", "slow", "back",
	})
	rapid.Check(t, func(rt *rapid.T) {
		actions := rapid.SliceOfN(action, 1, 60).Draw(rt, "actions")
		var failure error
		synctest.Test(t, func(t *testing.T) { failure = wander(t, actions) })
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

// wander calls, does the actions, and then waits until Hark ends the call by itself.
func wander(t *testing.T, actions []string) error {
	w := newWorld(t)
	for _, line := range []string{
		"contact Ben available", "contact Carla away", "contact Edda offline", "message from Ben: One two three four five six",
		"voice from Carla: 12s", "message from Ben: Seven eight", "message from 4711009: Nine",
	} {
		if err := w.Do(t.Context(), line); err != nil {
			return err
		}
	}
	line, err := w.Dial(t.Context(), "5551234")
	if err != nil {
		return err
	}
	line.Press(theUser + thePIN)
	for _, action := range actions {
		if err := w.act(line, action); err != nil {
			return fmt.Errorf("%s: %w\n%s", action, err, line)
		}
	}
	_ = w.act(line, "back")
	return w.outlast(t.Context(), line)
}

// act does one thing.
func (w *world) act(line *ivrtest.Line, action string) error {
	switch action {
	case "wait":
		time.Sleep(700 * time.Millisecond)
	case "wait long":
		return w.silence(line)
	case "say":
		line.Talk(3*time.Second, nil)
		time.Sleep(3 * time.Second)
	case "text":
		return w.message("from Dora: Another")
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

// silence waits and looks that something was to be heard meanwhile, or that Hark was listening.
func (w *world) silence(line *ivrtest.Line) error {
	before, _ := line.Transcript()
	time.Sleep(quietest)
	after, _ := line.Transcript()
	recording, _ := line.Recording()
	playing := len(before) > 0 && !before[len(before)-1].Out && !before[len(before)-1].Event
	if len(after) == len(before) && !recording && !playing && !line.Over() {
		return fmt.Errorf("nothing was heard for %s", quietest)
	}
	return nil
}

// outlast waits until the call ends without another key, and looks at what it left.
func (w *world) outlast(ctx context.Context, line *ivrtest.Line) error {
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
