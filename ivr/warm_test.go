package ivr_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/ivr/ivrtest"
	"hark/prompts"
)

// slowVoice takes a second to render a text, but only once, as a synthesiser with a cache does.
type slowVoice struct {
	*ivrtest.Voice
	mu   sync.Mutex
	done map[string]bool
}

func (v *slowVoice) SayText(ctx context.Context, lang, text string) (prompts.Clip, error) {
	v.mu.Lock()
	known := v.done[text]
	v.mu.Unlock()
	if !known {
		time.Sleep(time.Second)
		v.mu.Lock()
		v.done[text] = true
		v.mu.Unlock()
	}
	return v.Voice.SayText(ctx, lang, text)
}

// TestNextMessageIsReady looks that a caller who skips to the next message does not wait for the synthesiser.
func TestNextMessageIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.server.Voice = &slowVoice{Voice: w.voice, done: map[string]bool{}}
		for _, text := range []string{"one two three four five six seven eight", "nine ten"} {
			w.post.deliver(im.Message{From: person("Ben"), Sent: time.Now(), Body: text})
		}
		line, err := w.Dial(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		line.Press(theUser + thePIN + "1")
		if err := line.Hear(t.Context(), "one two three", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) // the first message still plays
		pressed := time.Now()
		line.Press("#")
		if err := line.Hear(t.Context(), "nine ten", false); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(pressed); took >= 500*time.Millisecond {
			t.Errorf("the next message was heard %v after the key\n%s", took, line)
		}
		line.Hang()
		if err := w.Gone(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
