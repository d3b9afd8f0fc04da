package ivr

import "testing"

func TestLanguageOf(t *testing.T) {
	both := []string{"de", "en"}
	for _, c := range []struct {
		text, home string
		spoken     []string
		want       string
	}{
		{"Kommst du heute mit dem Zug?", "en", both, "de"},
		{"I'm on my way, see you at six", "de", both, "en"},
		{"Kommst du heute mit dem Zug?", "en", []string{"en"}, "en"}, // nobody here speaks it
		{"Kommst du heute mit dem Zug?", "en", nil, "en"},
		{"Ok", "de", both, "de"},
		{"", "de", both, "de"},
		{"Die Hard", "en", both, "en"}, // one word may be a name
		{"Danke for the tickets", "en", both, "en"},
		{"Das Meeting ist um drei, see you", "de", both, "de"},
		{"https://example.org/the/and/you", "de", both, "en"},
		{"Qu'est-ce que tu fais ce soir?", "de", both, "de"},
	} {
		if got := languageOf(c.text, c.home, c.spoken); got != c.want {
			t.Errorf("%q in a call in %s is %s, not %s", c.text, c.home, got, c.want)
		}
	}
}
