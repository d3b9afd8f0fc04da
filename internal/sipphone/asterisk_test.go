package sipphone

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/internal/testbed"
)

// dialplan says a text, asks for four keys, and says whether they were the right ones.
const dialplan = `[bench]
include = hark
exten = 7200,1,Answer()
 same = n,Playback(%s)
 same = n,Read(KEYS,%s,4,,1,10)
 same = n,GotoIf($["${KEYS}" = "1*9D"]?:no)
 same = n,Playback(%s)
 same = n,Hangup()
 same = n(no),Playback(%s)
 same = n,Hangup()
exten = 7102,1,Answer()
 same = n,Echo()
`

// said are the texts of the dialplan, in its order.
var said = []string{"You have three new messages.", "Enter your PIN.", "Your place is kept.", "I cannot check that."}

// switchFor starts an Asterisk that speaks the texts.
func switchFor(t *testing.T) *testbed.Asterisk {
	t.Helper()
	var files []any
	for _, text := range said {
		file, err := speaker(text)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, strings.TrimSuffix(file, ".wav"))
	}
	return testbed.AsteriskFor(t, testbed.AsteriskOptions{Bench: true,
		Files: map[string]string{"extensions_local.conf": fmt.Sprintf(dialplan, files...)}})
}

func TestAsterisk(t *testing.T) {
	asterisk := switchFor(t)
	t.Run("script", func(t *testing.T) { testAsteriskScript(t, asterisk) })
	t.Run("echo", func(t *testing.T) { testAsteriskEcho(t, asterisk) })
	t.Run("register", func(t *testing.T) { testAsteriskRegister(t, asterisk) })
}

func testAsteriskScript(t *testing.T, asterisk *testbed.Asterisk) {
	for _, codec := range []string{"pcmu", "pcma"} {
		call, err := Dial(t.Context(), Options{To: "sip:7200@" + asterisk.SIPAddr, Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		script := "hear " + said[0] + "\nhear-all " + said[1] + "\npress 1*,9D\nhear " + said[2] + "\nexpect-hangup\n"
		if err := Run(t.Context(), call, strings.NewReader(script), speaker, &out); err != nil {
			t.Errorf("%s: %v\n%s", codec, err, &out)
		}
		t.Logf("%s: %+v\n%s", codec, call.Stats(), &out)
		if s := call.Stats(); s.Lost > 0 || s.FirstRTP < 0 || s.FirstRTP > time.Second || s.Answer <= 0 {
			t.Errorf("%s: %+v", codec, s)
		}
		saved := filepath.Join(t.TempDir(), "heard.wav")
		if err := errors.Join(call.SaveHeard(saved), call.Hangup(t.Context())); err != nil {
			t.Error(err)
		}
		clip, err := readClip(saved)
		if err != nil || len(clip) != len(call.Heard()) {
			t.Errorf("%d samples saved, %v", len(clip), err)
		}
	}
}

func testAsteriskEcho(t *testing.T, asterisk *testbed.Asterisk) {
	call, err := Dial(t.Context(), Options{To: "sip:7102@" + asterisk.SIPAddr, Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	file, err := speaker("You have two new messages.")
	if err != nil {
		t.Fatal(err)
	}
	script := "speak " + file + "\nhear-all You have two new messages.\ntone 440 1s\nwait 200ms\nhangup"
	var out strings.Builder
	if err := Run(t.Context(), call, strings.NewReader(script), speaker, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	heard := call.Heard()
	if hz, share := ToneFrequency(heard[len(heard)-Rate:len(heard)-Rate/5], Rate); hz < 439 || hz > 441 || share < 0.95 {
		t.Errorf("%.2f Hz (%.2f) came back", hz, share)
	}
}

func testAsteriskRegister(t *testing.T, asterisk *testbed.Asterisk) {
	phone, err := NewPhone(PhoneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	registrar := "sip:" + asterisk.SIPAddr
	if err := phone.Register(t.Context(), registrar, asterisk.PhoneUser, asterisk.PhoneSecret, time.Minute); err != nil {
		t.Error(err)
	}
	refused, ok := errors.AsType[*Refused](phone.Register(t.Context(), registrar, asterisk.PhoneUser, "wrong", time.Minute))
	if !ok || refused.Code != 401 {
		t.Errorf("a wrong password: %v", refused)
	}
	if err := phone.Register(t.Context(), registrar, asterisk.PhoneUser, asterisk.PhoneSecret, 0); err != nil {
		t.Error(err)
	}
	o := Options{To: "sip:" + asterisk.Number + "@" + asterisk.SIPAddr, CallerID: asterisk.PhoneUser, User: asterisk.PhoneUser, Password: asterisk.PhoneSecret}
	call, err := phone.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	o.Password = "wrong"
	if _, err := phone.Dial(t.Context(), o); err == nil {
		t.Error("a wrong password was taken")
	}
	o.To, o.Password = "sip:4242@"+asterisk.SIPAddr, asterisk.PhoneSecret
	if refused, ok := errors.AsType[*Refused](func() error { _, err := phone.Dial(t.Context(), o); return err }()); !ok || refused.Code != 404 {
		t.Errorf("an unknown number: %v", refused)
	}
}
