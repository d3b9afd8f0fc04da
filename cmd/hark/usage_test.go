package main

import (
	"io"
	"strings"
	"testing"
)

// TestMisuse gives wrong words: each is an error that tells how it is right, and none is called a success.
func TestMisuse(t *testing.T) {
	cases := []struct{ line, want string }{
		{"acount", "there is no command \"acount\" below \"hark\"; did you mean account?\nusage: hark COMMAND; \"hark --help\" tells more"},
		{"account frobnicate", "there is no command \"frobnicate\" below \"hark account\"\nusage: hark account COMMAND; "},
		{"account network sett", "did you mean set?"},
		{"account pin", "accepts 1 arg(s), received 0\nusage: hark account pin NUMBER; \"hark account pin --help\" tells more"},
		{"account add", "required flag(s) \"name\" not set\nusage: hark account add --name NAME; "},
		{"dialplan verifi", "usage: hark dialplan; "},
		{"serve now", "usage: hark serve; "},
		{"check --nope", "unknown flag: --nope\nusage: hark check; "},
		{"-config", "flag needs an argument: --config\nusage: hark COMMAND; "},
	}
	for _, c := range cases {
		err := (&program{out: io.Discard, errOut: io.Discard}).run(t.Context(), strings.Fields(c.line))
		if err == nil || !strings.Contains(err.Error(), c.want) || exitStatus(err) != 2 {
			t.Errorf("hark %s: got %v, want …%s… and exit status 2", c.line, err, c.want)
		}
	}
	err := (&program{out: io.Discard, errOut: io.Discard}).run(t.Context(), []string{"check", "-c", "/no/such"})
	if err == nil || exitStatus(err) != 1 {
		t.Errorf("a right command line that fails: got %v, want exit status 1", err)
	}
}

// TestGroupHelp asks for help without a word wrong: it is printed, and no error.
func TestGroupHelp(t *testing.T) {
	for _, line := range []string{"", "account", "account --help", "help account"} {
		var out strings.Builder
		if err := (&program{out: &out, errOut: io.Discard}).run(t.Context(), strings.Fields(line)); err != nil {
			t.Errorf("hark %s: %v", line, err)
		}
		if !strings.Contains(out.String(), " [command]\n") || strings.Contains(out.String(), " [flags]\n") {
			t.Errorf("hark %s prints\n%s", line, out.String())
		}
	}
	var out strings.Builder
	if err := (&program{out: &out, errOut: io.Discard}).run(t.Context(), []string{"dialplan", "--help"}); err != nil ||
		!strings.Contains(out.String(), "\n  hark dialplan [flags]\n  hark dialplan [command]\n") {
		t.Errorf("hark dialplan --help prints %v\n%s", err, out.String())
	}
}
