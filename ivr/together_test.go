package ivr_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/ivr"
	"hark/ivr/ivrtest"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// A party is two calls at once on one real presence server.
type party struct {
	server *ivr.Server
	dir    string
	gone   chan error
}

// dial makes a call for a user and logs in.
func (p *party) dial(t *testing.T, user, pin string) *ivrtest.Line {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.Context()))
	line := ivrtest.NewLine("call of "+user, "", p.dir)
	line.Hanger = func() { cancel(ivr.ErrHangup) }
	go func() {
		p.gone <- p.server.Handle(ctx, line)
		cancel(nil)
	}()
	line.Press(user + pin)
	return line
}

// heard waits until a line hears something; it returns how long that took.
func heard(line *ivrtest.Line, text string) (time.Duration, error) {
	began := time.Now()
	for time.Since(began) < time.Minute {
		list, changed := line.Transcript()
		if contains(list, text) {
			return time.Since(began), nil
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
		}
	}
	return 0, fmt.Errorf("%q was not heard\n%s", text, line)
}

// newParty is a telephone server on a real presence server, in whose bubble of time nothing beats.
func newParty(t *testing.T) (*presencetest.Bed, *party) {
	bed := presencetest.Prepare(t)
	bed.Adjust = func(s *presence.Server) { s.Lease, s.BeatEvery, s.Log = 1000*time.Hour, 900*time.Hour, nil }
	bed.Start()
	dialer := &presence.Dialer{Home: "pipe:", Pipe: func(ctx context.Context) (net.Conn, error) { return bed.Server.Pipe(ctx) }}
	p := &party{dir: t.TempDir(), gone: make(chan error, 2), server: &ivr.Server{
		Auth: bed.Accounts, Dial: ivr.PresenceDialer(dialer), Voice: newVoice(t),
		Recordings: &shelf{kept: map[string]time.Duration{}},
	}}
	return bed, p
}

// TestPhoneToPhone has one user speak to another who is in a call: the recording itself is played there, at once.
func TestPhoneToPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := newParty(t)
		ana, ben := p.dial(t, presencetest.Ana, presencetest.AnaPIN), p.dial(t, presencetest.Ben, presencetest.BenPIN)
		_, err := heard(ben, "no new messages")
		_, err2 := heard(ana, "no new messages")
		ana.Press("2")
		ana.Press(presencetest.Ben)
		_, err3 := heard(ana, "User number")
		ana.Press("1")
		_, err4 := heard(ana, "(tone)")
		if err := errors.Join(err, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		ana.Talk(3*time.Second, nil)
		time.Sleep(3 * time.Second)
		ben.Press("*") // he listens to the main menu meanwhile
		ana.Press("#1")
		if _, err := heard(ana, "Sent."); err != nil {
			t.Fatal(err)
		}
		wait, err := heard(ben, "by voice. To hear it now, press hash.")
		if err != nil {
			t.Fatal(err)
		}
		if wait > 2*time.Second {
			t.Errorf("the notice came after %s", wait)
		}
		ben.Press("#")
		if _, err := heard(ben, "(sound 1.wav)"); err != nil {
			t.Error(err)
		}
		ana.Hang()
		ben.Hang()
		if err := errors.Join(<-p.gone, <-p.gone); err != nil {
			t.Error(err)
		}
	})
}

func contains(list []ivrtest.Heard, text string) bool {
	for _, h := range list {
		if !h.Event && strings.Contains(h.Text, text) {
			return true
		}
	}
	return false
}

// TestTwoCallsOfOneUser has a user call twice at once, on one session: what each call deletes, marks as new and leaves unsent is
// kept.
func TestTwoCallsOfOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bed, p := newParty(t)
		ben, _ := bed.Login(presencetest.Ben, presencetest.BenPIN, "web")
		ana, _ := bed.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		for i, body := range []string{"Message one", "Message two", "Message three"} {
			req := wire.SendRequest{ID: fmt.Sprint(i), To: im.Address{Network: im.Hark, ID: presencetest.Ana}, Body: body}
			if _, err := ben.Send(t.Context(), req); err != nil {
				t.Fatal(err)
			}
		}
		var calls [2]*ivrtest.Line
		for i := range calls {
			calls[i] = p.dial(t, presencetest.Ana, presencetest.AnaPIN)
			if _, err := heard(calls[i], "new messages"); err != nil {
				t.Fatal(err)
			}
		}
		for i, steps := range [2][]string{
			{"1", "Message one", "7", "Deleted.", "", "Message two", "86", "Message three", "1", "(tone)"},
			{"1", "Message one", "#", "Message two", "7", "Deleted.", "", "Message three", "86", "last one", "1", "(tone)"},
		} {
			for ; len(steps) > 0; steps = steps[2:] {
				calls[i].Press(steps[0])
				if _, err := heard(calls[i], steps[1]); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(200 * time.Millisecond)
		for _, call := range calls {
			call.Talk(3*time.Second, nil)
		}
		time.Sleep(3 * time.Second)
		calls[0].Hang()
		calls[1].Hang()
		if err := errors.Join(<-p.gone, <-p.gone); err != nil {
			t.Error(err)
		}
		var deleted []int64
		var unsent wire.Unsent
		if err := ana.GetStates(t.Context(), map[string]any{"phone.gone": &deleted, wire.Draft: &unsent}); err != nil {
			t.Fatal(err)
		}
		if len(deleted) != 2 || len(unsent.List()) != 2 {
			t.Errorf("deleted are %d, and unsent are %+v", deleted, unsent.List())
		}
		for _, c := range []*presence.Client{ana, ben} {
			c.Close()
		}
	})
}
