package stasis

import (
	"testing"
	"testing/synctest"
	"time"

	"hark/ivr"
	"hark/prompts"
)

// gatherAlone collects a number of seven keys on a line without an Asterisk. press gives it a key and returns how many keys
// nobody has looked at; the input and when it came is sent on the channel.
func gatherAlone(t *testing.T) (press func(key byte) int, ended <-chan ivr.Input) {
	l := newLine(&App{}, &channel{ID: "a"}, false)
	l.quiet = true // no command is to be sent
	done := make(chan ivr.Input, 1)
	go func() {
		in, err := l.Gather(t.Context(), ivr.Gather{Max: 7, Ends: "#", First: time.Minute})
		if err != nil {
			t.Error(err)
		}
		done <- in
	}()
	return func(key byte) int {
		synctest.Wait()
		l.tell(note{kind: keyPressed, key: key, at: time.Now(), stamp: time.Now()})
		synctest.Wait()
		l.queue.mu.Lock()
		defer l.queue.mu.Unlock()
		return len(l.queue.notes)
	}, done
}

// TestKeysInTheMiddle: in a number only the first key, the last one, and one that ends it wake the call.
func TestKeysInTheMiddle(t *testing.T) {
	for keys, lie := range map[string][]int{"1234567": {0, 1, 2, 3, 4, 5, 0}, "123#": {0, 1, 2, 0}} {
		synctest.Test(t, func(t *testing.T) {
			press, ended := gatherAlone(t)
			for i := range keys {
				if n := press(keys[i]); n != lie[i] {
					t.Errorf("%s: %d keys lie after key %d, not %d", keys, n, i+1, lie[i])
				}
				time.Sleep(200 * time.Millisecond)
			}
			if in := <-ended; in.Keys+in.End != keys {
				t.Errorf("%s became %+v", keys, in)
			}
		})
	}
}

// TestKeysThatLieCount: keys that woke nobody put the end of the time off all the same, each from when it was pressed.
func TestKeysThatLieCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		press, ended := gatherAlone(t)
		for _, key := range []byte("1234") {
			press(key)
			time.Sleep(defaultBetween - 100*time.Millisecond)
		}
		last := time.Now().Add(100*time.Millisecond - defaultBetween)
		in := <-ended
		if took := time.Since(last); in.Keys != "1234" || in.Why != ivr.Timeout || took != defaultBetween {
			t.Errorf("%+v, %v after the last key", in, took)
		}
	})
}

// TestSilenceAfter: silence is sent as soon as nothing plays, but between two keys, each of which is a turn, it waits.
func TestSilenceAfter(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		clips int
		keyed time.Time
		want  time.Duration
	}{
		{0, time.Time{}, 0},
		{0, now.Add(-quietAfter), 0},
		{1, now.Add(-time.Second), 0},
		{0, now.Add(-time.Second), quietAfter - time.Second},
	} {
		turn := &turn{Line: &Line{keyed: c.keyed}, player: &player{},
			Gather: ivr.Gather{Play: make([]prompts.Clip, c.clips), Max: 1, First: time.Minute}}
		turn.wait(now)
		if at := turn.wake().Sub(now); at != c.want {
			t.Errorf("%d clips, key at %v: silence after %v, not %v", c.clips, c.keyed, at, c.want)
		}
	}
}
