package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"hark/internal/wav"
	"hark/ivr"
	"hark/prompts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hello is a prompt of two seconds.
var hello = prompts.Clip{Text: "Hello there.", Duration: 2 * time.Second}

// call runs a call in virtual time. press writes keys from another goroutine, after so long each.
func call(t *testing.T, o Options, keys string, every time.Duration, handle func(ctx context.Context, l ivr.Line) error) string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		in, press := io.Pipe()
		o.In, o.Out = in, &out
		go func() {
			for _, key := range keys {
				time.Sleep(every)
				if _, err := press.Write([]byte(string(key))); err != nil {
					return
				}
			}
		}()
		if err := Run(t.Context(), o, handle); err != nil {
			t.Error(err)
		}
	})
	return out.String()
}

func TestGather(t *testing.T) {
	for _, c := range []struct {
		name   string
		keys   string
		every  time.Duration
		gather ivr.Gather
		want   ivr.Input
	}{
		{"barge-in", "1", 500 * time.Millisecond, ivr.Gather{Max: 1, First: time.Second},
			ivr.Input{Keys: "1", Why: ivr.Full, At: 500 * time.Millisecond}},
		{"after the prompt", "1", 2500 * time.Millisecond, ivr.Gather{Max: 1, First: time.Second},
			ivr.Input{Keys: "1", Why: ivr.Full, Clip: 1}},
		{"no key", "", 0, ivr.Gather{Max: 1, First: time.Second}, ivr.Input{Why: ivr.Timeout, Clip: 1}},
		{"number with hash", "123#", time.Second, ivr.Gather{Max: 7, Ends: "#*", First: time.Second},
			ivr.Input{Keys: "123", End: "#", Why: ivr.EndKey, At: time.Second}},
		{"number that stops", "12", time.Second, ivr.Gather{Max: 7, Ends: "#*", First: time.Second},
			ivr.Input{Keys: "12", Why: ivr.Timeout, At: time.Second}},
		{"single", "*", time.Second, ivr.Gather{Max: 7, Single: "*0", First: time.Second},
			ivr.Input{Keys: "*", Why: ivr.Full, At: time.Second}},
		{"a hash that trails", "12#", 500 * time.Millisecond, ivr.Gather{Max: 2, Ends: "#*", Trail: 700 * time.Millisecond, First: time.Second},
			ivr.Input{Keys: "12", End: "#", Why: ivr.EndKey, At: 500 * time.Millisecond}},
		{"no hash trails", "12", 800 * time.Millisecond, ivr.Gather{Max: 2, Ends: "#*", Trail: 700 * time.Millisecond, First: time.Second},
			ivr.Input{Keys: "12", Why: ivr.Full, At: 800 * time.Millisecond}},
		{"another key ends the trail", "123", 500 * time.Millisecond, ivr.Gather{Max: 2, Ends: "#*", Trail: 700 * time.Millisecond, First: time.Second},
			ivr.Input{Keys: "12", Why: ivr.Full, At: 500 * time.Millisecond}},
		{"only play", "1", time.Second, ivr.Gather{}, ivr.Input{Why: ivr.Played, Clip: 1}},
		{"no barge-in", "1", time.Second, ivr.Gather{Max: 1, NoBargeIn: true}, ivr.Input{Keys: "1", Why: ivr.Full, Clip: 1}},
		{"noise is no key", "x\n1", 400 * time.Millisecond, ivr.Gather{Max: 1, First: time.Second},
			ivr.Input{Keys: "1", Why: ivr.Full, At: 1200 * time.Millisecond}},
	} {
		t.Run(c.name, func(t *testing.T) {
			call(t, Options{}, c.keys, c.every, func(ctx context.Context, l ivr.Line) error {
				c.gather.Play = []prompts.Clip{hello}
				got, err := l.Gather(ctx, c.gather)
				if got != c.want {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				return err
			})
		})
	}
}

func TestTypeAheadIsKeptAndFlushed(t *testing.T) {
	call(t, Options{}, "12", 100*time.Millisecond, func(ctx context.Context, l ivr.Line) error {
		if _, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{hello}}); err != nil {
			return err
		}
		in, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{hello}, Max: 1})
		if in.Keys != "1" {
			t.Errorf("the first key is %q", in.Keys)
		}
		l.Flush()
		if in, _ := l.Gather(ctx, ivr.Gather{Max: 1, First: time.Second}); in.Keys != "" {
			t.Errorf("%q was not flushed", in.Keys)
		}
		return err
	})
}

func TestHangUp(t *testing.T) {
	for name, keys := range map[string]string{"h": "h", "the end of the keys": ""} {
		t.Run(name, func(t *testing.T) {
			var in io.Reader = strings.NewReader(keys)
			err := Run(t.Context(), Options{In: in, Out: io.Discard}, func(ctx context.Context, l ivr.Line) error {
				_, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{{Duration: time.Hour}}})
				return err
			})
			if !errors.Is(err, ivr.ErrHangup) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTranscript(t *testing.T) {
	out := call(t, Options{}, "", 0, func(ctx context.Context, l ivr.Line) error {
		_, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{
			hello, {File: "x.wav", Duration: 9 * time.Second, Offset: 4 * time.Second, Pause: time.Second}, hello,
		}})
		return errors.Join(err, l.Hangup(ctx))
	})
	want := " 0:00.0  Hello there.\n 0:02.0  (a recording of 9s, from 4s)\n 0:08.0  Hello there.\n 0:10.0  (Hark hung up)\n"
	if out != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

func TestSpeed(t *testing.T) {
	call(t, Options{Speed: 10}, "", 0, func(ctx context.Context, l ivr.Line) error {
		began := time.Now()
		_, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{hello}})
		if took := time.Since(began); took != 200*time.Millisecond {
			t.Errorf("two seconds took %s", took)
		}
		return err
	})
}

func TestRecord(t *testing.T) {
	speech := filepath.Join(t.TempDir(), "speech.wav")
	if err := wav.Write(speech, wav.Sound{Rate: rate, Samples: []int16{7: 99, 3*rate - 1: 1}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		speech string
		keys   string
		every  time.Duration
		want   ivr.Recorded
	}{
		{"ended by hash", "", "5#", 2 * time.Second, ivr.Recorded{Duration: 4 * time.Second, Key: "#", Why: ivr.EndKey}},
		{"ended by silence", speech, "", 0, ivr.Recorded{Duration: 7 * time.Second, Why: ivr.Silence}},
		{"limit", "", "", 0, ivr.Recorded{Duration: 10 * time.Second, Why: ivr.Limit}},
	} {
		t.Run(c.name, func(t *testing.T) {
			call(t, Options{Speech: c.speech, Dir: t.TempDir()}, c.keys, c.every, func(ctx context.Context, l ivr.Line) error {
				got, err := l.Record(ctx, ivr.Record{Max: 10 * time.Second, Silence: 4 * time.Second, Ends: "#"})
				sound, rerr := wav.Read(got.File)
				if sound.Duration() != got.Duration {
					t.Errorf("the file lasts %s, the recording %s", sound.Duration(), got.Duration)
				}
				if c.speech != "" && sound.Samples[7] != 99 {
					t.Error("the speech is not in the recording")
				}
				rerr = errors.Join(rerr, os.Remove(got.File))
				got.File = ""
				if got != c.want {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				return errors.Join(err, rerr)
			})
		})
	}
}

func TestHangUpInARecording(t *testing.T) {
	call(t, Options{Dir: t.TempDir()}, "h", 3*time.Second, func(ctx context.Context, l ivr.Line) error {
		got, err := l.Record(ctx, ivr.Record{Max: time.Minute})
		if !errors.Is(err, ivr.ErrHangup) || got.Why != ivr.HungUp || got.Duration != 3*time.Second {
			t.Errorf("got %+v, %v", got, err)
		}
		return os.Remove(got.File)
	})
}

// TestPlayer has a real program play, which a key stops.
func TestPlayer(t *testing.T) {
	in, press, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer press.Close()
	file := filepath.Join(t.TempDir(), "long.wav")
	if err := wav.Write(file, wav.Sound{Rate: rate, Samples: make([]int16, 30*rate)}); err != nil {
		t.Fatal(err)
	}
	played := filepath.Join(t.TempDir(), "played")
	o := Options{In: in, Out: io.Discard, Player: []string{"sh", "-c", `cp "$0" "` + played + `"; exec sleep 60`}}
	err = Run(t.Context(), o, func(ctx context.Context, l ivr.Line) error {
		go func() {
			for range 1000 { // until the player has begun
				if info, err := os.Stat(played); err == nil && info.Size() > 0 {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			_, _ = press.WriteString("1")
		}()
		clip := prompts.Clip{File: file, Duration: 30 * time.Second, Offset: 20 * time.Second}
		got, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{clip}, Max: 1, First: time.Minute})
		if got.Keys != "1" || got.At < clip.Offset || got.At > 25*time.Second {
			t.Errorf("got %+v", got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	rest, err := wav.Read(played)
	if err != nil || rest.Duration() != 10*time.Second {
		t.Errorf("the player got %s of sound: %v", rest.Duration(), err)
	}
}

// TestNoSpeech names a file to speak that is not there: that is told before the call, not in the middle of it.
func TestNoSpeech(t *testing.T) {
	err := Run(t.Context(), Options{In: strings.NewReader(""), Out: io.Discard, Speech: "no/such.wav"}, func(context.Context, ivr.Line) error {
		t.Error("there is a call")
		return nil
	})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
