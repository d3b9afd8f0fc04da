package main

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/db"
	"hark/im"
	"hark/internal/sipphone"
	"hark/internal/wav"
	"hark/prompts"
	"hark/sessions"
)

// TestCalledBack goes the whole way of a call back over real SIP: a user names a telephone with keys, Hark calls it, the PIN
// proves it, the user hangs up; a voice message comes, and Hark calls and tells nothing before the PIN is there.
func TestCalledBack(t *testing.T) {
	t.Parallel() // most of it is waiting for a call
	k := newTrunk(t, nil)
	p := k.place(t)
	p.append(trunkConfig)
	ana, carla := p.addAccount("Ana"), p.addAccount("Carla")
	stop := p.serve()
	defer stop()

	caller := p.dials("5551234")
	caller.do("%s\nhear %s\npress 42\nhear %s\npress 2\nhear %s\npress 201#\nhear I call two zero one when you have hung up. Enter your PIN then.\nhangup\n",
		p.login(ana), p.prompt("home.none"), p.prompt("callback.none"), p.prompt("callback.number"))
	called := k.accept(p)
	called.do("hear Hark for Ana.\nhear %s\npress %s\nhear %s\nhangup\n", p.prompt("callback.pin"), ana.PIN, p.prompt("callback.proven"))

	spoken := sipphone.Tone(500, 3*time.Second)
	speech := p.soundFile("speech.wav", spoken)
	p.dials("5559876").do("%s\nhear %s\npress 2\nhear %s\npress %s#\nhear %s\npress 1\nhear %s\nwait 3s\nspeak %s\npress #\nhear %s\npress 1\nhear %s\nhangup\n",
		p.login(carla), p.prompt("home.none"), p.prompt("who"), ana.Number, p.prompt("who.key.1"), p.prompt("record"), speech,
		p.prompt("review.key.1"), p.prompt("sent"))

	called = k.accept(p)
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, ana.PIN)
	called.do("hear Hark for Ana.\nhear %s\npress %s\nhear I cannot check that.\nhear %s\n", p.prompt("callback.pin"), wrong, p.prompt("callback.pin"))
	if words := called.heardOf("You have one new message:", spoken); words != "" {
		t.Errorf("before the PIN was there, %s was heard", words)
	}
	called.do("press %s\nhear You have one new message:\npress 1\nhear-file %s\nhangup\n", ana.PIN, speech)
	if want, got := []string{"201", "201"}, k.numbers(); !slices.Equal(got, want) {
		t.Errorf("the trunk was asked for %v, not %v", got, want)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestCallMeFromThePage is a call back that begins in the browser: a page takes the telephone's number, Hark calls it, the
// PIN proves it, and whoever keyed it is in the session of the browser. Then the page knows the telephone.
func TestCallMeFromThePage(t *testing.T) {
	t.Parallel()
	k := newTrunk(t, nil)
	p := k.place(t)
	p.append(trunkConfig)
	ana := p.addAccount("Ana")
	stop := p.serve()
	defer stop()

	b := newSurfer(t, p)
	b.post("/login", url.Values{"user": {ana.Number}, "pin": {ana.PIN}})
	b.get("/you/phone")
	form := url.Values{"number": {"201"}, "once": {b.find(`(?s)action="/you/phone/number".*?name="once" value="(\w+)"`)}}
	for range 2 { // the same form once more does not make it ring once more
		b.post("/you/phone/number", form)
		b.find("(It is called in a moment. Key your PIN there.)")
	}
	called := k.accept(p)
	called.do("hear Hark for Ana.\npress %s\nhear %s\nhear %s\n", ana.PIN, p.prompt("callback.proven"), p.prompt("home.none"))
	b.get("/you/phone")
	b.find("(You are called at 201 when a message comes)")
	if list := p.must("", "session", "list"); strings.Count(list, ana.Number) != 1 {
		t.Errorf("telephone and browser are not in one session:\n%s", list)
	}
	called.do("hangup\n")
	if want, got := []string{"201"}, k.numbers(); !slices.Equal(got, want) {
		t.Errorf("the trunk was asked for %v, not %v", got, want)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// heardOf tells which of a text and a sound was heard so far, "" for neither.
func (h *handset) heardOf(text string, speech []int16) string {
	h.place.t.Helper()
	file, err := h.say(text)
	if err != nil {
		h.place.t.Fatal(err)
	}
	clip, err := wav.Read(file)
	if err != nil {
		h.place.t.Fatal(err)
	}
	for words, samples := range map[string][]int16{text: clip.Samples, "the message": speech} {
		if _, score := sipphone.FindClip(h.Heard(), samples[:min(len(samples), sipphone.Rate)]); score >= sipphone.MatchScore {
			return words
		}
	}
	return ""
}

// TestCallThisPerson rings up who wrote a message out of a call, over real SIP: the two hear each other, the star leads back,
// and the other one sees Hark's number.
func TestCallThisPerson(t *testing.T) {
	t.Parallel()
	k := newTrunk(t, map[string]int{"203": sipphone.Busy})
	p := k.place(t)
	p.append(trunkConfig)
	ana, carla := p.addAccount("Ana"), p.addAccount("Carla")
	p.must("", "account", "phone", "set", carla.Number, "202")
	p.deliver(ana, carla, "Please call me.")
	stop := p.serve()
	defer stop()

	caller := p.dials("5551234")
	caller.do("%s\nhear You have one new message:\npress 1\nhear Please call me.\npress 81\n", p.login(ana))
	far := k.accept(p)
	if shown := far.Caller(); shown != "7000" {
		t.Errorf("the other one sees a call from %q", shown)
	}
	far.tells(caller, "This is Carla, who is there?")
	caller.tells(far, "This is Ana, you wanted me to call you.")
	caller.do("press *\nhear %s\n", p.prompt("dial.over"))
	far.do("expect-hangup\n")
	p.must("", "account", "phone", "set", carla.Number, "203")
	caller.do("wait 1s\npress 81\nhear %s\nhangup\n", p.promptWith("dial.busy", prompts.Args{"name": "Carla"}))
	if want, got := []string{"202", "203"}, k.numbers(); !slices.Equal(got, want) {
		t.Errorf("the trunk was asked for %v, not %v", got, want)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// deliver has a message come for a user from another one, while no server runs.
func (p *place) deliver(to, from account, body string) {
	p.t.Helper()
	d, err := db.Open(p.t.Context(), db.Options{Source: filepath.Join(p.dir, "hark.db"), Mode: db.Serve})
	if err != nil {
		p.t.Fatal(err)
	}
	defer d.Close()
	store := sessions.Open(d, nil)
	defer store.Close()
	if _, err := store.Deliver(p.t.Context(), to.Number, im.Message{
		ID: "one", Origin: "one", From: im.Address{Network: im.Hark, ID: from.Number}, Body: body, Sent: time.Now(),
	}); err != nil {
		p.t.Fatal(err)
	}
}
