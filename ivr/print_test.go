package ivr

import (
	"errors"
	"strings"
	"testing"

	"hark/prompts"
)

// TestPrintDialogue looks that every state and every word of its keys is printed, in every language.
func TestPrintDialogue(t *testing.T) {
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range book.Languages() {
		var out strings.Builder
		if err := PrintDialogue(&out, Settings{}, func(id string) string { return book.Written(lang, id) }); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for name, n := range tree {
			if !strings.Contains(text, "\n"+string(name)+"   (") && !strings.HasPrefix(text, string(name)) {
				t.Errorf("%s: state %s is not printed", lang, name)
			}
			for _, id := range promptsOf(n) {
				if !strings.Contains(text, book.Written(lang, id)) && id != "key.0" {
					t.Errorf("%s: %s of state %s is not printed", lang, id, name)
				}
			}
		}
		if strings.Contains(text, `""`) {
			t.Errorf("%s: something has no words", lang)
		}
	}
	if err := PrintDialogue(full{}, Settings{}, func(string) string { return "" }); err == nil {
		t.Error("a full disk is not told")
	}
}

// full is a disk with no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }
