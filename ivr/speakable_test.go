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

// wordsIn is the wording of a language's catalogue.
func wordsIn(t testing.TB, lang string) wording {
	t.Helper()
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	return func(id string, pairs ...any) string {
		text, err := book.Text(lang, id, say(id, pairs...).args)
		if err != nil {
			t.Error(err)
		}
		return text
	}
}

// TestSpeakable reads testdata/speakable.LANGUAGE.txt: a written line, a tab, the line as it is spoken. \n stands for a new
// line.
func TestSpeakable(t *testing.T) {
	for lang, least := range map[string]int{"en": 300, "de": 150} {
		if cases := speakableFile(t, "testdata/speakable."+lang+".txt", lang); cases < least {
			t.Errorf("only %d cases in %s", cases, lang)
		}
	}
}

func speakableFile(t *testing.T, file, lang string) (cases int) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	words := wordsIn(t, lang)
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		written, want, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("%s:%d has no tab", file, i+1)
		}
		cases++
		if got := speakable(strings.ReplaceAll(written, `\n`, "\n"), lang, words); got != want {
			t.Errorf("%s:%d: %q\n is %q\nnot %q", file, i+1, written, got, want)
		}
	}
	return cases
}

// FuzzSpeakable makes sure that whatever a stranger writes becomes one line that can be said.
func FuzzSpeakable(f *testing.F) {
	for _, s := range []string{
		"Hello", "https://a.b/c", "```x", "`", "😂😂", "+49 30 123456", "a@b.c", "\x00\xff\u202e", "*_~>#", "www..", "1, 2, 3,",
	} {
		f.Add(s)
	}
	words := wordsIn(f, "en")
	f.Fuzz(func(t *testing.T, text string) {
		out := speakable(text, "en", words)
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
	words := wordsIn(t, "en")
	took := func(s string, size int) time.Duration {
		text := strings.Repeat(s, size/len(s))
		began := time.Now()
		sentences(speakable(text, "de", words))
		return time.Since(began)
	}
	for _, s := range []string{"`", "```", "😂", "*a*", "1", "1 ", "a@", "www.", "http://", ", ", "\n> ", ")", "😂 ", "a.b@c.", "€1", "1€", ":) ", "- ", "<b ", "[a](http://", "1:00 ", "etc. ", "½1", ", !", "1) ", "\u200d", "🇩"} {
		var small, large time.Duration
		for range 5 { // a machine with other things to do gets several chances; what is quadratic takes 256 times as long in all
			small, large = max(took(s, im.MaxBody/16), took(s, im.MaxBody/16)), took(s, im.MaxBody)
			if large <= 80*small+200*time.Millisecond {
				break
			}
		}
		if large > 80*small+200*time.Millisecond {
			t.Errorf("%q: %s for %d bytes, %s for %d", s, small, im.MaxBody/16, large, im.MaxBody)
		}
	}
}
