package prompts

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSanitise(t *testing.T) {
	for in, want := range map[string]string{
		"  two\r\n\twords \x00\x1b[31m": "two words [31m",
		"a\u200bb\u202ec":               "abc",
		"bad\xff\xfebytes":              "bad bytes",
		"":                              "",
	} {
		if got := sanitise(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	long := sanitise(strings.Repeat("é is here. ", 1000))
	if n := utf8.RuneCountInString(long); n > MaxText || n < MaxText-20 || !strings.HasSuffix(long, "here.") {
		t.Errorf("%d characters, ending %q", n, long[len(long)-10:])
	}
}

func TestPieces(t *testing.T) {
	for _, text := range []string{
		strings.TrimSpace(strings.Repeat("One sentence. Another? ", 60)),
		strings.TrimSpace(strings.Repeat("words without an end ", 60)),
		strings.Repeat("x", 1200),
		strings.Repeat("é", 1200),
		"short",
	} {
		got := pieces(text)
		for _, p := range got {
			if n := utf8.RuneCountInString(p); n > maxPiece || n == 0 || !utf8.ValidString(p) {
				t.Errorf("a piece of %d characters", n)
			}
		}
		if joined := strings.ReplaceAll(strings.Join(got, ""), " ", ""); joined != strings.ReplaceAll(text, " ", "") {
			t.Errorf("%.20q lost something", text)
		}
	}
}

func TestPlainASCII(t *testing.T) {
	for in, want := range map[string]string{
		"Zoë’s “café” – 5 € …": `Zoe's "cafe" - 5  euro  ...`, "Straße Łódź": "Strasse Lodz", "東京": "  ", "ﬁne": "fine",
	} {
		if got := plainASCII(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzSanitise(f *testing.F) {
	f.Add("Hello.\x00 \xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := sanitise(s)
		if again := sanitise(got); again != got {
			t.Errorf("%q became %q, then %q", s, got, again)
		}
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\n\x1b") || utf8.RuneCountInString(got) > MaxText {
			t.Errorf("%q is not clean", got)
		}
		for _, p := range pieces(got) {
			if p == "" || utf8.RuneCountInString(p) > maxPiece {
				t.Errorf("piece %q", p)
			}
		}
	})
}
