package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"hark/internal/wav"
	"hark/ivr"
	"hark/prompts"
)

// rate is the sample rate of recordings, in Hz.
const rate = 8000

// sound plays a clip with the player, until a key comes unless deaf. A player that fails is reported once in the
// transcript, and the time passes without sound.
func (l *Line) sound(ctx context.Context, clip prompts.Clip, deaf bool) (whole bool, err error) {
	file, remove, err := from(clip)
	if err != nil {
		l.print("(cannot be played: " + err.Error() + ")")
		return l.pass(ctx, clip.Duration-clip.Offset, deaf)
	}
	defer remove()
	playing, stop := context.WithCancel(ctx)
	defer stop()
	program := exec.CommandContext(playing, l.Player[0], append(slices.Clone(l.Player[1:]), file)...)
	ended := make(chan error, 1)
	go func() { ended <- program.Run() }()
	whole, err = l.during(ctx, ended, deaf)
	if !whole {
		stop()
		<-ended
	}
	return whole, err
}

// during waits for the player, or a key unless deaf. whole says that the player has ended.
func (l *Line) during(ctx context.Context, ended <-chan error, deaf bool) (whole bool, err error) {
	for {
		pressed, changed := l.keys.look()
		if pressed && !deaf {
			return false, nil
		}
		select {
		case err := <-ended:
			if err != nil && ctx.Err() == nil {
				l.print("(the player failed: " + err.Error() + ")")
			}
			return true, context.Cause(ctx)
		case <-changed:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// from is a file that begins where the clip is to begin.
func from(clip prompts.Clip) (file string, remove func(), err error) {
	if clip.Offset <= 0 {
		return clip.File, func() {}, nil
	}
	sound, err := wav.Read(clip.File)
	if err != nil {
		return "", nil, err
	}
	skip := min(int(clip.Offset*time.Duration(sound.Rate)/time.Second), len(sound.Samples))
	sound.Samples = sound.Samples[skip:]
	return temporary("", "hark-rest-*.wav", sound)
}

// temporary writes a file that remove deletes.
func temporary(dir, pattern string, s wav.Sound) (file string, remove func(), err error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.Remove(f.Name()) }
	_, err = f.Write(wav.Encode(s))
	if err = errors.Join(err, f.Close()); err != nil {
		remove()
	}
	return f.Name(), remove, err
}

// Record plays the prompt and the tone, and makes a recording of what Options.Speech says.
func (l *Line) Record(ctx context.Context, r ivr.Record) (ivr.Recorded, error) {
	if _, err := l.playAll(ctx, r.Prompt, false); err != nil {
		return ivr.Recorded{Why: ivr.HungUp}, err
	}
	l.keys.flush()
	if _, _, err := l.play(ctx, r.Tone, true); err != nil {
		return ivr.Recorded{Why: ivr.HungUp}, err
	}
	speech, err := l.speech()
	if err != nil {
		return ivr.Recorded{Why: ivr.LineFail}, fmt.Errorf("%w: %w", ivr.ErrLine, err)
	}
	l.print("(recording)")
	began := time.Now()
	why, key, ended := l.recording(ctx, r, speech.Duration())
	out := ivr.Recorded{Duration: time.Since(began).Round(time.Millisecond), Key: key, Why: why}
	l.print(fmt.Sprintf("(recorded %s)", out.Duration.Round(100*time.Millisecond)))
	out.File, _, err = temporary(l.Dir, "hark-recording-*.wav", fit(speech, out.Duration))
	if ended != nil {
		return out, ended
	}
	if err != nil {
		return out, fmt.Errorf("%w: %w", ivr.ErrLine, err)
	}
	return out, nil
}

// recording waits for what ends a recording in which the caller speaks for so long; 0 is as long as it lasts.
func (l *Line) recording(ctx context.Context, r ivr.Record, speaking time.Duration) (ivr.Why, string, error) {
	longest, why := r.Max, ivr.Limit
	if quiet := speaking + r.Silence; speaking > 0 && r.Silence > 0 && quiet < longest {
		longest, why = quiet, ivr.Silence
	}
	deadline := time.Now().Add(longest)
	tick := time.Now().Add(r.Max - r.Warn)
	ticks := r.Tick.Text != "" && r.Warn < r.Max && tick.Before(deadline)
	for {
		wait := time.Until(deadline)
		if ticks {
			wait = time.Until(tick)
		}
		key, err := l.keys.next(ctx, wait)
		switch {
		case err != nil:
			return ivr.HungUp, "", err
		case key == "" && ticks:
			l.print(r.Tick.Text)
			ticks = false
		case key == "":
			return why, "", nil
		case strings.Contains(r.Ends, key):
			return ivr.EndKey, key, nil
		}
	}
}

// speech is what the caller says, at the rate of recordings.
func (l *Line) speech() (wav.Sound, error) {
	if l.Speech == "" {
		return wav.Sound{Rate: rate}, nil
	}
	s, err := wav.Read(l.Speech)
	if err == nil && s.Rate != rate {
		err = fmt.Errorf("console: %s has %d Hz; %d Hz is needed", l.Speech, s.Rate, rate)
	}
	return s, err
}

// fit cuts a sound, or fills it with silence, to a length.
func fit(s wav.Sound, d time.Duration) wav.Sound {
	out := wav.Sound{Rate: s.Rate, Samples: make([]int16, d*time.Duration(s.Rate)/time.Second)}
	copy(out.Samples, s.Samples)
	return out
}
