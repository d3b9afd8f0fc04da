package prompts

import (
	"math"
	"testing"
	"time"
)

// TestStretchKeepsThePitch plays a tone faster and slower: its length changes, its pitch does not.
func TestStretchKeepsThePitch(t *testing.T) {
	in := make([]int16, 2*Rate)
	for i := range in {
		in[i] = int16(8000 * math.Sin(2*math.Pi*220*float64(i)/Rate))
	}
	for _, speed := range []float64{0.8, 1.25, 1.5} {
		out := stretch(in, speed)
		if length := float64(len(out)) / float64(len(in)) * speed; length < 0.95 || length > 1.05 {
			t.Errorf("speed %v: %.2f of the length it should have", speed, length)
		}
		crossings := 0
		for i := 1; i < len(out); i++ {
			if (out[i-1] < 0) != (out[i] < 0) {
				crossings++
			}
		}
		if hz := float64(crossings) / 2 * Rate / float64(len(out)); math.Abs(hz-220) > 3 {
			t.Errorf("speed %v: the tone of 220 Hz has %.1f Hz", speed, hz)
		}
	}
	if got := stretch(in[:10], 1.5); len(got) != 10 {
		t.Error("a sound shorter than a piece is changed")
	}
}

// TestPace changes a rendered clip, once, and refuses what makes no sense.
func TestPace(t *testing.T) {
	s := newSpeaker(t, smallBook(t), &fakeSynth{})
	clip, err := s.SayText(t.Context(), "en", "one two three four five six")
	if err != nil {
		t.Fatal(err)
	}
	clip.Pause = time.Second
	fast, err := s.Pace(t.Context(), clip, 125)
	if err != nil || fast.File == clip.File || fast.Pause != clip.Pause || fast.Text != clip.Text {
		t.Fatalf("%+v, %v", fast, err)
	}
	if fast.Duration >= clip.Duration || fast.Duration < clip.Duration*7/10 {
		t.Errorf("%s of %s at 125 percent", fast.Duration, clip.Duration)
	}
	if again, err := s.Pace(t.Context(), clip, 125); err != nil || again != fast {
		t.Errorf("%+v, %v; was %+v", again, err, fast)
	}
	if same, err := s.Pace(t.Context(), clip, 100); err != nil || same != clip {
		t.Errorf("at its own speed it is %+v, %v", same, err)
	}
	if _, err := s.Pace(t.Context(), clip, 1000); err == nil {
		t.Error("a tenfold speed is accepted")
	}
	if _, err := s.Pace(t.Context(), Clip{File: "/nowhere.wav"}, 125); err == nil {
		t.Error("a missing file is accepted")
	}
}
