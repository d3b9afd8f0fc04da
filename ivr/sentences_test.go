package ivr_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/ivr"
)

// TestSpelledSentences keys the sentences of testdata/sentences.txt by script, as answers in one call; each must be sent letter
// by letter as it is, in both languages' keypads.
func TestSpelledSentences(t *testing.T) {
	data, err := os.ReadFile("testdata/sentences.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(list) < 50 {
		t.Fatalf("only %d sentences", len(list))
	}
	for _, lang := range []string{"en", "de"} {
		synctest.Test(t, func(t *testing.T) { spellAll(t, lang, list) })
	}
}

// spellAll answers a message with each of the texts.
func spellAll(t *testing.T, lang string, list []string) {
	w := newWorld(t)
	w.auth.lang = lang
	if err := w.message("from Ben: Spell"); err != nil {
		t.Fatal(err)
	}
	line, err := w.Dial(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	line.Press(theUser + thePIN + "1#")
	characters, pressed := 0, 0
	for _, text := range list {
		keys, err := ivr.KeysFor(lang, text)
		if err != nil {
			t.Fatal(err)
		}
		line.Press("28" + keys + "##1") // answer, spell, send
		characters, pressed = characters+len(text), pressed+len(keys)
		time.Sleep(30 * time.Second)
		if err := w.checkSent("to xmpp:ben@example.org: " + text + " answering"); err != nil {
			t.Fatalf("%s: %q: %v\n%s", lang, text, err, line)
		}
	}
	line.Hang()
	if err := w.Gone(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%s: %.2f keys a character over %d characters", lang, float64(pressed)/float64(characters), characters)
}
