package ivr

import (
	"errors"
	"testing"
)

func TestTrunk(t *testing.T) {
	trunk := Trunk{Template: "PJSIP/{number}@carrier", Prefixes: []string{"+4930", "2"}}
	for number, want := range map[string]string{
		"+493012345":         "PJSIP/+493012345@carrier",
		"201":                "PJSIP/201@carrier",
		"":                   "",
		"+":                  "",
		"900":                "",
		"+49900123":          "",
		"00493012345":        "",
		"201&PJSIP/900":      "",
		"201@elsewhere":      "",
		"2 01":               "",
		"+4930+1":            "",
		"2٣":                 "",
		"+49301234567890123": "",
	} {
		got, err := trunk.Endpoint(number)
		if got != want || (want == "") != errors.Is(err, ErrNoWay) {
			t.Errorf("%q: %q, %v; want %q", number, got, err, want)
		}
	}
	for _, closed := range []Trunk{{}, {Template: trunk.Template}, {Prefixes: trunk.Prefixes}} {
		if _, err := closed.Endpoint("201"); !errors.Is(err, ErrNoWay) {
			t.Errorf("%+v lets a number out: %v", closed, err)
		}
	}
}

func TestTrunkCheck(t *testing.T) {
	if err := (Trunk{Template: "PJSIP/{number}@carrier", Prefixes: []string{"+4930", "2"}}).Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Trunk{
		{},
		{Template: "PJSIP/carrier", Prefixes: []string{"2"}},
		{Template: "{number}", Prefixes: []string{"2"}},
		{Template: "PJSIP/{number}@a&PJSIP/b", Prefixes: []string{"2"}},
		{Template: "Local/{number}@default", Prefixes: []string{"2"}},
		{Template: "PJSIP/{number}@carrier"},
		{Template: "PJSIP/{number}@carrier", Prefixes: []string{""}},
		{Template: "PJSIP/{number}@carrier", Prefixes: []string{"2X"}},
	} {
		if bad.Check() == nil {
			t.Errorf("%+v is taken for good", bad)
		}
	}
}
