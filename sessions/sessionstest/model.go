package sessionstest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hark/im"
	"hark/sessions"
)

var modelRules = []rule{
	{"log and cursors behave as a list and two numbers", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			who := fmt.Sprintf("user%d", run)
			claim(rt, h.Store, who, "s", "a", 1)
			m := &model{h: h, user: who, epoch: epoch, cursors: map[string]sessions.Seq{}}
			rt.Repeat(map[string]func(*rapid.T){"": m.check, "append": m.append, "deliver": m.deliver, "advance": m.advance, "retain": m.retain})
		})
	}},
}

// A model is what one user's log should be: the origins in order, which of them were dropped, and the cursors.
type model struct {
	h       Harness
	user    string
	epoch   sessions.Epoch
	origins []int // of message i+1
	dropped int   // how many of the first are gone
	cursors map[string]sessions.Seq
}

// seq is the number that a message with the origin has, or gets.
func (m *model) seq(origin int) sessions.Seq {
	if i := slices.Index(m.origins, origin); i >= 0 {
		return sessions.Seq(i + 1)
	}
	m.origins = append(m.origins, origin)
	return sessions.Seq(len(m.origins))
}

func (m *model) append(t *rapid.T) {
	origins := rapid.SliceOfN(rapid.IntRange(1, 60), 1, 5).Draw(t, "origins")
	msgs := make([]im.Message, len(origins))
	want := make([]sessions.Seq, len(origins))
	for i, o := range origins {
		msgs[i], want[i] = incoming(o), m.seq(o)
	}
	got, err := m.h.Store.Append(context.Background(), m.user, m.epoch, sessions.Batch{Messages: msgs})
	must(t, err)
	wantSeqs(t, got, want...)
}

func (m *model) deliver(t *rapid.T) {
	origin := rapid.IntRange(1, 60).Draw(t, "origin")
	got, err := m.h.Other.Deliver(context.Background(), m.user, incoming(origin))
	must(t, err)
	equal(t, "number", got, m.seq(origin))
}

func (m *model) advance(t *rapid.T) {
	client := rapid.SampledFrom([]string{"phone", "web"}).Draw(t, "client")
	seq := sessions.Seq(rapid.IntRange(0, len(m.origins)+2).Draw(t, "seq"))
	err := m.h.Store.Advance(context.Background(), m.user, client, seq)
	if seq > sessions.Seq(len(m.origins)) {
		wantErr(t, err, sessions.ErrNotFound)
		return
	}
	must(t, err)
	m.cursors[client] = max(m.cursors[client], seq)
}

func (m *model) retain(t *rapid.T) {
	count := rapid.IntRange(1, 40).Draw(t, "count")
	got, err := m.h.Store.Retain(context.Background(), m.user, sessions.Retention{Count: count})
	must(t, err)
	want := max(0, len(m.origins)-m.dropped-count)
	equal(t, "dropped", got, want)
	m.dropped += want
}

func (m *model) check(t *rapid.T) {
	ctx := context.Background()
	msgs, err := m.h.Store.Read(ctx, m.user, sessions.Query{})
	must(t, err)
	equal(t, "messages", len(msgs), len(m.origins)-m.dropped)
	for i, msg := range msgs {
		equal(t, "number", msg.Seq, sessions.Seq(m.dropped+i+1))
		equal(t, "origin", msg.Origin, incoming(m.origins[m.dropped+i]).Origin)
	}
	for _, client := range []string{"phone", "web"} {
		at, err := m.h.Other.Cursor(ctx, m.user, client)
		must(t, err)
		equal(t, client+" cursor", at, m.cursors[client])
		w, err := m.h.Other.Waiting(ctx, m.user, client)
		must(t, err)
		equal(t, client+" waiting", w.Count, len(m.origins)-max(m.dropped, int(m.cursors[client])))
	}
}
