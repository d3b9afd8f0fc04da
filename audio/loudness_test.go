package audio

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
)

// speech is a spoken sentence at 8 kHz.
func speech(t testing.TB) pcm {
	t.Helper()
	tool, err := exec.LookPath("flite")
	if err != nil {
		t.Skip("flite is missing: apt-get install flite")
	}
	out := filepath.Join(t.TempDir(), "speech.wav")
	const text = "Hello Ben. I am on the train, and I will be at the station at a quarter past nine. Please bring the blue bag."
	if msg, err := exec.CommandContext(t.Context(), tool, "-t", text, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("flite: %v: %s", err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := decodeWAV(b)
	if err != nil {
		t.Fatal(err)
	}
	return resample(p, 8000)
}

// meter is what ffmpeg's EBU R128 meter says.
func meter(t *testing.T, p pcm) (loudness, peak float64) {
	t.Helper()
	tool, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is missing: apt-get install ffmpeg")
	}
	in := filepath.Join(t.TempDir(), "in.wav")
	if err := os.WriteFile(in, encodeWAV(p), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool, "-nostats", "-i", in, "-af", "ebur128=peak=true", "-f", "null", "-").CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	number := func(pattern string) float64 {
		all := regexp.MustCompile(pattern).FindAllSubmatch(out, -1)
		if all == nil {
			t.Fatalf("no %s in %s", pattern, out)
		}
		v, err := strconv.ParseFloat(string(all[len(all)-1][1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return number(`I: +(\S+) LUFS`), number(`Peak: +(\S+) dBFS`)
}

func gain(p pcm, db float64) pcm {
	out := slices.Clone(p.samples)
	for i, v := range out {
		out[i] = clip(float32(v) * float32(ratio(db)))
	}
	return pcm{p.rate, out}
}

func TestLoudnessAgreesWithFFmpeg(t *testing.T) {
	in := speech(t)
	for _, db := range []float64{0, -20} {
		p := gain(in, db)
		want, wantPeak := meter(t, p)
		got, peak := loudness(p), decibel(truePeak(p.samples))
		t.Logf("ours %.2f LUFS %.2f dBTP, ffmpeg %.2f and %.2f", got, peak, want, wantPeak)
		if math.Abs(got-want) > 0.5 || math.Abs(peak-wantPeak) > 0.5 {
			t.Errorf("ours %.2f LUFS %.2f dBTP, ffmpeg %.2f and %.2f", got, peak, want, wantPeak)
		}
	}
}

// Filters that begin in the middle, two at a time, measure what one does that hears everything: it forgets fast.
func TestStepEnergies(t *testing.T) {
	const steps = 41
	p := tone(45, 8000, steps*time.Second/10) // near the high-pass, which remembers longest
	var want []float64
	one := newKWeight(p.rate)
	for n := range steps {
		want = append(want, one.energy(p.step(n)))
	}
	for _, part := range []struct{ from, to int }{{0, steps}, {0, 20}, {20, steps}, {40, steps}, {1, 3}} {
		got := make([]float64, part.to-part.from)
		p.stepEnergies(got, part.from)
		for i, e := range got {
			if w := want[part.from+i]; math.Abs(e-w) > 1e-9*w {
				t.Errorf("steps %d to %d: %d is %v, not %v", part.from, part.to, part.from+i, e, w)
			}
		}
	}
}

func TestNormalise(t *testing.T) {
	in := speech(t)
	for _, db := range []float64{6, 0, -12, -18} {
		got, peak := meter(t, normalise(gain(in, db)))
		t.Logf("from %+.0f dB: %.2f LUFS, %.2f dBTP", db, got, peak)
		if math.Abs(got-targetLoudness) > 1 {
			t.Errorf("from %+.0f dB: %.2f LUFS", db, got)
		}
		if peak > maxTruePeak {
			t.Errorf("from %+.0f dB: a true peak of %.2f", db, peak)
		}
	}
}

// TestNormaliseKeepsQuiet: silence stays silence, and noise is not raised to speech.
func TestNormaliseKeepsQuiet(t *testing.T) {
	silent := pcm{8000, make([]int16, 8000)}
	if out := normalise(silent); rms(out.samples) != 0 {
		t.Errorf("silence became %f", rms(out.samples))
	}
	faint := gain(tone(440, 8000, time.Second), -50)
	before, after := decibel(rms(faint.samples)), decibel(rms(normalise(faint).samples))
	if after-before > maxGain+0.1 {
		t.Errorf("it was raised by %.1f dB", after-before)
	}
}

func TestLimiter(t *testing.T) {
	p := tone(300, 8000, 2*time.Second)
	for i := 8000; i < 8040; i++ {
		p.samples[i] = int16(4 * int(p.samples[i])) // a click, 12 dB above
	}
	click := 8000
	for _, i := range []int{0, 200, 8500, len(p.samples) - 1} { // at the ends, and near another
		p.samples[i] = 20000
	}
	want := slices.Clone(p.samples)
	amplify(want, 2)
	amplifyLimited(p.samples, 2, 8000)
	ceiling := ratio(maxTruePeak-peakMargin) * 32768
	for i, v := range p.samples {
		if float64(abs(v)) > ceiling+1 {
			t.Fatalf("sample %d is %d, the ceiling %.0f", i, v, ceiling)
		}
		far := i > 400 && i < click-200 || i > 8700 && i < len(p.samples)-200
		if far && v != want[i] {
			t.Fatalf("sample %d, far from the clicks, is %d, not %d", i, v, want[i])
		}
	}
}

func TestSlidingMin(t *testing.T) {
	in := []float32{5, 4, 6, 7, 1, 8, 9, 9, 9, 2}
	want := []float32{4, 4, 1, 1, 1, 1, 1, 2, 2, 2}
	if got := slidingMin(in, 2); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTrim(t *testing.T) {
	quiet := make([]int16, 8000)
	sound := tone(440, 8000, time.Second).samples
	p := pcm{8000, slices.Concat(quiet, sound, quiet, quiet)}
	got := trim(p).duration()
	if want := time.Second + padBefore + padAfter; (got - want).Abs() > 20*time.Millisecond {
		t.Errorf("%v are left, want %v", got, want)
	}
	if got := trim(pcm{8000, sound}); len(got.samples) != len(sound) {
		t.Errorf("%d samples of sound became %d", len(sound), len(got.samples))
	}
	if got := trim(pcm{8000, quiet}); len(got.samples) != len(quiet) {
		t.Errorf("silence of %d samples became %d", len(quiet), len(got.samples))
	}
}

func keyTone(low, high float64, d time.Duration) []int16 {
	a, b := tone(low, 8000, d), tone(high, 8000, d)
	for i := range a.samples {
		a.samples[i] += b.samples[i]
	}
	return a.samples
}

func TestCutKeyTone(t *testing.T) {
	voice := speech(t)
	quiet := make([]int16, 800)
	hash := keyTone(941, 1477, 100*time.Millisecond)
	for _, c := range []struct {
		name string
		tail []int16
		cut  bool
	}{
		{"nothing", nil, false},
		{"silence", quiet, false},
		{"a key", hash, true},
		{"a key and silence", slices.Concat(hash, quiet), true},
		{"a key long ago", slices.Concat(hash, make([]int16, 8000)), false},
		{"30 ms of a key", hash[:240], false},
		{"a whistle", tone(1477, 8000, 200*time.Millisecond).samples, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cutKeyTone(pcm{8000, slices.Concat(voice.samples, c.tail)})
			left := len(got.samples) - len(voice.samples)
			if !c.cut && left != len(c.tail) {
				t.Errorf("%d samples of %d are left", left, len(c.tail))
			}
			if c.cut && (left > 100 || left < -300) {
				t.Errorf("%d samples are left after the voice", left)
			}
		})
	}
}

func TestResample(t *testing.T) {
	for _, to := range []int{8000, 12000, 16000, 44100} {
		for _, from := range []int{8000, 16000, 48000} {
			in := tone(1000, from, time.Second)
			out := resample(in, to)
			if out.rate != to || math.Abs(frequency(out)-1000) > 0.5 || (out.duration()-time.Second).Abs() > time.Millisecond {
				t.Errorf("%d → %d: %v at %d Hz, %.2f Hz", from, to, out.duration(), out.rate, frequency(out))
			}
			if r := rms(out.samples) / rms(in.samples); r < 0.99 || r > 1.01 {
				t.Errorf("%d → %d: the level changed by %.3f", from, to, r)
			}
		}
	}
	// What is above half the new rate must not come back as something else.
	if alias := rms(resample(tone(6000, 16000, time.Second), 8000).samples[100:7900]); alias > 1 {
		t.Errorf("6 kHz at 16 kHz leave %.1f at 8 kHz", alias)
	}
}
