package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/internal/testbed"
	"hark/prompts"
)

// A trunk is what lies behind a trunk of Asterisk's: telephones that answer, are busy, or ring.
type trunk struct {
	phone *sipphone.Phone

	mu      sync.Mutex // guards what follows
	does    map[string]int
	dialled []string
}

// newTrunk makes the telephones. does says, by number, the SIP status that refuses a call; others are answered.
func newTrunk(t *testing.T, does map[string]int) *trunk {
	t.Helper()
	phone, err := sipphone.NewPhone(sipphone.PhoneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := phone.Close(); err != nil {
			t.Error(err)
		}
	})
	k := &trunk{phone: phone, does: does}
	phone.Listen(sipphone.Options{Refuse: k.asked})
	return k
}

// asked notes which number is called.
func (k *trunk) asked(number string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dialled = append(k.dialled, number)
	return k.does[number]
}

// numbers are those that were called, in order.
func (k *trunk) numbers() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.dialled)
}

// place makes a place whose Asterisk has the trunk, and whose Hark may dial the numbers that begin with 2 or 3.
func (k *trunk) place(t *testing.T) *place {
	t.Helper()
	lines := "[trunk]\ntype = endpoint\ncontext = hark\ndisallow = all\nallow = ulaw\ndirect_media = no\naors = trunk\n" +
		"[trunk]\ntype = aor\ncontact = sip:" + k.phone.Addr() + "\n"
	return newPlaceOn(t, testbed.AsteriskOptions{Files: map[string]string{"pjsip_local.conf": lines}})
}

// answeredBy is place with calls answered by a VoiceXML page, which may have the numbers called that begin with 2.
func (k *trunk) answeredBy(t *testing.T, page string) *place {
	t.Helper()
	p := k.place(t)
	path, err := filepath.Abs(page)
	if err != nil {
		t.Fatal(err)
	}
	p.append(answeredByPage, path)
	p.append(trunkConfig + "[vxml]\ntransfer = [\"2\"]\n")
	return p
}

// trunkConfig lets Hark dial by the trunk.
const trunkConfig = "[dial]\nfrom = \"7000\"\ntrunks = {\"2\" = \"PJSIP/{number}@trunk\", \"3\" = \"PJSIP/{number}@trunk\"}\n"

// A handset is one end of a call, held by a test.
type handset struct {
	*sipphone.Call
	place *place
	say   func(text string) (wav string, err error)
}

// holds makes a handset of a call.
func (p *place) holds(call *sipphone.Call) *handset {
	p.t.Helper()
	say, done, err := referenceVoice(p.t.Context(), prompts.SynthOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = call.Hangup(context.Background()) // Asterisk may be gone
		if err := done(); err != nil {
			p.t.Error(err)
		}
	})
	return &handset{Call: call, place: p, say: say}
}

// dials calls Hark.
func (p *place) dials(from string) *handset {
	p.t.Helper()
	call, err := sipphone.Dial(p.t.Context(), sipphone.Options{To: "sip:7000@" + p.asterisk.SIPAddr, CallerID: from})
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.log)
	}
	return p.holds(call)
}

// accept waits until a telephone behind the trunk has answered.
func (k *trunk) accept(p *place) *handset {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	call, err := k.phone.Accept(ctx)
	if err != nil {
		p.t.Fatalf("nobody was called: %v\n%s", err, p.log)
	}
	return p.holds(call)
}

// do runs steps of a script on the call; see "hark call".
func (h *handset) do(steps string, args ...any) {
	h.place.t.Helper()
	script := "timeout 60s\n" + fmt.Sprintf(steps, args...)
	if err := sipphone.Run(h.place.t.Context(), h.Call, strings.NewReader(script), h.say, io.Discard); err != nil {
		h.place.t.Fatalf("%v\n%s", err, h.place.log)
	}
}

// tells speaks a text into the call, which the other one has to hear.
func (h *handset) tells(other *handset, text string) {
	h.place.t.Helper()
	file, err := h.say(text)
	if err != nil {
		h.place.t.Fatal(err)
	}
	h.do("speak %s\n", file)
	other.do("hear-file %s\n", file)
}
