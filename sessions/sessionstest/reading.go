package sessionstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/im"
	"hark/sessions"
)

var readRules = []rule{
	{"a query selects by number, person, text and direction", selections},
	{"a read returns 100 messages, and 500 at most", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		batch := make([]im.Message, 600)
		for i := range batch {
			batch[i] = incoming(i + 1)
		}
		_, err := h.Store.Append(context.Background(), user, epoch, sessions.Batch{Messages: batch})
		must(t, err)
		equal(t, "by default", len(bodies(t, h.Store, sessions.Query{})), 100)
		equal(t, "at most", len(bodies(t, h.Store, sessions.Query{Max: 9999})), 500)
		equal(t, "rare text", strings.Join(bodies(t, h.Store, sessions.Query{Text: "MESSAGE 59", Max: 3, After: 100}), " "), "message 590 message 591 message 592")
	}},
	{"a user without messages reads nothing", func(t *testing.T, h Harness) {
		equal(t, "messages", len(bodies(t, h.Store, sessions.Query{})), 0)
		equal(t, "matches", len(bodies(t, h.Store, sessions.Query{Text: "x"})), 0)
	}},
}

func selections(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	zoe := incoming(2)
	zoe.From.ID, zoe.Body = "zoe@example.org", "GRÜSSE aus Kiel, 100%_"
	_, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(1), zoe, incoming(3)}})
	must(t, err)
	_, _, err = h.Store.Journal(ctx, user, epoch, reply(4))
	must(t, err)
	ben := im.Address{Network: "xmpp", ID: "ben@example.org"}
	for name, c := range map[string]struct {
		query sessions.Query
		want  string // numbers
	}{
		"all":              {sessions.Query{}, "1234"},
		"after":            {sessions.Query{After: 2}, "34"},
		"the first two":    {sessions.Query{Max: 2}, "12"},
		"the last before":  {sessions.Query{Before: 4, Max: 2}, "23"},
		"between":          {sessions.Query{After: 1, Before: 4}, "23"},
		"a conversation":   {sessions.Query{With: ben}, "134"},
		"incoming":         {sessions.Query{In: true}, "123"},
		"incoming of Ben":  {sessions.Query{In: true, With: ben, Before: 3}, "1"},
		"text":             {sessions.Query{Text: "MESSAGE"}, "134"},
		"text with umlaut": {sessions.Query{Text: "grüsse"}, "2"},
		"sharp s":          {sessions.Query{Text: "Grüße"}, "2"},
		"no wildcards":     {sessions.Query{Text: "%"}, "2"},
		"no such text":     {sessions.Query{Text: "m_ssage"}, ""},
		"latest":           {sessions.Query{Latest: true}, "24"},
		"the very latest":  {sessions.Query{Latest: true, Max: 1}, "4"},
	} {
		t.Run(name, func(t *testing.T) {
			msgs, err := h.Other.Read(ctx, user, c.query)
			must(t, err)
			var got string
			for _, m := range msgs {
				got += string('0' + rune(m.Seq))
			}
			equal(t, "messages", got, c.want)
		})
	}
}

// manyAdvance acknowledges in rounds, each with all numbers of a log at once.
func manyAdvance(t *testing.T, h Harness) {
	const end = 8
	appendN(t, h.Store, owned(t, h), 1, end)
	for round := range 10 {
		client := fmt.Sprint("client", round)
		var wg sync.WaitGroup
		for seq := range sessions.Seq(end) {
			wg.Go(func() {
				if err := h.Store.Advance(context.Background(), user, client, seq+1); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantCursor(t, h.Other, client, end, 0)
	}
}

var cursorRules = []rule{
	{"each client kind has a cursor of its own", func(t *testing.T, h Harness) {
		ctx := context.Background()
		appendN(t, h.Store, owned(t, h), 1, 4)
		must(t, h.Store.Advance(ctx, user, "phone", 3))
		wantCursor(t, h.Other, "phone", 3, 1)
		wantCursor(t, h.Other, "web", 0, 4)
	}},
	{"a cursor never goes back", func(t *testing.T, h Harness) {
		ctx := context.Background()
		appendN(t, h.Store, owned(t, h), 1, 4)
		must(t, h.Store.Advance(ctx, user, "phone", 3))
		must(t, h.Store.Advance(ctx, user, "phone", 2))
		must(t, h.Store.Advance(ctx, user, "phone", 3))
		must(t, h.Store.Advance(ctx, user, "phone", 0))
		must(t, h.Store.Advance(ctx, user, "phone", -1))
		wantCursor(t, h.Store, "phone", 3, 1)
	}},
	{"of acknowledgements at the same moment the furthest holds", manyAdvance},
	{"a cursor does not pass the log's end", func(t *testing.T, h Harness) {
		ctx := context.Background()
		wantErr(t, h.Store.Advance(ctx, user, "phone", 1), sessions.ErrNotFound)
		appendN(t, h.Store, owned(t, h), 1, 2)
		wantErr(t, h.Store.Advance(ctx, user, "phone", 3), sessions.ErrNotFound)
		must(t, h.Store.Advance(ctx, user, "phone", 2))
		wantCursor(t, h.Store, "phone", 2, 0)
	}},
	{"outgoing messages never wait", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		appendN(t, h.Store, epoch, 1, 1)
		_, _, err := h.Store.Journal(ctx, user, epoch, reply(1))
		must(t, err)
		carbon := incoming(2)
		carbon.Outgoing = true
		_, err = h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{carbon}})
		must(t, err)
		wantCursor(t, h.Store, "phone", 0, 1)
	}},
	{"what is unread is counted by who sent it", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		zoe := incoming(2)
		zoe.From.ID = "zoe@example.org"
		_, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(1), zoe, incoming(3), incoming(4)}})
		must(t, err)
		_, _, err = h.Store.Journal(ctx, user, epoch, reply(5))
		must(t, err)
		must(t, h.Store.Advance(ctx, user, "phone", 1))
		for client, want := range map[string]map[im.Address]int{
			"phone": {incoming(1).From: 2, zoe.From: 1},
			"web":   {incoming(1).From: 3, zoe.From: 1},
		} {
			got, err := h.Other.Unread(ctx, user, client)
			must(t, err)
			equal(t, client, fmt.Sprint(got), fmt.Sprint(want))
		}
	}},
}

func wantCursor(t testing.TB, s sessions.Store, client string, cursor sessions.Seq, waiting int) {
	t.Helper()
	at, err := s.Cursor(context.Background(), user, client)
	must(t, err)
	equal(t, client+" cursor", at, cursor)
	w, err := s.Waiting(context.Background(), user, client)
	must(t, err)
	equal(t, client+" waiting", w.Count, waiting)
}

var retentionRules = []rule{
	{"what is beyond the count goes, the oldest first", func(t *testing.T, h Harness) {
		appendN(t, h.Store, owned(t, h), 1, 10)
		wantRetained(t, h, sessions.Retention{Count: 4}, 6, "message 7, message 8, message 9, message 10")
		wantRetained(t, h, sessions.Retention{Count: 4}, 0, "message 7, message 8, message 9, message 10")
	}},
	{"what is beyond the size goes", func(t *testing.T, h Harness) {
		appendN(t, h.Store, owned(t, h), 1, 4)
		msgs, err := h.Store.Read(context.Background(), user, sessions.Query{})
		must(t, err)
		wantRetained(t, h, sessions.Retention{Bytes: int64(msgs[2].Size + msgs[3].Size)}, 2, "message 3, message 4")
	}},
	{"what is too old goes", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		appendN(t, h.Store, epoch, 1, 2)
		h.Advance(time.Hour)
		appendN(t, h.Store, epoch, 3, 3)
		wantRetained(t, h, sessions.Retention{Age: time.Hour}, 0, "message 1, message 2, message 3")
		h.Advance(time.Millisecond)
		wantRetained(t, h, sessions.Retention{Age: time.Hour}, 2, "message 3")
	}},
	{"the default is 30 days and 1,000 messages", func(t *testing.T, h Harness) {
		appendN(t, h.Store, owned(t, h), 1, 2)
		h.Advance(30 * 24 * time.Hour)
		wantRetained(t, h, sessions.Retention{}, 0, "message 1, message 2")
		h.Advance(time.Millisecond)
		wantRetained(t, h, sessions.Retention{}, 2, "")
	}},
	{"what all have read goes after a week, and nobody missed it", readByAll},
	{"what was read in one place and not in another stays", func(t *testing.T, h Harness) {
		appendN(t, h.Store, owned(t, h), 1, 2)
		h.Advance(8 * 24 * time.Hour)
		wantRetained(t, h, sessions.Retention{}, 0, "message 1, message 2") // nobody read any
		must(t, h.Store.Advance(context.Background(), user, "phone", 2))
		must(t, h.Store.Advance(context.Background(), user, "web", 1))
		wantRetained(t, h, sessions.Retention{Read: 9 * 24 * time.Hour}, 0, "message 1, message 2")
		wantRetained(t, h, sessions.Retention{}, 1, "message 2")
	}},
	{"each client kind hears how many it missed, until it has gone on", missed},
	{"numbers go on, and what was dropped is still known", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		appendN(t, h.Store, epoch, 1, 4)
		wantRetained(t, h, sessions.Retention{Count: 1}, 3, "message 4")
		seqs, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(2), incoming(5)}})
		must(t, err)
		wantSeqs(t, seqs, 2, 5)
		equal(t, "log", strings.Join(bodies(t, h.Store, sessions.Query{}), ", "), "message 4, message 5")
	}},
	{"what waits to be sent stays, and a sent id is still known", func(t *testing.T, h Harness) {
		ctx := context.Background()
		epoch := owned(t, h)
		for n := range 3 {
			_, _, err := h.Store.Journal(ctx, user, epoch, reply(n))
			must(t, err)
		}
		must(t, h.Store.Settle(ctx, user, epoch, "out1", im.Sent, ""))
		appendN(t, h.Store, epoch, 9, 9)
		wantRetained(t, h, sessions.Retention{Count: 1}, 1, "message 0, message 2, message 9")
		seq, fresh, err := h.Store.Journal(ctx, user, epoch, reply(1))
		must(t, err)
		equal(t, "number", seq, 2)
		equal(t, "fresh", fresh, false)
	}},
	{"everybody's logs are bounded in one call", func(t *testing.T, h Harness) {
		ctx := context.Background()
		appendN(t, h.Store, owned(t, h), 1, 5)
		for n := range 3 {
			_, err := h.Store.Deliver(ctx, "other", incoming(n))
			must(t, err)
		}
		n, err := h.Other.Retain(ctx, "", sessions.Retention{Count: 2})
		must(t, err)
		equal(t, "dropped", n, 3+1)
		n, err = h.Other.Retain(ctx, "", sessions.Retention{Count: 2})
		must(t, err)
		equal(t, "dropped again", n, 0)
	}},
}

func wantRetained(t testing.TB, h Harness, r sessions.Retention, dropped int, left string) {
	t.Helper()
	n, err := h.Store.Retain(context.Background(), user, r)
	must(t, err)
	equal(t, "dropped", n, dropped)
	equal(t, "log", strings.Join(bodies(t, h.Other, sessions.Query{}), ", "), left)
}

func readByAll(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	_, _, err := h.Store.Journal(ctx, user, epoch, reply(1))
	must(t, err)
	appendN(t, h.Store, epoch, 2, 3)
	must(t, h.Store.Advance(ctx, user, "phone", 3))
	h.Advance(7 * 24 * time.Hour)
	appendN(t, h.Store, epoch, 4, 4)
	must(t, h.Store.Advance(ctx, user, "phone", 4))
	_, err = h.Store.Deliver(ctx, "other", incoming(5))
	must(t, err)
	for _, dropped := range []int{0, 2, 0} {
		n, err := h.Other.Retain(ctx, "", sessions.Retention{})
		must(t, err)
		equal(t, "dropped", n, dropped)
		h.Advance(time.Millisecond)
	}
	equal(t, "log", strings.Join(bodies(t, h.Other, sessions.Query{}), ", "), "message 1, message 4") // the first waits to be sent
	for _, client := range []string{"phone", "web"} {
		wantDropped(t, h, client, sessions.Dropped{})
	}
	seqs, err := h.Store.Append(ctx, user, epoch, sessions.Batch{Messages: []im.Message{incoming(2)}})
	must(t, err)
	wantSeqs(t, seqs, 2)
}

func missed(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	appendN(t, h.Store, epoch, 1, 2)
	_, _, err := h.Store.Journal(ctx, user, epoch, reply(3))
	must(t, err)
	must(t, h.Store.Settle(ctx, user, epoch, "out3", im.Sent, ""))
	appendN(t, h.Store, epoch, 4, 6)
	must(t, h.Store.Advance(ctx, user, "phone", 2))
	wantDropped(t, h, "phone", sessions.Dropped{})
	wantRetained(t, h, sessions.Retention{Count: 2}, 4, "message 5, message 6")
	wantDropped(t, h, "phone", sessions.Dropped{Count: 1, Upto: 4})
	wantDropped(t, h, "web", sessions.Dropped{Count: 3, Upto: 4})
	must(t, h.Store.Advance(ctx, user, "phone", 5))
	wantDropped(t, h, "phone", sessions.Dropped{})
	must(t, h.Store.Advance(ctx, user, "web", 5))
	wantDropped(t, h, "web", sessions.Dropped{})
	h.Advance(31 * 24 * time.Hour)
	_, err = h.Store.Retain(ctx, user, sessions.Retention{})
	must(t, err)
	wantDropped(t, h, "phone", sessions.Dropped{Count: 1, Upto: 6})
}

func wantDropped(t testing.TB, h Harness, client string, want sessions.Dropped) {
	t.Helper()
	w, err := h.Other.Waiting(context.Background(), user, client)
	must(t, err)
	equal(t, client+" missed", w.Dropped, want)
}

var stateRules = []rule{
	{"several facts are had in one look", func(t *testing.T, h Harness) {
		ctx := context.Background()
		must(t, h.Store.SetState(ctx, user, "a", []byte("1")))
		must(t, h.Store.SetState(ctx, user, "b", []byte("2")))
		must(t, h.Store.SetState(ctx, "other", "c", []byte("3")))
		got, err := h.Other.GetStates(ctx, user, "a", "c", "b", "d")
		must(t, err)
		equal(t, "facts", fmt.Sprintf("%s", got), "map[a:1 b:2]")
	}},
	{"a fact is kept, replaced and removed", func(t *testing.T, h Harness) {
		ctx := context.Background()
		get := func(want []byte) {
			t.Helper()
			got, err := h.Other.GetState(ctx, user, "place")
			must(t, err)
			if string(got) != string(want) || (got == nil) != (want == nil) {
				t.Fatalf("state is %q, want %q", got, want)
			}
		}
		get(nil)
		for _, value := range [][]byte{[]byte("\x00\xff"), []byte("{}"), {}} {
			must(t, h.Store.SetState(ctx, user, "place", value))
			must(t, h.Store.SetState(ctx, user, "draft", []byte("other")))
			get(value)
		}
		must(t, h.Store.SetState(ctx, user, "place", nil))
		must(t, h.Store.SetState(ctx, user, "place", nil))
		get(nil)
	}},
	{"a fact is swapped only while it is what it was taken for", func(t *testing.T, h Harness) {
		ctx := context.Background()
		swap := func(store sessions.Store, old, value string, want error) {
			t.Helper()
			if err := store.SwapState(ctx, user, "draft", fact(old), fact(value)); !errors.Is(err, want) {
				t.Errorf("from %q to %q: %v, want %v", old, value, err, want)
			}
		}
		swap(h.Store, "", "", nil)
		swap(h.Store, "a", "b", sessions.ErrChanged)
		swap(h.Store, "", "a", nil)
		swap(h.Other, "", "b", sessions.ErrChanged)
		swap(h.Other, "", "", sessions.ErrChanged)
		swap(h.Other, "a", "b", nil)
		swap(h.Store, "a", "", sessions.ErrChanged)
		swap(h.Store, "b", "", nil)
		swap(h.Store, "b", "", sessions.ErrChanged)
		if h.Store.SwapState(ctx, user, "draft", nil, make([]byte, sessions.MaxState+1)) == nil {
			t.Error("a longer one was taken")
		}
	}},
	{"of changes made at once by swapping none is lost", func(t *testing.T, h Harness) {
		var adding sync.WaitGroup
		for i := range racers {
			adding.Go(func() { addByte(t, []sessions.Store{h.Store, h.Other}[i%2], byte('a'+i)) })
		}
		adding.Wait()
		got, err := h.Other.GetState(context.Background(), user, "list")
		must(t, err)
		slices.Sort(got)
		equal(t, "what was added", string(got), "abcdefghijklmnop")
	}},
	{"a fact is at most 64 KiB", func(t *testing.T, h Harness) {
		must(t, h.Store.SetState(context.Background(), user, "k", make([]byte, 64<<10)))
		if h.Store.SetState(context.Background(), user, "k", make([]byte, 64<<10+1)) == nil {
			t.Error("a longer one was taken")
		}
	}},
}

// fact is a value, where "" stands for none.
func fact(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

// addByte adds one byte to a fact, as often as somebody else was faster.
func addByte(t *testing.T, store sessions.Store, b byte) {
	ctx := context.Background()
	for {
		old, err := store.GetState(ctx, user, "list")
		if err == nil {
			err = store.SwapState(ctx, user, "list", old, append(slices.Clone(old), b))
		}
		if err == nil {
			return
		}
		if !errors.Is(err, sessions.ErrChanged) {
			t.Error(err)
			return
		}
	}
}
