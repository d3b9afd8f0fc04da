package audio

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// lengths of the messages that the figures are about.
var lengths = []time.Duration{5 * time.Second, 60 * time.Second, 180 * time.Second}

// longSpeech repeats a sentence, with a breath between, to the length.
func longSpeech(t testing.TB, d time.Duration) pcm {
	one := speech(t)
	var p pcm
	p.rate = one.rate
	for p.duration() < d {
		p.samples = append(append(p.samples, one.samples...), make([]int16, one.rate/4)...)
	}
	p.samples = p.samples[:p.count(d)]
	return p
}

// BenchmarkPut is the time from the end of a recording to a valid link, and to all forms.
func BenchmarkPut(b *testing.B) {
	for _, d := range lengths {
		b.Run(d.String(), func(b *testing.B) {
			s := newStore(b, func(c *Config) { c.MaxBytes, c.MaxCount = 1<<40, 1<<30 })
			in := filepath.Join(b.TempDir(), "in.wav")
			if err := os.WriteFile(in, encodeWAV(longSpeech(b, d)), 0o600); err != nil {
				b.Fatal(err)
			}
			var link, all []time.Duration
			for b.Loop() {
				start := time.Now()
				rec, err := s.PutFile(b.Context(), in, Meta{Owner: "4711001"})
				if err != nil {
					b.Fatal(err)
				}
				link = append(link, time.Since(start))
				if err := s.Wait(b.Context(), rec); err != nil {
					b.Fatal(err)
				}
				all = append(all, time.Since(start))
				if err := s.Revoke(b.Context(), rec.ID); err != nil {
					b.Fatal(err)
				}
			}
			reportTimes(b, "link", link)
			reportTimes(b, "all", all)
		})
	}
}

// reportTimes reports the median, and the least: what it takes when nothing else runs on the machine.
func reportTimes(b *testing.B, name string, took []time.Duration) {
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)/2]), "ms/"+name+"-p50")
	b.ReportMetric(ms(took[0]), "ms/"+name+"-least")
}

// BenchmarkSteps shows where the time to the link goes, for 180 s.
func BenchmarkSteps(b *testing.B) {
	p := longSpeech(b, 180*time.Second)
	wav, other := encodeWAV(p), pcm{p.rate, slices.Clone(p.samples)}
	for name, f := range map[string]func(){
		"decodeWAV": func() { _, _, _ = decodeWAV(wav) },
		"trim":      func() { trim(cutKeyTone(p)) },
		"loudness":  func() { loudness(p) },
		"truePeak":  func() { truePeak(p.samples) },
		"normalise": func() { copy(other.samples, p.samples); normalise(other) },
		"encodeWAV": func() { encodeWAV(p) },
		"checkWAV":  func() { _ = checkWAV(wav, p) },
		"peaks":     func() { peaks(p.samples) },
		"resample":  func() { resample(p, 16000) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
		})
	}
}

func Example_clock() {
	fmt.Println(clock(5*time.Second), clock(179600*time.Millisecond))
	// Output: 0:05 2:59
}
