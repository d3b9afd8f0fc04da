package audio

import (
	"math"
	"math/cmplx"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestNoWorseThanTheTools compares our forms of recorded speech with those that the lame and opusenc command lines make
// at the same bit rate, each decoded by ffmpeg, by their spectral distance from the master.
func TestNoWorseThanTheTools(t *testing.T) {
	master := normalise(longSpeech(t, 12*time.Second))
	dir := t.TempDir()
	in := filepath.Join(dir, "in.wav")
	if err := os.WriteFile(in, encodeWAV(master), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		form Form
		tool []string
	}{
		{MP3, []string{"lame", "--quiet", "--resample", "16", "-b", "32", "-m", "m", in}},
		{Ogg, []string{"opusenc", "--quiet", "--speech", "--bitrate", "16", in}},
	} {
		t.Run(string(c.form), func(t *testing.T) {
			b, err := c.form.encode(t.Context(), master, tags{})
			if err != nil {
				t.Fatal(err)
			}
			ours, theirs := filepath.Join(dir, "ours."+string(c.form)), filepath.Join(dir, "theirs."+string(c.form))
			if err := os.WriteFile(ours, b, 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, c.tool[0], append(c.tool[1:], theirs)...)
			st, err := os.Stat(theirs)
			if err != nil {
				t.Fatal(err)
			}
			d, theirD := distance(t, master, ours), distance(t, master, theirs)
			t.Logf("ours %.2f dB in %d bytes, %s %.2f dB in %d bytes", d, len(b), c.tool[0], theirD, st.Size())
			if d > theirD+0.1 || float64(len(b)) > 1.15*float64(st.Size()) {
				t.Errorf("ours %.2f dB in %d bytes, %s %.2f dB in %d bytes", d, len(b), c.tool[0], theirD, st.Size())
			}
		})
	}
}

func run(t *testing.T, tool string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Skipf("%s is missing: scripts/deps.sh tests installs it", tool)
	}
	if msg, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", tool, err, msg)
	}
}

// distance is the log-spectral distance in dB between the master and a file, over the telephone band, after they were
// brought into step.
func distance(t *testing.T, master pcm, file string) float64 {
	t.Helper()
	out := file + ".wav"
	run(t, "ffmpeg", "-v", "error", "-i", file, "-ar", "8000", out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := decodeWAV(b)
	if err != nil {
		t.Fatal(err)
	}
	const size = 256
	shift := lag(master.samples, p.samples)
	sum, n := 0.0, 0
	for at := 1000; at+size+1000 < min(len(master.samples), len(p.samples)); at += size / 2 {
		frame := master.samples[at : at+size]
		if rms(frame) < 300 {
			continue // silence
		}
		a, b := spectrum(frame), spectrum(p.samples[at+shift:at+shift+size])
		d := 0.0
		for k := 7; k < 109; k++ { // 200 to 3400 Hz
			db := 10 * math.Log10((a[k]+1000)/(b[k]+1000))
			d += db * db
		}
		sum += math.Sqrt(d / 102)
		n++
	}
	return sum / float64(n)
}

// lag finds by how many samples b is behind a.
func lag(a, b []int16) (best int) {
	most := math.Inf(-1)
	for shift := -900; shift <= 900; shift++ {
		sum := 0.0
		for i := 8000; i < 24000; i += 2 {
			sum += float64(a[i]) * float64(b[i+shift])
		}
		if sum > most {
			best, most = shift, sum
		}
	}
	return best
}

// spectrum is the power at each of the frame's frequencies, with a Hann window.
func spectrum(frame []int16) []float64 {
	x := make([]complex128, len(frame))
	for i, v := range frame {
		x[i] = complex(float64(v)*(0.5-0.5*math.Cos(2*math.Pi*float64(i)/float64(len(frame)))), 0)
	}
	x = fft(x)
	power := make([]float64, len(x)/2)
	for k := range power {
		power[k] = real(x[k])*real(x[k]) + imag(x[k])*imag(x[k])
	}
	return power
}

// fft is the plain recursive one; the length is a power of two.
func fft(x []complex128) []complex128 {
	n := len(x)
	if n == 1 {
		return x
	}
	even, odd := make([]complex128, n/2), make([]complex128, n/2)
	for i := range even {
		even[i], odd[i] = x[2*i], x[2*i+1]
	}
	even, odd = fft(even), fft(odd)
	out := make([]complex128, n)
	for k := range even {
		w := cmplx.Rect(1, -2*math.Pi*float64(k)/float64(n)) * odd[k]
		out[k], out[k+n/2] = even[k]+w, even[k]-w
	}
	return out
}
