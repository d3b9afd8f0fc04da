package main

import (
	"strings"
	"testing"
)

// TestDialplanVerify: what is written for two nodes at one Asterisk has no way out; with a line of somebody's own it has.
func TestDialplanVerify(t *testing.T) {
	p := &place{t: t, config: writeConfig(t, "[[number]]\ncalled = \"_70XX\"\n")}
	plan := p.must("", "dialplan", "--app=hark1,hark2")
	if !strings.Contains(plan, "Stasis(hark1)") || !strings.Contains(plan, "Stasis(hark2)") {
		t.Errorf("the nodes are not called in turn:\n%s", plan)
	}
	if said := p.must(plan, "dialplan", "verify"); said != "no way out of hark\n" {
		t.Errorf("it says %q", said)
	}
	for input, want := range map[string]string{
		plan + "exten = 1,1,Dial(PJSIP/1@carrier)\n": `context "hark", extension "1": Dial(PJSIP/1@carrier): it is not known to be harmless`,
		"[other]\n": `there is no context "hark"`,
	} {
		if out, err := p.run(input, "dialplan", "verify"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it says %q, %v, want …%s…", out, err, want)
		}
	}
}
