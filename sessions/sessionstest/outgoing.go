package sessionstest

import (
	"context"
	"testing"
	"time"

	"hark/im"
	"hark/sessions"
)

var outgoingRules = []rule{
	{"a journalled message is queued, outgoing, and pending", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		appendN(t, h.Store, epoch, 1, 1)
		seq, fresh, err := h.Store.Journal(ctx, user, epoch, reply(1))
		must(t, err)
		equal(t, "number", seq, 2)
		equal(t, "fresh", fresh, true)
		pending, err := h.Other.Pending(ctx, user)
		must(t, err)
		equal(t, "pending", len(pending), 1)
		equal(t, "state", pending[0].State, im.Queued)
		equal(t, "outgoing", pending[0].Outgoing, true)
	}},
	{"how long a message is pending is told by the database's clock", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		m := reply(1)
		m.Sent = time.Unix(1, 0) // by a clock that is far from right
		_, _, err := h.Store.Journal(ctx, user, epoch, m)
		must(t, err)
		h.Advance(25 * time.Hour)
		pending, err := h.Other.Pending(ctx, user)
		must(t, err)
		equal(t, "age", pending[0].Age, 25*time.Hour)
	}},
	{"an id stands for one message for 24 hours", journalIDs},
	{"an id may not stand for another text, receiver or file", journalDuplicate},
	{"pending messages are in order", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		for n := 5; n > 0; n-- {
			_, _, err := h.Store.Journal(ctx, user, epoch, reply(n))
			must(t, err)
		}
		must(t, h.Store.Settle(ctx, user, epoch, "out3", im.Sent, ""))
		pending, err := h.Store.Pending(ctx, user)
		must(t, err)
		var ids string
		for _, m := range pending {
			ids += m.ID
		}
		equal(t, "pending", ids, "out5out4out2out1")
	}},
	{"a state never goes backwards", states},
	{"settling an unknown id is not found", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		appendN(t, h.Store, epoch, 1, 1)
		wantErr(t, h.Store.Settle(context.Background(), user, epoch, "i1", im.Sent, ""), sessions.ErrNotFound)
	}},
	{"what the network reports of a message of ours is that message", echoes},
}

func journalIDs(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	again := func(wantSeq sessions.Seq, wantFresh bool) {
		t.Helper()
		seq, fresh, err := h.Store.Journal(ctx, user, epoch, reply(1))
		must(t, err)
		equal(t, "number", seq, wantSeq)
		equal(t, "fresh", fresh, wantFresh)
	}
	again(1, true)
	again(1, false)
	must(t, h.Store.Settle(ctx, user, epoch, "out1", im.Delivered, ""))
	h.Advance(24*time.Hour - time.Millisecond)
	again(1, false)
	h.Advance(time.Millisecond)
	again(2, true)
	must(t, h.Store.Settle(ctx, user, epoch, "out1", im.Sent, ""))
	msgs, err := h.Store.Read(ctx, user, sessions.Query{})
	must(t, err)
	equal(t, "old message's state", msgs[0].State, im.Delivered)
	equal(t, "new message's state", msgs[1].State, im.Sent)
}

func journalDuplicate(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	_, _, err := h.Store.Journal(ctx, user, epoch, reply(1))
	must(t, err)
	changes := map[string]func(*im.Message){
		"body":        func(m *im.Message) { m.Body = "another" },
		"receiver":    func(m *im.Message) { m.To.ID = "zoe@example.org" },
		"attachments": func(m *im.Message) { m.Attachments = []im.Attachment{{URL: "https://example.org/a"}} },
		"reply":       func(m *im.Message) { m.ReplyTo = "i1" },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			m := reply(1)
			change(&m)
			_, _, err := h.Store.Journal(ctx, user, epoch, m)
			wantErr(t, err, sessions.ErrDuplicate)
		})
	}
	equal(t, "messages", len(bodies(t, h.Store, sessions.Query{})), 1)
}

func states(t *testing.T, h Harness) {
	ctx := context.Background()
	steps := map[string]struct {
		states []im.DeliveryState
		want   im.DeliveryState
	}{
		"up":               {[]im.DeliveryState{im.Sent, im.Delivered, im.Read}, im.Read},
		"down":             {[]im.DeliveryState{im.Read, im.Delivered, im.Sent, im.Queued}, im.Read},
		"fails":            {[]im.DeliveryState{im.Sent, im.Failed}, im.Failed},
		"failed is final":  {[]im.DeliveryState{im.Failed, im.Sent, im.Delivered, im.Read}, im.Failed},
		"delivered stands": {[]im.DeliveryState{im.Delivered, im.Failed}, im.Delivered},
	}
	epoch := owned(t, h)
	for name, s := range steps {
		m := reply(1)
		m.ID = name
		seq, _, err := h.Store.Journal(ctx, user, epoch, m)
		must(t, err)
		for _, state := range s.states {
			must(t, h.Store.Settle(ctx, user, epoch, name, state, "why "+string(state)))
		}
		msgs, err := h.Store.Read(ctx, user, sessions.Query{After: seq - 1, Max: 1})
		must(t, err)
		equal(t, name, msgs[0].State, s.want)
		equal(t, name+" reason", msgs[0].Reason, "why "+string(s.want))
	}
}

func echoes(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	_, _, err := h.Store.Journal(ctx, user, epoch, reply(1))
	must(t, err)
	echo, other := reply(1), reply(1)
	echo.Origin, other.Origin = "from the archive", "from another client"
	other.Body = "the same id for another text"
	seqs, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{echo, other}})
	must(t, err)
	wantSeqs(t, seqs, 1, 2)
	pending, err := h.Store.Pending(ctx, user)
	must(t, err)
	equal(t, "pending", len(pending), 0)
	msgs, err := h.Store.Read(ctx, user, sessions.Query{})
	must(t, err)
	equal(t, "state of ours", msgs[0].State, im.Sent)
	equal(t, "state of the other client's", msgs[1].State, im.Sent)
}
