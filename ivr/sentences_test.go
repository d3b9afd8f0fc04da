package ivr

import (
	"os"
	"strings"
	"testing"
)

// keysFor are the keys that spell a text: each letter by its taps, and a hash where the next one is on the same key.
func keysFor(t *testing.T, p pad, text string) string {
	t.Helper()
	var keys strings.Builder
	last := -1
	for _, r := range text {
		key := 0
		for key < len(p) && !strings.ContainsRune(p[key], r) {
			key++
		}
		if key == len(p) {
			t.Fatalf("no key writes %q", r)
		}
		if key == last {
			keys.WriteByte('#')
		}
		taps := 1 + strings.Count(p[key][:strings.IndexRune(p[key], r)], "") - 1
		keys.WriteString(strings.Repeat(string(rune('0'+key)), taps))
		last = key
	}
	return keys.String()
}

// TestSpelledSentences keys the sentences of testdata/sentences.txt by script; each must be written letter by letter as it is,
// in both languages' keypads.
func TestSpelledSentences(t *testing.T) {
	data, err := os.ReadFile("testdata/sentences.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(list) < 50 {
		t.Fatalf("only %d sentences", len(list))
	}
	for lang, p := range pads {
		characters, pressed := 0, 0
		for _, text := range list {
			keys := keysFor(t, p, text)
			s := newSpeller(&Call{rec: &take{}, lang: lang, set: Settings{}.withDefaults(), node: tree[atSpell]})
			for i := range len(keys) {
				if next, _ := s.press(keys[i]); next != stay {
					t.Fatalf("%s: %q ends at key %d", lang, text, i)
				}
			}
			s.press('#')
			s.press('#')
			if s.rec.text != text {
				t.Errorf("%s: %q was written as %q", lang, text, s.rec.text)
			}
			characters, pressed = characters+len(text), pressed+len(keys)
		}
		t.Logf("%s: %.2f keys a character over %d characters", lang, float64(pressed)/float64(characters), characters)
	}
}
