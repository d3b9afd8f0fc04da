package wav

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestWriteThenRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wav")
	want := Sound{Rate: 8000, Samples: []int16{0, 1, -1, 32767, -32768}}
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil || got.Rate != want.Rate || !slices.Equal(got.Samples, want.Samples) {
		t.Fatalf("read %v, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	info, err := os.Stat(path)
	if err != nil || FileDuration(info.Size(), 8000) != got.Duration() {
		t.Errorf("duration by size %v, by content %v", FileDuration(info.Size(), 8000), got.Duration())
	}
}

func TestWriteIntoNothing(t *testing.T) {
	if err := Write(filepath.Join(t.TempDir(), "none", "a.wav"), Sound{Rate: 8000}); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}

func TestDecode(t *testing.T) {
	good := Encode(Sound{Rate: 8000, Samples: make([]int16, 8)})
	change := func(at int, v ...byte) []byte {
		b := slices.Clone(good)
		copy(b[at:], v)
		return b
	}
	tests := []struct {
		name    string
		in      []byte
		samples int
		bad     bool
	}{
		{"plain", good, 8, false},
		{"length unknown", change(40, 0xff, 0xff, 0xff, 0xff), 8, false},
		{"cut off", good[:len(good)-5], 5, false},
		{"two channels", change(22, 2), 4, false},
		{"empty", nil, 0, true},
		{"no data chunk", good[:36], 0, true},
		{"eight bit", change(34, 8), 0, true},
		{"a-law", change(20, 6), 0, true},
		{"no rate", change(24, 0, 0), 0, true},
		{"no format chunk", change(12, 'L'), 0, true},
	}
	for _, tt := range tests {
		s, err := Decode(tt.in)
		if (err != nil) != tt.bad || (err != nil && !errors.Is(err, ErrFormat)) || len(s.Samples) != tt.samples {
			t.Errorf("%s: %d samples, %v", tt.name, len(s.Samples), err)
		}
	}
}

func TestDuration(t *testing.T) {
	if d := (Sound{Rate: 8000, Samples: make([]int16, 4000)}).Duration(); d != 500*time.Millisecond {
		t.Error(d)
	}
	if d := (Sound{}).Duration(); d != 0 {
		t.Error(d)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(Sound{Rate: 8000, Samples: []int16{1, 2, 3}}))
	f.Add([]byte("RIFF00000000fmt 00000000000000000000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(Encode(s))
		if err != nil || again.Rate != s.Rate || !slices.Equal(again.Samples, s.Samples) {
			t.Errorf("%v became %v, %v", s, again, err)
		}
	})
}

// TestBrokeOff: no whole recording, however long, is taken for one that broke off; one that fills a disk is.
func TestBrokeOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wav")
	for ms := range 2000 {
		if err := os.WriteFile(path, make([]byte, 44+16*ms), 0o600); err != nil {
			t.Fatal(err)
		}
		if BrokeOff(path) {
			t.Errorf("%d ms are taken for a part", ms)
		}
	}
	if err := os.Truncate(path, 64<<10); err != nil || !BrokeOff(path) {
		t.Error("a full disk is not noticed", err)
	}
}
