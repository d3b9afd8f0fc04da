package ivr

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"hark/im"
	"hark/prompts"
)

// english is the wording of the English catalogue.
func english(t testing.TB) wording {
	t.Helper()
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	return func(id string, pairs ...any) string {
		text, err := book.Text("en", id, say(id, pairs...).args)
		if err != nil {
			t.Error(err)
		}
		return text
	}
}

// TestSpeakable reads testdata/speakable.txt: a written line, a tab, the line as it is spoken. \n stands for a new line.
func TestSpeakable(t *testing.T) {
	data, err := os.ReadFile("testdata/speakable.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := english(t)
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		written, want, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("line %d has no tab", i+1)
		}
		if got := speakable(strings.ReplaceAll(written, `\n`, "\n"), words); got != want {
			t.Errorf("line %d: %q\n is %q\nnot %q", i+1, written, got, want)
		}
	}
}

// FuzzSpeakable makes sure that whatever a stranger writes becomes one line that can be said.
func FuzzSpeakable(f *testing.F) {
	for _, s := range []string{
		"Hello", "https://a.b/c", "```x", "`", "😂😂", "+49 30 123456", "a@b.c", "\x00\xff\u202e", "*_~>#", "www..", "1, 2, 3,",
	} {
		f.Add(s)
	}
	words := english(f)
	f.Fuzz(func(t *testing.T, text string) {
		out := speakable(text, words)
		if !utf8.ValidString(out) {
			t.Errorf("%q is no text", out)
		}
		for _, r := range out {
			if unicode.IsControl(r) || isEmoji(r) {
				t.Errorf("%q cannot be said: %q", out, r)
			}
		}
		if joined := strings.Join(sentences(out), ""); strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(out, " ", "") {
			t.Errorf("cut up it is %q, not %q", joined, out)
		}
		for _, s := range sentences(out) {
			if len(s) > longest || s == "" || !utf8.ValidString(s) {
				t.Errorf("%q is no piece", s)
			}
		}
	})
}

func TestSentences(t *testing.T) {
	long := strings.Repeat("A sentence of some length. ", 30)
	list := sentences(long)
	for _, s := range list {
		if !strings.HasSuffix(s, ".") {
			t.Errorf("%q does not end with a sentence", s)
		}
	}
	if len(list) < 2 || strings.Join(list, " ") != strings.TrimSpace(long) {
		t.Errorf("%d pieces do not make the text", len(list))
	}
	if got := sentences(strings.Repeat("ä", 400)); len(got) != 3 {
		t.Errorf("a word without an end makes %d pieces", len(got))
	}
}

// TestSpeakableIsLinear looks that sixteen times the text takes nowhere near 256 times as long.
func TestSpeakableIsLinear(t *testing.T) {
	words := english(t)
	took := func(s string, size int) time.Duration {
		text := strings.Repeat(s, size/len(s))
		began := time.Now()
		sentences(speakable(text, words))
		return time.Since(began)
	}
	for _, s := range []string{"`", "```", "😂", "*a*", "1", "1 ", "a@", "www.", "http://", ", ", "\n> ", ")", "😂 ", "a.b@c."} {
		small, large := max(took(s, im.MaxBody/16), took(s, im.MaxBody/16)), took(s, im.MaxBody)
		if large > 80*small+200*time.Millisecond {
			t.Errorf("%q: %s for %d bytes, %s for %d", s, small, im.MaxBody/16, large, im.MaxBody)
		}
	}
}
