package dialplan

import (
	"os"
	"strings"
	"testing"
)

func TestEscapes(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string // what the ways out mention, one each
	}{
		{"ours", "[hark]\nexten = 1,1,Stasis(hark)\n same = n,Hangup()\n", nil},
		{"dial", "[hark]\nexten => 1,1,Dial(PJSIP/${EXTEN})\n", []string{"Dial"}},
		{"lower case", "[hark]\nexten => 1,1,dial(PJSIP/1)\n", []string{"dial"}},
		{"comment", "[hark]\nexten => 1,1,Hangup() ; Dial(PJSIP/1)\n;exten => 2,1,Dial(x)\n", nil},
		{"include", "[hark]\ninclude => out\n[out]\nexten = _X.,1,Dial(PJSIP/${EXTEN})\n", []string{"any text", "Dial"}},
		{"other context", "[hark]\nexten = 1,1,Hangup\n[out]\nexten = 1,1,Dial(PJSIP/1)\n", nil},
		{"goto", "[hark]\nexten = 1,1,Goto(out,1,1)\n[out]\nexten = 1,1,Originate(x)\n", []string{"Originate"}},
		{"goto here", "[hark]\nexten = 1,1,Goto(2,1)\nexten = 2,1,Goto(1)\n", nil},
		{"goto anywhere", "[hark]\nexten = 1,1,Goto(${CALLERID(name)},1,1)\n", []string{"a variable says"}},
		{"either", "[hark]\nexten = 1,1,GotoIf($[\"${A}?\"=\"b\"]?x,1,1:y,1,1)\n[x]\nexten = 1,1,System(a)\n[y]\nexten = 1,1,Queue(b)\n", []string{"System", "Queue"}},
		{"gosub", "[hark]\nexten = 1,1,Gosub(x,1,1(${EXTEN},2))\n[x]\nexten = 1,1,Page(a)\n", []string{"Page"}},
		{"switch", "[hark]\nswitch = DUNDi/x\nexten = 1,1,Hangup\n", []string{"switch"}},
		{"file", "[hark]\nexten = 1,1,Hangup\n#include other.conf\n", []string{"#include"}},
		{"template", "[hark](x)\nexten = 1,1,Hangup\n[hark]\n", []string{"[hark](x)", "exten"}},
		{"background", "[hark]\nexten = 1,1,BackGround(a,,,out)\n[out]\nexten = 2,1,Dial(x)\n", []string{"Dial"}},
		{"shell", "[hark]\nexten = 1,1,Set(A=${SHELL(ls)})\n", []string{"SHELL"}},
		{"shell within", "[hark]\nexten = 1,1,Set(A=${IF($[1]?${SHELL(ls)})})\n", []string{"SHELL"}},
		{"handler", "[hark]\nexten = 1,1,Set(CHANNEL(hangup_handler_push)=out,1,1)\n", []string{"CHANNEL"}},
		{"divert", "[hark]\nexten = 1,1,Set(__TRANSFER_CONTEXT=out)\n", []string{"diverts"}},
		{"language", "[hark]\nexten = 1,1,Set(CHANNEL(language)=en)\n", nil},
		{"stasis", "[hark]\nexten = 1,1,Stasis(${CALLERID(num)})\n", []string{"which program"}},
		{"any text", "[hark]\nexten = _7.,1,Stasis(hark)\n", []string{"any text"}},
		{"block comment", "[hark]\nexten = 1,1,Hangup\n;-- x\n", []string{";--"}},
	} {
		ways, err := Escapes(strings.NewReader(test.text), "hark")
		if err != nil || len(ways) != len(test.want) {
			t.Errorf("%s: %q, %v, want %q", test.name, ways, err, test.want)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(ways[i], want) {
				t.Errorf("%s: %q does not mention %q", test.name, ways[i], want)
			}
		}
	}
}

func TestEscapesOfNothing(t *testing.T) {
	for _, text := range []string{"", "[other]\nexten = 1,1,Hangup\n"} {
		if ways, err := Escapes(strings.NewReader(text), "hark"); err == nil {
			t.Errorf("%q proves something: %q", text, ways)
		}
	}
}

// TestShow reads what a real Asterisk 22 printed.
func TestShow(t *testing.T) {
	for context, want := range map[string][]string{
		"hark":  nil,
		"other": {"a variable says"},
		"bench": {"Loopback/1@hark", "Loopback/2", "'7101'", "any text", "Dial", "a variable says"},
	} {
		f, err := os.Open("testdata/show.txt")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		ways, err := Escapes(f, context)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.ReplaceAll(strings.Join(ways, "\n"), `"`, "'")
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("%s: no way out mentions %q: %s", context, w, all)
			}
		}
		if len(ways) != len(want) {
			t.Errorf("%s: %d ways out, want %d: %s", context, len(ways), len(want), all)
		}
	}
}

// FuzzEscapes: no text makes the reader fail or finds a harmless Dial.
func FuzzEscapes(f *testing.F) {
	show, err := os.ReadFile("testdata/show.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(show))
	f.Add("[hark]\nexten = 1,1,GotoIf($[1]?a:b)\ninclude = x\n")
	f.Fuzz(func(t *testing.T, text string) {
		ways, err := Escapes(strings.NewReader("[hark]\nexten = 1,1,Dial(PJSIP/1)\n"+text), "hark")
		if err == nil && len(ways) == 0 {
			t.Errorf("the Dial was not found before %q", text)
		}
		Escapes(strings.NewReader(text), "hark")
	})
}
