package sipphone

import (
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/internal/wav"
)

// sentences are prompts as Hark speaks them, some of which differ in one word only.
var sentences = []string{
	"Enter your user number, then hash. If you have a session number, press star first.",
	"Enter your session number, then hash.",
	"Enter your PIN.",
	"Welcome back, Ana. Enter your PIN to go on where you stopped, or press star.",
	"I cannot check that.",
	"You have no new messages.",
	"You have one new message.",
	"You have two new messages.",
	"You have three new messages.",
	"You have four new messages.",
	"You have five new messages from Ben.",
	"You have five new messages from Carla.",
	"Ben, two minutes ago.",
	"Ben, three minutes ago.",
	"Ben is online.",
	"Ana is online.",
	"To hear messages, press 1.",
	"To send a message, press 2.",
	"To hear who is online, press 3.",
	"For something else, press 4.",
	"To send, press 1.",
	"To hear it, press 2.",
	"To record again, press 3.",
	"Speak after the tone, then press hash. It is sent as a recording.",
	"That was the last one.",
	"That was too short.",
	"Your place is kept. Session four seven one, nine zero two, three eight four.",
	"Your place is kept. Session four seven one, nine zero two, three eight five.",
	"Not used here.",
	"Goodbye.",
}

// speech renders every sentence with flite, once. It needs flite and sox (apt install flite sox).
var speech = sync.OnceValues(func() ([][]int16, error) {
	var clips [][]int16
	for _, s := range sentences {
		clip, err := render(s)
		if err != nil {
			return nil, err
		}
		clips = append(clips, clip)
	}
	return clips, nil
})

func render(text string) ([]int16, error) {
	raw := exec.Command("flite", "-voice", "slt", "-t", text, "-o", "/dev/fd/3")
	dir, err := exec.Command("mktemp", "-d").Output()
	if err != nil {
		return nil, err
	}
	folder := strings.TrimSpace(string(dir))
	defer exec.Command("rm", "-r", folder).Run()
	wide, narrow := filepath.Join(folder, "wide.wav"), filepath.Join(folder, "narrow.wav")
	raw.Args[len(raw.Args)-1] = wide
	if err := raw.Run(); err != nil {
		return nil, err
	}
	if err := exec.Command("sox", wide, "-r", "8000", narrow, "gain", "-3").Run(); err != nil {
		return nil, err
	}
	return readClip(narrow)
}

func clips(t *testing.T) [][]int16 {
	t.Helper()
	c, err := speech()
	if err != nil {
		t.Fatalf("flite and sox are needed (apt install flite sox): %v", err)
	}
	return c
}

// line is how a clip arrives: through a codec, at another level, with noise around it.
func line(clip []int16, l law, gain float64, before int) []int16 {
	noise := rand.New(rand.NewPCG(1, 2))
	out := make([]int16, before+len(clip)+Rate/2)
	for i := range out {
		v := noise.NormFloat64() * 20
		if i >= before && i < before+len(clip) {
			v += float64(clip[i-before]) * gain
		}
		out[i] = l.decoded[l.encode1(int16(max(math.MinInt16, min(math.MaxInt16, v))))]
	}
	return out
}

// TestMatrix looks for each of the thirty sentences in each of them, both in the way WaitHear does and whole.
func TestMatrix(t *testing.T) {
	all := clips(t)
	part := int(firstPart * Rate / time.Second)
	worst, best, bestAt := 1.0, 0.0, ""
	for i, clip := range all {
		m := NewMatcher(clip)
		first := NewMatcher(m.clip[:min(part, len(m.clip))])
		for j, heard := range all {
			at, score := m.Best(line(heard, muLaw, 0.4, 3000))
			if i == j {
				worst = min(worst, score)
				if at < 2999 || at > 3001 {
					t.Errorf("%q found at %d", sentences[i], at)
				}
				if _, s := first.Best(line(heard, aLaw, 1.3, 777)); s < MatchScore {
					t.Errorf("the beginning of %q: %.3f", sentences[i], s)
				}
				continue
			}
			if score > best {
				best, bestAt = score, sentences[i]+" in "+sentences[j]
			}
			if _, s := first.Best(line(heard, muLaw, 0.4, 3000)); s >= 0.7 && len(m.clip) <= part {
				t.Errorf("%q in %q: %.3f", sentences[i], sentences[j], s)
			}
		}
	}
	t.Logf("lowest true score %.3f, highest false score %.3f (%s)", worst, best, bestAt)
	if worst < 0.9 || best > 0.6 {
		t.Errorf("lowest true score %.3f, highest false score %.3f (%s)", worst, best, bestAt)
	}
}

func TestFirstFindsTheEarliest(t *testing.T) {
	all := clips(t)
	heard := append(line(all[4], muLaw, 1, Rate), line(all[2], muLaw, 0.2, 40000)...)
	heard = append(heard, line(all[2], muLaw, 1, 100)...)
	where, score, ok := NewMatcher(all[2]).First(heard, MatchScore)
	if want := Rate + len(all[4]) + Rate/2 + 40000; !ok || where < want-1 || where > want+1 {
		t.Errorf("at %d (%.3f, %v), want %d", where, score, ok, want)
	}
	if _, score, ok := NewMatcher(all[5]).First(heard, MatchScore); ok {
		t.Errorf("found what was not there: %.3f", score)
	}
}

// TestEveryCut feeds what was heard in pieces of every length, as a call does: the clip must be seen wherever a look ends.
func TestEveryCut(t *testing.T) {
	clip := clips(t)[29]
	heard := line(clip, muLaw, 0.7, 4321)
	m := NewMatcher(clip)
	for cut := 4321 + len(m.clip); cut < 4321+len(clip)+40; cut++ {
		_, _, before := m.First(heard[:cut], MatchScore)
		from := max(0, cut-m.length()+1-overlap)
		if _, _, after := m.First(heard[from:], MatchScore); !before && !after {
			t.Errorf("a cut at %d hides it", cut)
		}
	}
}

func TestMatchNothing(t *testing.T) {
	if at, score := FindClip(make([]int16, 1000), Tone(440, time.Second)); at != -1 || score != 0 {
		t.Error(at, score)
	}
	if at, score := FindClip(make([]int16, 16000), Tone(440, time.Second)); score > 0.01 {
		t.Error(at, score)
	}
	if at, score := FindClip(Tone(440, time.Second), make([]int16, 800)); at != -1 || score != 0 {
		t.Error(at, score)
	}
	if at, _ := FindClip(Tone(440, time.Second), nil); at != -1 {
		t.Error(at)
	}
}

func TestToneFrequency(t *testing.T) {
	for _, hz := range []float64{60, 425, 440.4, 850, 1000, 3333.3} {
		got, share := ToneFrequency(line(Tone(hz, time.Second), muLaw, 0.5, 0)[:Rate], Rate)
		if math.Abs(got-hz) > 0.5 || share < 0.95 {
			t.Errorf("%v Hz: %.2f (%.2f)", hz, got, share)
		}
	}
	if got, _ := ToneFrequency(Tone(440, 100*time.Millisecond), Rate); math.Abs(got-440) > 2 {
		t.Errorf("a short tone: %.2f", got)
	}
	if _, share := ToneFrequency(clips(t)[0], Rate); share > 0.6 {
		t.Errorf("speech is a tone: %.2f", share)
	}
	for _, none := range [][]int16{nil, make([]int16, 8000)} {
		if hz, share := ToneFrequency(none, Rate); hz != 0 || share != 0 {
			t.Errorf("%d samples: %v, %v", len(none), hz, share)
		}
	}
}

func TestFFT(t *testing.T) {
	f := newFFT(64)
	x := make([]complex128, 64)
	for i := range x {
		x[i] = complex(math.Cos(2*math.Pi*5*float64(i)/64), 0)
	}
	f.forward(x)
	for i, v := range x {
		want := 0.0
		if i == 5 || i == 59 {
			want = 32
		}
		if math.Abs(real(v)-want) > 1e-9 || math.Abs(imag(v)) > 1e-9 {
			t.Errorf("line %d is %v", i, v)
		}
	}
	f.inverse(x)
	if math.Abs(real(x[0])-1) > 1e-12 || math.Abs(real(x[16])) > 1e-9 {
		t.Error(x[0], x[16])
	}
}

func TestG711(t *testing.T) {
	for _, l := range []law{muLaw, aLaw} {
		for v := math.MinInt16; v <= math.MaxInt16; v++ {
			got := int(l.decoded[l.encode1(int16(v))])
			if diff := max(got-v, v-got); diff > max(16, max(v, -v)/20) {
				t.Fatalf("%s: %d became %d", lawNames[l.payload], v, got)
			}
		}
		for b := range 256 {
			if again := l.encode1(l.decoded[b]); again != byte(b) && l.decoded[again] != l.decoded[b] {
				t.Errorf("%s: %#x became %#x", lawNames[l.payload], b, again)
			}
		}
	}
	if muLaw.silence != 0xff || aLaw.silence != 0xd5 {
		t.Errorf("silence is %#x and %#x", muLaw.silence, aLaw.silence)
	}
}

func BenchmarkFirst(b *testing.B) {
	clip := Tone(440, firstPart)
	heard := make([]int16, 12800) // what one look sees: the clip's length and a little more
	m := NewMatcher(clip)
	for b.Loop() {
		m.First(heard, MatchScore)
	}
}

func writeClip(t *testing.T, clip []int16) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.wav")
	if err := wav.Write(path, wav.Sound{Rate: Rate, Samples: clip}); err != nil {
		t.Fatal(err)
	}
	return path
}
