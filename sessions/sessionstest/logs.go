package sessionstest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hark/im"
	"hark/sessions"
)

var logRules = []rule{
	{"messages are numbered from 1 without gaps", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		seqs, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(1), incoming(2)}})
		must(t, err)
		wantSeqs(t, seqs, 1, 2)
		seqs, err = h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(3)}})
		must(t, err)
		wantSeqs(t, seqs, 3)
	}},
	{"a known origin gives its old number and leaves no gap", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		appendN(t, h.Store, epoch, 1, 3)
		seqs, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(2), incoming(4), incoming(4), incoming(1), incoming(5)}})
		must(t, err)
		wantSeqs(t, seqs, 2, 4, 4, 1, 5)
		equal(t, "log", strings.Join(bodies(t, h.Store, sessions.Query{}), ", "), "message 1, message 2, message 3, message 4, message 5")
	}},
	{"origins are a user's own, and per direction", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		claim(t, h.Store, "other", "s2", "a", 1)
		sent := incoming(1)
		sent.Outgoing = true
		seqs, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(1), sent, sent}})
		must(t, err)
		wantSeqs(t, seqs, 1, 2, 2)
		seqs, err = h.Store.Append(ctx, "other", 1, sessions.Batch{Messages: []im.Message{incoming(1)}})
		must(t, err)
		wantSeqs(t, seqs, 1)
	}},
	{"messages without an origin are all kept", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		m := incoming(1)
		m.Origin = ""
		seqs, err := h.Store.Append(context.Background(), user, epoch, sessions.Batch{Messages: []im.Message{m, m}})
		must(t, err)
		wantSeqs(t, seqs, 1, 2)
	}},
	{"messages and resume state are one", appendWithResume},
	{"messages are told of when they are visible", appendVisible},
	{"a message comes back as it was", roundTrip},
	{"what an engine cannot keep is replaced, not refused", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		m := incoming(1)
		m.Body = "a\x00b\xffc"
		_, err := h.Store.Append(context.Background(), user, epoch, sessions.Batch{Messages: []im.Message{m}})
		must(t, err)
		equal(t, "body", bodies(t, h.Store, sessions.Query{})[0], "a\uFFFDb\uFFFDc")
	}},
	{"ids may be of any length", longIDs},
	{"delivery needs no session and is idempotent by origin", deliver},
	{"delivery joins the log of a session that there is", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		appendN(t, h.Store, epoch, 1, 1)
		seq, err := h.Other.Deliver(ctx, user, incoming(2))
		must(t, err)
		equal(t, "number", seq, 2)
		appendN(t, h.Store, epoch, 3, 3)
		equal(t, "messages", len(bodies(t, h.Store, sessions.Query{})), 3)
	}},
	{"numbers have no gaps when many write at once", manyWriters},
	{"purge removes everything about a user and nothing else", purge},
}

func wantSeqs(t tb, got []sessions.Seq, want ...sessions.Seq) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("numbers are %v, want %v", got, want)
	}
}

// longIDs: strangers choose the ids of their messages. One that is too long still tells a message from another, and is not
// given back.
func longIDs(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	random := make([]byte, 10_000) // which no index holds
	rand.Read(random)
	long := hex.EncodeToString(random)
	m, other := incoming(1), incoming(2)
	m.Origin, m.ID, m.ReplyTo, m.Markable = long, long, long, true
	other.Origin = long + "2"
	copied := m
	copied.Outgoing = true
	seqs, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{m, other, m, copied}})
	must(t, err)
	wantSeqs(t, seqs, 1, 2, 1, 3)
	got, err := h.Store.Read(ctx, user, sessions.Query{})
	must(t, err)
	if first := got[0]; len(first.Origin) > sessions.MaxID || first.ID != "" || first.ReplyTo != "" || first.Markable {
		t.Errorf("%d, %d and %d bytes of ids, markable %v", len(first.Origin), len(first.ID), len(first.ReplyTo), first.Markable)
	}
}

func appendWithResume(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	state := func(want string) {
		t.Helper()
		got, err := h.Other.ResumeState(ctx, user, "xmpp")
		must(t, err)
		equal(t, "resume state", string(got), want)
	}
	state("")
	_, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(1)}, Network: "xmpp", Resume: im.Resume("r1")})
	must(t, err)
	state("r1")
	_, err = h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(2)}})
	must(t, err)
	state("r1")
	_, err = h.Store.Append(ctx, user, epoch+1, sessions.Batch{Messages: []im.Message{incoming(3)}, Network: "xmpp", Resume: im.Resume("r3")})
	wantErr(t, err, sessions.ErrFenced)
	state("r1")
	equal(t, "messages", len(bodies(t, h.Store, sessions.Query{})), 2)
	must(t, h.Store.SetResume(ctx, user, epoch, "xmpp", im.Resume("r4")))
	state("r4")
	must(t, h.Store.SetResume(ctx, user, epoch, "irc", im.Resume("other")))
	state("r4")
	must(t, h.Store.SetResume(ctx, user, epoch, "xmpp", nil))
	state("")
}

func appendVisible(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	appendN(t, h.Store, epoch, 1, 1)
	told := make(chan []sessions.Seq, 1)
	batch := sessions.Batch{Messages: []im.Message{incoming(1), incoming(2)}, Visible: func(seqs []sessions.Seq) { told <- seqs }}
	_, err := h.Store.Append(ctx, user, epoch+1, batch)
	wantErr(t, err, sessions.ErrFenced)
	equal(t, "told of what was fenced", len(told), 0)
	var counted sync.WaitGroup
	counted.Go(func() {
		seqs := <-told
		waiting, err := h.Other.Waiting(ctx, user, "phone")
		if !slices.Equal(seqs, []sessions.Seq{1, 2}) || waiting.Count != 2 || err != nil {
			t.Errorf("told of %v, and %d messages wait (%v)", seqs, waiting.Count, err)
		}
	})
	_, err = h.Store.Append(ctx, user, epoch, batch)
	close(told)
	counted.Wait()
	must(t, err)
}

func roundTrip(t *testing.T, h Harness) {
	epoch := owned(t, h)
	m := im.Message{
		Origin: "o", ID: "i", Name: "Ben", Body: "Grüße, 👋\r\n", ReplyTo: "earlier",
		From: im.Address{Network: "xmpp", ID: "ben@example.org"}, To: im.Address{Network: "xmpp", ID: "ana@example.org"},
		Sent: time.Date(2026, 2, 3, 4, 5, 6, 789000, time.UTC),
		Attachments: []im.Attachment{{URL: "https://example.org/a", Type: "audio/mpeg", Seconds: 7.25, Size: 9000, Title: "Voice"},
			{URL: "https://example.org/b"}},
		Choices: []im.Choice{{Label: "Gladly", Body: "yes"}, {Label: "no", Body: "no"}}, Markable: true,
	}
	_, err := h.Store.Append(context.Background(), user, epoch, sessions.Batch{Messages: []im.Message{m, {Body: "bare"}}})
	must(t, err)
	got, err := h.Other.Read(context.Background(), user, sessions.Query{})
	must(t, err)
	if diff := cmp.Diff(m, got[0].Message); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(im.Message{Body: "bare"}, got[1].Message); diff != "" {
		t.Error(diff)
	}
	if got[0].Stored.IsZero() || got[0].Size < len(m.Body) || got[0].State != "" {
		t.Errorf("stored %v, size %d, state %q", got[0].Stored, got[0].Size, got[0].State)
	}
}

func deliver(t *testing.T, h Harness) {
	ctx := context.Background()
	for range 2 {
		seq, err := h.Other.Deliver(ctx, user, incoming(1))
		must(t, err)
		equal(t, "number", seq, 1)
	}
	_, err := h.Store.Lookup(ctx, user)
	wantErr(t, err, sessions.ErrNotFound)
	w, err := h.Store.Waiting(ctx, user, "phone")
	must(t, err)
	equal(t, "waiting", w, sessions.Waiting{Count: 1, Last: 1})
	grant := claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a"))
	equal(t, "grant", grant, sessions.Grant{Epoch: 1, Session: "s1"})
}

func manyWriters(t *testing.T, h Harness) {
	const writers, each = 8, 25
	epoch := owned(t, h)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			store := []sessions.Store{h.Store, h.Other}[w%2]
			for n := range each {
				m := incoming(w*each + n)
				var err error
				if w%4 < 2 {
					_, err = store.Append(context.Background(), user, epoch, sessions.Batch{Messages: []im.Message{m}})
				} else {
					_, err = store.Deliver(context.Background(), user, m)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	msgs, err := h.Store.Read(context.Background(), user, sessions.Query{Max: 500})
	must(t, err)
	equal(t, "messages", len(msgs), writers*each)
	for i, m := range msgs {
		equal(t, "number", m.Seq, sessions.Seq(i+1))
	}
}

func purge(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	must(t, h.Store.PutKeys(ctx, user, epoch, forAnHour(sessions.Key{Hash: "h", Kind: "token", Client: "web"}, 1)))
	appendN(t, h.Store, epoch, 1, 2)
	must(t, h.Store.SetResume(ctx, user, epoch, "xmpp", im.Resume("r")))
	must(t, h.Store.SetState(ctx, user, "place", []byte("p")))
	must(t, h.Store.Advance(ctx, user, "phone", 1))
	_, err := h.Store.Deliver(ctx, "other", incoming(1))
	must(t, err)
	must(t, h.Other.Purge(ctx, user))
	must(t, h.Other.Purge(ctx, user))

	_, err = h.Store.Lookup(ctx, user)
	wantErr(t, err, sessions.ErrNotFound)
	_, _, err = h.Store.UseKey(ctx, "h")
	wantErr(t, err, sessions.ErrNotFound)
	equal(t, "messages", len(bodies(t, h.Store, sessions.Query{})), 0)
	resume, err := h.Store.ResumeState(ctx, user, "xmpp")
	must(t, err)
	place, err := h.Store.GetState(ctx, user, "place")
	must(t, err)
	cursor, err := h.Store.Cursor(ctx, user, "phone")
	must(t, err)
	if resume != nil || place != nil || cursor != 0 {
		t.Errorf("left over: resume %q, place %q, cursor %d", resume, place, cursor)
	}
	_, err = h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(3)}})
	wantErr(t, err, sessions.ErrFenced)
	w, err := h.Store.Waiting(ctx, "other", "phone")
	must(t, err)
	equal(t, "another user's messages", w.Count, 1)
}
