package opus_test

import (
	"errors"
	"math"
	"testing"

	"hark/audio/opus"
)

func TestRoundTrip(t *testing.T) {
	enc, err := opus.NewEncoder(8000, 16000)
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	dec, err := opus.NewDecoder(8000)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	var out []int16
	for f := range 50 {
		packet, err := enc.Encode(tone(f*160, 160))
		if err != nil {
			t.Fatal(err)
		}
		if out, err = dec.Append(out, packet); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) != 8000 {
		t.Errorf("%d samples came back, want 8000", len(out))
	}
	if r := rms(out[2000:]) / rms(tone(0, 8000)); r < 0.8 || r > 1.25 {
		t.Errorf("the level changed by a factor of %.2f", r)
	}
	if n, err := enc.Lookahead(); err != nil || n <= 0 || n > 160 {
		t.Errorf("Lookahead() = %d, %v", n, err)
	}
}

func TestRefuses(t *testing.T) {
	if _, err := opus.NewEncoder(44100, 16000); err == nil {
		t.Error("an encoder at 44.1 kHz")
	}
	if _, err := opus.NewDecoder(44100); err == nil {
		t.Error("a decoder at 44.1 kHz")
	}
	enc, err := opus.NewEncoder(8000, 16000)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 161} {
		if _, err := enc.Encode(make([]int16, n)); !errors.Is(err, opus.ErrFrame) {
			t.Errorf("a frame of %d samples: %v", n, err)
		}
	}
	enc.Close()
	if _, err := enc.Encode(make([]int16, 160)); !errors.Is(err, opus.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, packet []byte) {
		dec, err := opus.NewDecoder(8000)
		if err != nil {
			t.Fatal(err)
		}
		defer dec.Close()
		if out, _ := dec.Append(nil, packet); len(out) > 960 {
			t.Errorf("one packet gave %d samples, more than 120 ms", len(out))
		}
	})
}

func tone(from, n int) []int16 {
	s := make([]int16, n)
	for i := range s {
		s[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(from+i)/8000))
	}
	return s
}

func rms(s []int16) float64 {
	var sum float64
	for _, v := range s {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(s)))
}
