package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/accounts"
	"hark/db"
	"hark/im"
	"hark/ivr"
	"hark/ivr/ivrtest"
	"hark/ivr/stasis"
	"hark/sessions"
	"hark/web"
)

// An exchange is a ringer with real stores, whose calls end in the test.
type exchange struct {
	*ringer
	user   string
	calls  []stasis.Outgoing
	clock  time.Time
	silent bool // nobody answers
	ana    int  // calls that were answered by the user's dialogue
}

func newExchange(t *testing.T) *exchange {
	t.Helper()
	c := defaultConfig()
	c.Data = t.TempDir()
	c.DB, c.Keys = filepath.Join(c.Data, "hark.db"), filepath.Join(c.Data, "hark.keys")
	c.Dial.Trunks = map[string]string{"2": "PJSIP/{number}", "20": "PJSIP/{number}@desk"}
	p := &parts{config: c, log: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	ctx := t.Context()
	if err := p.openStores(ctx); err != nil {
		t.Fatal(err)
	}
	u, _, err := p.accounts.Add(ctx, accounts.NewUser{Name: "Ana"})
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange{user: u.Number, clock: time.Now().Add(time.Hour)}
	x.ringer = &ringer{telephones: p.telephones(), sessions: p.sessions, from: "7000", parts: p, busy: map[string]bool{},
		ready: func() bool { return true }, call: x.take,
		answer: func(context.Context, ivr.Line, string, string) error { x.ana++; return nil }}
	x.now = func() time.Time { return x.clock }
	return x
}

// take is a call that is made.
func (x *exchange) take(ctx context.Context, o stasis.Outgoing) error {
	x.calls = append(x.calls, o)
	if x.silent {
		return stasis.ErrNotAnswered
	}
	return o.Handle(ctx, ivrtest.NewLine("out", o.Number, ""))
}

// round lets the ringer look once, and says how many calls it made.
func (x *exchange) round(t *testing.T) int {
	t.Helper()
	before := len(x.calls)
	var calls errgroup.Group
	x.look(t.Context(), &calls)
	if err := calls.Wait(); err != nil {
		t.Error(err)
	}
	return len(x.calls) - before
}

// write has a message come for the user.
func (x *exchange) write(t *testing.T, id string) sessions.Seq {
	t.Helper()
	seq, err := x.sessions.Deliver(t.Context(), x.user, im.Message{
		ID: id, Origin: id, From: im.Address{Network: im.Hark, ID: "4711009"}, Body: "Hello", Sent: time.Now().UTC(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// proven gives the user a telephone that is called.
func (x *exchange) proven(t *testing.T, b ivr.CallBack) {
	t.Helper()
	ctx := t.Context()
	if err := x.accounts.BindPhone(ctx, x.user, "201"); err != nil {
		t.Fatal(err)
	}
	b.On = true
	if err := x.SetCallBack(ctx, x.user, b); err != nil {
		t.Fatal(err)
	}
}

func TestRingerCallsForAMessageOnce(t *testing.T) {
	x := newExchange(t)
	x.write(t, "one")
	if n := x.round(t); n != 0 {
		t.Fatalf("%d calls to a user who named no telephone", n)
	}
	x.proven(t, ivr.CallBack{Daily: 5})
	x.clock = time.Now()
	if n := x.round(t); n != 0 {
		t.Errorf("%d calls for a message that has just come", n)
	}
	x.clock = time.Now().Add(ringSettle)
	x.silent = true
	if n := x.round(t); n != 1 || x.calls[0].Endpoint != "PJSIP/201@desk" || x.calls[0].From != "7000" || x.ana != 0 {
		t.Errorf("%d calls: %+v", n, x.calls)
	}
	if n := x.round(t); n != 0 {
		t.Errorf("%d more calls for the same message", n)
	}
	x.silent, x.clock = false, x.clock.Add(time.Hour)
	seq := x.write(t, "two")
	if n := x.round(t); n != 1 || x.ana != 1 {
		t.Errorf("%d calls for the next message, %d answered", n, x.ana)
	}
	x.write(t, "three")
	if err := x.sessions.Advance(t.Context(), x.user, "web", seq+1); err != nil {
		t.Fatal(err)
	}
	if n := x.round(t); n != 0 {
		t.Errorf("%d calls for a message that was read on the web", n)
	}
}

func TestRingerRestsAndStops(t *testing.T) {
	x := newExchange(t)
	noon := time.Date(2100, 1, 1, 12, 0, 0, 0, time.Local)
	x.proven(t, ivr.CallBack{Daily: 1, QuietFrom: 22, QuietTo: 7})
	x.write(t, "one")
	for _, hour := range []time.Duration{10 * time.Hour, 18 * time.Hour} {
		x.clock = noon.Add(hour)
		if n := x.round(t); n != 0 {
			t.Errorf("%d calls at %v", n, x.clock)
		}
	}
	x.clock = noon.Add(20 * time.Hour)
	if n := x.round(t); n != 1 {
		t.Errorf("%d calls in the morning", n)
	}
	x.write(t, "two")
	if n := x.round(t); n != 0 {
		t.Errorf("%d calls beyond the most a day", n)
	}
	if err := x.Deny(t.Context(), x.user, "201"); err != nil {
		t.Fatal(err)
	}
	if b, err := x.CallBack(t.Context(), x.user); b != (ivr.CallBack{}) || err != nil {
		t.Errorf("a telephone of somebody else is kept: %+v, %v", b, err)
	}
}

func TestRingerProvesATelephone(t *testing.T) {
	x := newExchange(t)
	ctx := t.Context()
	for number, want := range map[string]error{"900": ivr.ErrNoWay, "": ivr.ErrNoWay, "2x": ivr.ErrNoWay, "202": nil} {
		if err := x.Test(ctx, x.user, number); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", number, err, want)
		}
	}
	if n := x.round(t); n != 0 {
		t.Errorf("%d calls while the user still has the telephone at his ear", n)
	}
	if b, _ := x.CallBack(ctx, x.user); b.Proven || b.Number != "202" || !b.Testing {
		t.Errorf("before the call it is %+v", b)
	}
	x.due(t)
	x.attach(t, `{"clients":{"phone":1}}`)
	if n := x.round(t); n != 0 {
		t.Errorf("%d calls to a user who is in a call still", n)
	}
	x.attach(t, `{"clients":{"web":1}}`)
	if n := x.round(t); n != 1 {
		t.Errorf("%d calls once the user has hung up", n)
	}
	if b, _ := x.CallBack(ctx, x.user); b.Testing {
		t.Errorf("after the call it is %+v", b)
	}
}

// due lets the time pass until a telephone may be called to be proven.
func (x *exchange) due(t *testing.T) {
	t.Helper()
	err := x.parts.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE phone SET test = 1 WHERE test <> 0`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// attach has the owner of the user's session report its clients.
func (x *exchange) attach(t *testing.T, report string) {
	t.Helper()
	ctx := t.Context()
	if _, err := x.sessions.Lookup(ctx, x.user); err != nil {
		inc, err := x.sessions.StartNode(ctx, "n1", "hark://127.0.0.1:7778", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.sessions.Claim(ctx, x.user, "session", "n1", inc); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.sessions.SetState(ctx, x.user, "report", []byte(report)); err != nil {
		t.Fatal(err)
	}
}

// TestWebPhones: the page names a telephone by the rules of the dialogue, which sees it, and proves it.
func TestWebPhones(t *testing.T) {
	x := newExchange(t)
	ctx := t.Context()
	page := webPhones{x.accounts, x.trunks}
	for _, c := range []struct {
		number string
		want   error
	}{{"900", web.ErrNoWay}, {"2x", web.ErrNoWay}, {"202", nil}} {
		if err := page.TestPhone(ctx, x.user, c.number); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.number, err, c.want)
		}
	}
	if p, err := page.Phone(ctx, x.user); err != nil || p.Number != "202" || p.Proven || !p.Test {
		t.Errorf("before the call it is %+v, %v", p, err)
	}
	if fresh, err := x.Prove(ctx, x.user, "202"); !fresh || err != nil {
		t.Errorf("not proven: %v, %v", fresh, err)
	}
	if p, err := page.Phone(ctx, x.user); err != nil || !p.Proven || !p.Ring {
		t.Errorf("after the call it is %+v, %v", p, err)
	}
}

// TestReach: only a proven telephone is rung, by whom its owner has written to, at an hour that he allows, so often a day.
func TestReach(t *testing.T) {
	x := newExchange(t)
	ctx := t.Context()
	reach := func(want error) {
		t.Helper()
		if endpoint, err := x.Reach(ctx, "4711009", x.user); !errors.Is(err, want) || err == nil && endpoint != "PJSIP/201@desk" {
			t.Errorf("%q, %v; want %v", endpoint, err, want)
		}
	}
	reach(ivr.ErrNoWay)
	if err := x.Test(ctx, x.user, "201"); err != nil {
		t.Fatal(err)
	}
	reach(ivr.ErrNoWay)
	x.proven(t, ivr.CallBack{Daily: 5, QuietFrom: 22, QuietTo: 7})
	x.clock = time.Date(2100, 1, 1, 23, 0, 0, 0, time.Local)
	reach(ivr.ErrNoWay)
	x.clock, x.talks = x.clock.Add(12*time.Hour), 2
	reach(ivr.ErrNoWay)
	if _, err := x.sessions.Deliver(ctx, "4711009", im.Message{
		Origin: "1", ID: "1", From: im.Address{Network: im.Hark, ID: x.user}, Body: "Please call me.",
	}); err != nil {
		t.Fatal(err)
	}
	reach(nil)
	reach(nil)
	reach(ivr.ErrNoWay)
}

func TestPerCaller(t *testing.T) {
	var p perCaller
	line := ivrtest.NewLine("1", "5551234", "")
	first, ok := p.enter(line, 2)
	_, second := p.enter(line, 2)
	_, third := p.enter(line, 2)
	if !ok || !second || third {
		t.Errorf("let in: %v, %v, %v", ok, second, third)
	}
	for _, c := range []struct {
		line  *ivrtest.Line
		limit int
	}{{line, 0}, {ivrtest.NewLine("2", "", ""), 1}, {ivrtest.NewLine("3", "5559999", ""), 1}} {
		if _, ok := p.enter(c.line, c.limit); !ok {
			t.Errorf("%q is not let in with a limit of %d", c.line.Caller(), c.limit)
		}
	}
	first()
	if _, ok := p.enter(line, 2); !ok {
		t.Error("nobody is let in after a call has ended")
	}
}
