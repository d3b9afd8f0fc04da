package imtest

import (
	"context"
	"time"

	"hark/im"
)

var loginCases = []testCase{
	{name: "login and logout", run: testLogin},
	{name: "a wrong password is not tried again", needs: func(a Abilities) bool { return a.Credentials }, run: testWrong},
	{name: "a server that is away", needs: func(a Abilities) bool { return a.Servers }, run: testAway},
	{name: "ctx bounds Open", needs: func(a Abilities) bool { return a.Servers }, run: testSilent},
	{name: "Open with a ctx that is over", run: testOver},
	{name: "a closed Conn refuses", run: testClosed},
	{name: "Close twice", run: testCloseTwice},
	{name: "a resume state that is nonsense", run: testNonsense},
}

func testLogin(b *bench) {
	if got := b.Service.Network(); got == "" || got != b.Account.Network {
		b.Errorf("Network is %q, the account's is %q", got, b.Account.Network)
	}
	l := b.open(nil)
	l.close(im.Logout)
	if r := l.conn.Resume(); r != nil {
		b.Errorf("Resume after a logout is %q", r)
	}
}

// refused opens and returns the error, which must be there.
func (b *bench) refused(ctx context.Context, a im.Account) error {
	b.Helper()
	l := &login{b: b}
	conn, err := b.Service.Open(ctx, a, nil, im.SinkFunc(func(e im.Event) { b.Errorf("event %T from a refused login", e.Body) }))
	if err == nil {
		l.conn = conn
		_ = conn.Close(b.ctx, im.Logout)
		b.Fatal("Open succeeded")
	}
	return err
}

func testWrong(b *bench) {
	err := b.refused(b.ctx, b.Wrong)
	b.class(err, im.Credential)
	if e, ok := err.(*im.Error); ok && e.Retryable() {
		b.Error("a wrong password would be tried again")
	}
}

func testAway(b *bench) {
	err := b.refused(b.ctx, b.Away)
	b.class(err, im.Network)
	if e, ok := err.(*im.Error); ok && !e.Retryable() {
		b.Error("a server that is away would not be tried again")
	}
}

func testSilent(b *bench) {
	ctx, cancel := context.WithTimeout(b.ctx, 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	b.class(b.refused(ctx, b.Silent), im.Network)
	if took := time.Since(begin); took > 5*time.Second {
		b.Errorf("Open came back after %s", took)
	}
}

func testOver(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	b.class(b.refused(ctx, b.Account), im.Network)
}

func testClosed(b *bench) {
	l := b.open(nil)
	l.close(im.Logout)
	err := l.conn.Send(b.ctx, im.Outgoing{ID: "late", To: b.Peer.Address(), Body: "late"})
	b.class(err, im.Network)
	b.class(l.conn.SetPresence(b.ctx, im.Presence{Show: im.Away}), im.Network)
	l.conn.Ack(1) // must not panic
}

func testCloseTwice(b *bench) {
	l := b.open(nil)
	l.close(im.Keep)
	l.close(im.Logout)
}

func testNonsense(b *bench) {
	for _, nonsense := range []string{"", "{", "null", "[]", `{"v":99}`, "\x00\xff"} {
		l := b.open(im.Resume(nonsense))
		l.close(im.Logout)
	}
}
