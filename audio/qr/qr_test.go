package qr_test

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hark/audio/qr"
)

// TestScanned draws codes of all versions and reads them with zbar.
func TestScanned(t *testing.T) {
	tool, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is missing: apt-get install zbar-tools")
	}
	long := strings.Repeat("https://im.example.org/a/0123456789", 7)
	for _, n := range []int{1, 14, 15, 26, 42, 61, 62, 84, 106, 122, 152, 180, 213} {
		code, err := qr.Encode(long[:n])
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "code.png")
		draw(t, code, file)
		out, err := exec.CommandContext(t.Context(), tool, "--quiet", "--raw", file).Output()
		if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != long[:n] {
			t.Errorf("%d bytes, %d modules: %q, %v", n, code.Size, got, err)
		}
	}
}

func draw(t *testing.T, c *qr.Code, file string) {
	t.Helper()
	const scale, quiet = 4, 4
	side := (c.Size + 2*quiet) * scale
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !c.Dark(x/scale-quiet, y/scale-quiet) {
				img.Set(x, y, color.White)
			}
		}
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func TestSmallestVersion(t *testing.T) {
	for n, size := range map[int]int{0: 21, 14: 21, 15: 25, 62: 33, 63: 37, 213: 57} {
		if c, err := qr.Encode(strings.Repeat("x", n)); err != nil || c.Size != size {
			t.Errorf("%d bytes: %v, %v; want %d modules", n, c, err, size)
		}
	}
	if _, err := qr.Encode(strings.Repeat("x", 214)); !errors.Is(err, qr.ErrTooLong) {
		t.Errorf("214 bytes: %v", err)
	}
}

// TestPath: the path covers the dark modules and no others.
func TestPath(t *testing.T) {
	c, err := qr.Encode("x")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(c.Path(), "M0 0h7v1h-7z") {
		t.Errorf("the path begins with %.30s", c.Path())
	}
	if c.Dark(-1, 0) || c.Dark(0, c.Size) || !c.Dark(0, 0) || c.Dark(7, 7) {
		t.Error("Dark is wrong at the corners")
	}
}
