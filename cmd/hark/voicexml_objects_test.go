package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVoiceXMLObjects runs a document that calls each of Hark's own functions, on the telephone in the terminal. A wrong
// PIN is refused, and what was keyed in one breath behind it is dropped (T1).
func TestVoiceXMLObjects(t *testing.T) {
	p := answeredBy(t, "objects.vxml")
	ana := p.addAccount("Ana")
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, ana.PIN)
	out := p.phoneIn(ana.Number + wrong + ana.Number + ana.PIN)
	if strings.Count(out, "refused.") != 1 || strings.Contains(out, "hello") {
		t.Errorf("a wrong PIN:\n%s", out)
	}
	out = p.phoneIn(ana.Number + ana.PIN)
	for _, want := range []string{"after the login: hello Ana, code of 9.", "it is sent.", "remember the milk.",
		"then 0 are new.", "the place is true, 1500.", "contacts", "no such function."} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not heard:\n%s", want, out)
		}
	}
}

// phoneIn calls from the terminal with keys typed ahead, and returns what was heard until the document ended the call.
func (p *place) phoneIn(keys string) string {
	p.t.Helper()
	open, hold := io.Pipe()
	defer hold.Close()
	var out bytes.Buffer
	program := &program{in: io.MultiReader(strings.NewReader(keys), open), out: &out, errOut: io.Discard}
	if err := program.run(p.t.Context(), []string{"-c", p.config, "phone", "--speed", "20"}); err != nil {
		p.t.Fatalf("%v\n%s", err, &out)
	}
	return out.String()
}

// TestVoiceXMLStranger writes to users without a login: only the one whom the configuration names for the number gets the
// message; another one sounds like one who is not there (T3, T5).
func TestVoiceXMLStranger(t *testing.T) {
	p := answeredBy(t, "stranger.vxml")
	ana, ben := p.addAccount("Ana"), p.addAccount("Ben")
	p.append("to = [%q]\n", ana.Number)
	nobody := "9999999"
	if ana.Number == nobody || ben.Number == nobody {
		nobody = "9999998"
	}
	if out := p.phoneIn(ana.Number); !strings.Contains(out, "it is sent.") {
		t.Errorf("to a user who is named:\n%s", out)
	}
	for _, number := range []string{ben.Number, nobody} {
		if out := p.phoneIn(number); !strings.Contains(out, "event error.hark.unknown: nobody has that number, or it is not allowed here.") {
			t.Errorf("to a user who is not named, or not there:\n%s", out)
		}
	}
	if a, b := p.stored(ana.Number), p.stored(ben.Number); len(a) != 1 || len(b) != 0 {
		t.Errorf("Ana has %d messages and Ben %d", len(a), len(b))
	}
}

// answeredBy is a place whose number is answered by a document of testdata.
func answeredBy(t *testing.T, document string) *place {
	t.Helper()
	dir := t.TempDir()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = dir
	}
	page, err := filepath.Abs("testdata/" + document)
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: dir, config: filepath.Join(dir, "hark.toml")}
	text := fmt.Sprintf("name = \"t:1\"\ndb = %q\n[prompts]\ncache = %q\n[[number]]\ncalled = \"7000\"\ndialogue = \"voicexml\"\npage = %q\n",
		filepath.Join(dir, "hark.db"), filepath.Join(cache, "hark", "speech"), page)
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}
