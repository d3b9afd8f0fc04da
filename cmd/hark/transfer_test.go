package main

import (
	"slices"
	"testing"

	"hark/internal/sipphone"
)

// TestVoiceXMLTransfer connects a caller with telephones behind a trunk, over real SIP: a bridge that either side ends, a
// telephone that is busy and one that nobody answers, one that vxml.transfer does not name, and a caller who is given away.
func TestVoiceXMLTransfer(t *testing.T) {
	t.Parallel()
	k := newTrunk(t, map[string]int{"202": sipphone.Busy, "203": sipphone.Ringing})
	p := k.answeredBy(t, "testdata/transfer.vxml")
	stop := p.serve()
	defer stop()
	const ask = "hear Please key the three digits of a telephone.\n"

	ana := p.dials("5551234")
	ana.do(ask + "press 201\n")
	desk := k.accept(p)
	desk.tells(ana, "This is the desk, good morning.")
	ana.tells(desk, "Good morning to you, can you hear me?")
	desk.do("hangup\n")
	ana.do("hear The other side has hung up.\n" + ask + "press 201\n")
	desk = k.accept(p)
	desk.tells(ana, "This is the desk once more.")
	ana.do("press 5*\nhear You have ended the connection.\n" + ask)
	desk.do("expect-hangup\n")
	ana.do("press 202\nhear The other telephone was busy.\n" + ask)
	ana.do("press 203\nhear The other telephone was not answered.\n" + ask)
	ana.do("press 301\nhear That telephone must not be called.\n" + ask)

	ana.do("press 299\nhear Now you are given away.\n")
	far := k.accept(p)
	far.tells(ana, "You have come to somebody else.")
	ana.tells(far, "I wanted to come to you, thank you.")
	far.do("hangup\n")
	ana.do("expect-hangup\n")
	if want, got := []string{"201", "201", "202", "203", "299"}, k.numbers(); !slices.Equal(got, want) {
		t.Errorf("the trunk was asked for %v, not %v", got, want)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
