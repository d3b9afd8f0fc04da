package im_test

import (
	"strings"
	"testing"

	"hark/im"
)

// FuzzChoices makes sure that whatever a stranger writes gives no choices or ones that can be said and sent.
func FuzzChoices(f *testing.F) {
	for _, s := range []string{"1) a 2) b", "Which?\n1. one\n2. two\n3. three", "(1) x (2) y", "1) 2) 3)", "at 2. 3.", "1) a, 2) b or 3) c?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list := im.NumberedChoices(text)
		if n := len(list); n == 1 || n > im.MaxChoices {
			t.Errorf("%q brings %d choices", text, n)
		}
		for _, one := range list {
			if strings.TrimSpace(one) == "" || !strings.Contains(text, one) {
				t.Errorf("%q brings %q", text, one)
			}
		}
	})
}

func TestChoices(t *testing.T) {
	for text, want := range map[string]string{
		"What shall it be? 1) Pizza, 2) Pasta or 3) Soup?": "Pizza|Pasta|Soup",
		"Pick one:\n1. Red wine\n2. White wine\nThanks":    "Red wine|White wine",
		"1: yes\n2: no":                    "yes|no",
		"(1) now (2) later":                "now|later",
		"Was denn? 1) Brot oder 2) Kuchen": "Brot|Kuchen",
		"Only 1) one":                      "",
		"At 1. and at 2. I am":             "",
		"2) b 3) c":                        "",
		"1) 2)":                            "",
		"Version 1.2.3":                    "",
		"":                                 "",
	} {
		if got := strings.Join(im.NumberedChoices(text), "|"); got != want {
			t.Errorf("%q brings %q, not %q", text, got, want)
		}
	}
}

// What the sender declares goes before what the words number.
func TestOffered(t *testing.T) {
	m := im.Message{Body: "Which? 1) Pizza 2) Pasta"}
	if got := m.Offered(); len(got) != 2 || got[1] != (im.Choice{Label: "Pasta", Body: "2"}) {
		t.Errorf("by its words: %v", got)
	}
	m.Choices = []im.Choice{{Label: "Gladly", Body: "yes"}}
	if got := m.Offered(); len(got) != 1 || got[0].Body != "yes" {
		t.Errorf("declared: %v", got)
	}
}
