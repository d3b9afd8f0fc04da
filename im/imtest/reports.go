package imtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/im"
)

var reportCases = []testCase{
	{name: "sent", needs: func(a Abilities) bool { return a.Sent }, run: testSent},
	{name: "delivered", needs: func(a Abilities) bool { return a.Receipts }, run: testDelivered},
	{name: "nobody there", run: testNobody},
	{name: "no receipt before Ack", needs: func(a Abilities) bool { return a.Receipts }, run: testReceipt},
	{name: "read", needs: func(a Abilities) bool { return a.Read }, run: testRead},
	{name: "typing", needs: func(a Abilities) bool { return a.Typing }, run: testTyping},
}

func testSent(b *bench) {
	l := b.open(nil)
	for i := range 5 {
		id := fmt.Sprintf("s%d", i)
		l.send(im.Outgoing{ID: id, Body: id})
		l.delivery(id, im.Sent)
	}
	l.close(im.Logout)
}

func testDelivered(b *bench) {
	l := b.open(nil)
	l.send(im.Outgoing{ID: "d1", Body: "x"})
	l.delivery("d1", im.Delivered)
	l.close(im.Logout)
}

// testNobody sends to an address that nobody has: Send refuses, or a report says that it failed, with words.
func testNobody(b *bench) {
	l := b.open(nil)
	err := l.conn.Send(b.ctx, im.Outgoing{ID: "n1", To: b.Nobody, Body: "anybody there?"})
	if err != nil {
		b.class(err, im.Policy)
	} else if d := l.delivery("n1", im.Failed); d.Reason == "" {
		b.Error("a failure without a reason")
	}
	l.close(im.Logout)
}

func testReceipt(b *bench) {
	l := b.open(nil)
	b.peerSends(im.Outgoing{ID: "r1", Body: "please tell"})
	l.messages(1)
	soon, cancel := context.WithTimeout(b.ctx, 300*time.Millisecond)
	defer cancel()
	if state, err := b.Peer.Told(soon, "r1"); !errors.Is(err, context.DeadlineExceeded) {
		b.Errorf("before Ack the peer was told %q (%v)", state, err)
	}
	l.ackAll()
	b.told("r1", im.Delivered)
	l.close(im.Logout)
}

// told waits until the peer was told so.
func (b *bench) told(id string, want im.DeliveryState) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if got, err := b.Peer.Told(ctx, id); err != nil || got != want {
		b.Errorf("the peer was told %q (%v), not %q", got, err, want)
	}
}

func testRead(b *bench) {
	l := b.open(nil)
	b.peerSends(im.Outgoing{ID: "r2", Body: "please read"})
	m := l.messages(1)[0]
	if err := l.conn.(im.Marker).MarkRead(b.ctx, m); err != nil {
		b.Fatal(err)
	}
	b.told("r2", im.Read)
	l.close(im.Logout)
}

func testTyping(b *bench) {
	l := b.open(nil)
	for _, on := range []bool{true, false} {
		if err := b.Peer.Types(b.ctx, on); err != nil {
			b.Fatal(err)
		}
		l.find("ChatState", func(e im.Event) bool {
			return e.Body == any(im.ChatState{From: b.Peer.Address(), Typing: on})
		})
	}
	if err := l.conn.(im.Typer).SetTyping(b.ctx, b.Peer.Address(), true); err != nil {
		b.Error(err)
	}
	l.close(im.Logout)
}
