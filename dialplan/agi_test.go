package dialplan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someNonce = "0123456789abcdef"

func TestWriteAGI(t *testing.T) {
	var b strings.Builder
	plan := Plan{AGI: "127.0.0.1:4573", Nonce: someNonce, Routes: []Route{{Number: "7000", Language: "pt-BR"}}}
	if err := plan.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := agiHead + `[hark]
exten = 7000,1,Set(CHANNEL(language)=pt_BR)
 same = n,AGI(agi://127.0.0.1:4573/hark,0123456789abcdef)
 same = n(sorry),Answer(500)
 same = n,Playback(sorry&please-try-call-later)
 same = n,Hangup()
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	if ways, err := Escapes(strings.NewReader(b.String()), "hark"); err != nil || len(ways) > 0 {
		t.Errorf("it leads elsewhere: %q, %v", ways, err)
	}
}

func TestCheckAGI(t *testing.T) {
	for _, test := range []struct{ agi, nonce, wrong string }{
		{"127.0.0.1:4573", someNonce, ""},
		{"[::1]:4573", someNonce, ""},
		{"192.0.2.1:4573", someNonce, "loopback"},
		{"localhost:4573", someNonce, "loopback"}, // a name can come to mean something else
		{"127.0.0.1", someNonce, "loopback"},
		{"127.0.0.1:4573", "", "nonce"},
		{"127.0.0.1:4573", "short", "nonce"},
		{"127.0.0.1:4573", someNonce + ",a)", "nonce"},
	} {
		err := Plan{AGI: test.agi, Nonce: test.nonce, Routes: []Route{{Number: "1"}}}.Check()
		if test.wrong == "" && err != nil || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%q with %q: error %v, want %q", test.agi, test.nonce, err, test.wrong)
		}
		if err != nil && test.nonce != "" && strings.Contains(err.Error(), test.nonce) {
			t.Errorf("the nonce is in the error: %v", err)
		}
	}
}

func TestEscapesByAGI(t *testing.T) {
	for args, wrong := range map[string]bool{
		"agi://127.0.0.1:4573/hark,x":         false,
		"agi://[::1]:4573/hark":               false,
		"agi://192.0.2.1:4573/hark":           true,
		"agi://127.0.0.1.example/x":           true,
		"hagi://example.org":                  true,
		"script.sh":                           true,
		"agi://${HOST}/hark":                  true,
		"agi://127.0.0.1:1/${CALLERID(name)}": true,
	} {
		ways, err := Escapes(strings.NewReader("[hark]\nexten = 1,1,AGI("+args+")\n"), "hark")
		if err != nil || (len(ways) > 0) != wrong {
			t.Errorf("AGI(%s): %q, %v", args, ways, err)
		}
	}
}
