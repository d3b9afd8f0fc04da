package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/db"
	"hark/im"
	"hark/internal/sipphone"
	"hark/sessions"
	"hark/vxml/sound"
)

// TestVoiceXMLOffice calls the example of a small office and leaves a voice message: it reaches the user of Hark whom the
// document names as an instant message, from the caller's telephone.
func TestVoiceXMLOffice(t *testing.T) {
	p := newPlace(t)
	ana := p.addAccount("Ana")
	example, err := os.ReadFile("../../vxml/examples/office/main.vxml")
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(p.dir, "office.vxml")
	mine := strings.Replace(string(example), "'1000001'", "'"+ana.Number+"'", 1)
	if err := os.WriteFile(page, []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	speech := filepath.Join(p.dir, "speech.wav")
	if err := os.WriteFile(speech, sound.WAV(sipphone.Tone(500, 3*time.Second)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.append(answeredByPage+"to = [%q]\n", page, ana.Number)
	stop := p.serve()
	defer stop()
	p.script("timeout 60s\nhear Green and Partners, architects.\npress 0\nhear Please speak after the tone.\nwait 6s\nspeak %s\npress 1\n"+
		"hear You said\nhear To send it press 1.\npress 1\nhear The message is on its way.\nexpect-hangup\n", speech)
	if err := stop(); err != nil {
		t.Error(err)
	}
	messages := p.stored(ana.Number)
	if len(messages) != 1 {
		t.Fatalf("%d messages: %+v", len(messages), messages)
	}
	m := messages[0]
	if m.From.Network != "tel" || len(m.Attachments) != 1 || m.Body != m.Attachments[0].URL || !m.Attachments[0].IsAudio() {
		t.Errorf("the message is %+v", m)
	}
	if s := m.Attachments[0].Seconds; math.Abs(s-3) > 2.5 || s < 2 {
		t.Errorf("the recording has %.1f s of 3", s)
	}
}

// TestVoiceXMLOfficeConnects calls the example of a small office: one extension answers and hears the caller, the other is
// busy, so that the caller may leave a message.
func TestVoiceXMLOfficeConnects(t *testing.T) {
	t.Parallel()
	k := newTrunk(t, map[string]int{"202": sipphone.Busy})
	p := k.answeredBy(t, "../../vxml/examples/office/main.vxml")
	defer p.serve()()

	ben := p.dials("5551234")
	ben.do("hear Green and Partners, architects.\npress 1\nhear One moment, please.\n")
	anna := k.accept(p)
	ben.tells(anna, "I would like to build a house.")
	anna.tells(ben, "We have an hour for you on Monday.")
	anna.do("hangup\n")
	ben.do("expect-hangup\n")

	ben = p.dials("5551234")
	ben.do("hear Green and Partners, architects.\npress 2\nhear Nobody can come to the telephone now.\nhear Please speak after the tone.\nhangup\n")
}

// append writes more of the configuration.
func (p *place) append(format string, args ...any) {
	p.t.Helper()
	text, err := os.ReadFile(p.config)
	if err == nil {
		err = os.WriteFile(p.config, fmt.Appendf(text, format, args...), 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// stored are the messages of a user, while no server runs.
func (p *place) stored(user string) (list []im.Message) {
	p.t.Helper()
	d, err := db.Open(p.t.Context(), db.Options{Source: filepath.Join(p.dir, "hark.db"), Mode: db.Serve})
	if err != nil {
		p.t.Fatal(err)
	}
	defer d.Close()
	store := sessions.Open(d, nil)
	defer store.Close()
	messages, err := store.Read(p.t.Context(), user, sessions.Query{Max: 10})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, m := range messages {
		list = append(list, m.Message)
	}
	return list
}
