package dialplan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		number string
		wrong  string // what the error says; "" when there is none
	}{
		{"7000", ""},
		{"+4930123456", ""},
		{"*98", ""},
		{"s", ""},
		{"_70XX", ""},
		{"_7[1-35]NZ", ""},
		{"_+49X", ""},
		{"", "empty"},
		{"_", "empty"},
		{"70XX", "write _ in front"},
		{"7000&PJSIP/100", `'&' is nothing that a telephone dials`},
		{"7000,1,Dial(PJSIP/1)", `','`},
		{"_7000&PJSIP/X", `'&'`},
		{"${EXTEN}", `'$'`},
		{"7000\nexten", "'\\n'"},
		{"7000;", `';'`},
		{"_7.", "write one X for each digit"},
		{"_7!", "write one X for each digit"},
		{"7.", "written out"},
		{"_7[", "needs digits"},
		{"_7[]", "needs digits"},
		{"_7[3-1]", "not a set of digits"},
		{"_7[a-z]", "not a set of digits"},
		{"70+", "in front"},
		{"_[1-2]+", "in front"},
		{strings.Repeat("7", 33), "longer than 32"},
		{"_" + strings.Repeat("X", 32), ""},
		{"i", "'i'"},
	} {
		err := Plan{Routes: []Route{{Number: test.number}}}.Check()
		switch {
		case test.wrong == "" && err != nil:
			t.Errorf("%q: %v", test.number, err)
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
			t.Errorf("%q: error %v, want one about %q", test.number, err, test.wrong)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name  string
		plan  Plan
		wrong string
	}{
		{"whole", Plan{Context: "in", Apps: []string{"hark-2"}, Apology: "a/b&c", Routes: []Route{{Number: "1", Language: "pt-BR"}}}, ""},
		{"page", Plan{Routes: []Route{{Number: "1", Dialogue: VoiceXML, Page: "https://a.example/"}}}, ""},
		{"none", Plan{}, "no number"},
		{"twice", Plan{Routes: []Route{{Number: "1"}, {Number: "1"}}}, "twice"},
		{"context", Plan{Context: "a]b", Routes: []Route{{Number: "1"}}}, "context"},
		{"app", Plan{Apps: []string{"hark", "a,b"}, Routes: []Route{{Number: "1"}}}, "application"},
		{"apology", Plan{Apology: "a)", Routes: []Route{{Number: "1"}}}, "apology"},
		{"language", Plan{Routes: []Route{{Number: "1", Language: "${X}"}}}, "language"},
		{"dialogue", Plan{Routes: []Route{{Number: "1", Dialogue: "mesenger"}}}, `"mesenger"`},
		{"page without", Plan{Routes: []Route{{Number: "1", Dialogue: VoiceXML}}}, "needs a page"},
		{"page with", Plan{Routes: []Route{{Number: "1", Page: "x"}}}, "belongs to"},
	} {
		err := test.plan.Check()
		if test.wrong == "" && err != nil || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.wrong)
		}
	}
}

func TestChoose(t *testing.T) {
	plan := Plan{Routes: []Route{
		{Number: "_70XX", Language: "en"},
		{Number: "_7X[05]0", Language: "fr"},
		{Number: "7000", Language: "de"},
		{Number: "+49301234", Dialogue: VoiceXML, Page: "p"},
		{Number: "s", Language: "es"},
	}}
	for called, want := range map[string]string{
		"7000":                 "de",
		"7001":                 "en",
		"7050":                 "en",
		"7150":                 "fr",
		"s":                    "es",
		"7110":                 "",
		"700":                  "",
		"70000":                "",
		"":                     "",
		"_70XX":                "",
		"70XX":                 "",
		"7000&PJSIP/100@trunk": "",
		"70\x0000":             "",
	} {
		r, ok := plan.Choose(called)
		if r.Language != want || ok != (want != "") {
			t.Errorf("Choose(%q) = %+v, %v, want language %q", called, r, ok, want)
		}
		if ok && r.Dialogue != Messenger {
			t.Errorf("Choose(%q) has dialogue %q", called, r.Dialogue)
		}
	}
	if r, ok := plan.Choose("+49301234"); !ok || r.Dialogue != VoiceXML || r.Page != "p" {
		t.Errorf("Choose of the VoiceXML number = %+v, %v", r, ok)
	}
}

func TestWrite(t *testing.T) {
	var b strings.Builder
	plan := Plan{Routes: []Route{{Number: "7000"}, {Number: "_71XX", Language: "pt-BR"}}}
	if err := plan.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := head + `[hark]
exten = 7000,1,Set(TIMEOUT(absolute)=40)
 same = n,Stasis(hark)
 same = n,GotoIf($["${STASISSTATUS}" = "SUCCESS"]?bye)
 same = n(sorry),Answer(500)
 same = n,Playback(sorry&please-try-call-later)
 same = n(bye),Hangup()
exten = _71XX,1,Set(CHANNEL(language)=pt_BR)
 same = n,Set(TIMEOUT(absolute)=40)
 same = n,Stasis(hark)
 same = n,GotoIf($["${STASISSTATUS}" = "SUCCESS"]?bye)
 same = n(sorry),Answer(500)
 same = n,Playback(sorry&please-try-call-later)
 same = n(bye),Hangup()
exten = T,1,Playback(sorry&please-try-call-later)
 same = n,Hangup()
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	plan = Plan{Apps: []string{"one", "two"}, Routes: []Route{{Number: "7000"}}}
	if err := plan.Write(&b); err != nil {
		t.Fatal(err)
	}
	if inTurn := ` same = n,Stasis(one)
 same = n,GotoIf($["${STASISSTATUS}" = "SUCCESS"]?bye)
 same = n,Stasis(two)
 same = n,GotoIf($["${STASISSTATUS}" = "SUCCESS"]?bye)
 same = n(sorry),Answer(500)
`; !strings.Contains(b.String(), inTurn) {
		t.Errorf("two applications are not tried in turn:\n%s", b.String())
	}
	b.Reset()
	if err := (Plan{Routes: []Route{{Number: "7."}}}).Write(&b); err == nil || b.Len() > 0 {
		t.Errorf("a plan with a bad number was written: %v, %q", err, b.String())
	}
}

// FuzzNumber: whatever is accepted as a number leads to a dialplan that leads nowhere, and answers what it matches.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"7000", "_70XX", "_7[1-35]", "s", "7000&PJSIP/1", "_7.", "+49", "_7]", "7\n[x]"} {
		f.Add(s, "7001")
	}
	f.Fuzz(func(t *testing.T, number, called string) {
		plan := Plan{Routes: []Route{{Number: number}}}
		var b strings.Builder
		if err := plan.Write(&b); err != nil {
			if _, ok := plan.Choose(called); ok && called != number {
				t.Errorf("the number %q is refused, yet it answers %q", number, called)
			}
			return
		}
		ways, err := Escapes(strings.NewReader(b.String()), "hark")
		if err != nil || len(ways) > 0 {
			t.Errorf("number %q: %v %q", number, err, ways)
		}
		if _, ok := plan.Choose(called); ok && strings.Trim(called, keys) != "" && called != "s" {
			t.Errorf("number %q answers %q", number, called)
		}
	})
}
