package ivr

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hark/im"
	"hark/presence/wire"
	"hark/prompts"
)

// mail makes messages by these persons, numbered from 1.
func mail(from ...string) []wire.Message {
	var list []wire.Message
	for i, name := range from {
		list = append(list, wire.Message{Seq: int64(i + 1), Message: im.Message{From: im.Address{Network: "x", ID: name}}})
	}
	return list
}

func numbers(q *queue) []int64 {
	var list []int64
	for _, it := range q.items {
		list = append(list, it.Seq)
	}
	return list
}

func TestOrder(t *testing.T) {
	q := &queue{}
	q.add(mail("ben", "carla", "ben", "dora", "carla"))
	if got := numbers(q); !slices.Equal(got, []int64{1, 3, 2, 5, 4}) {
		t.Errorf("the order is %v", got)
	}
	q.move(1)
	if q.nextPerson() != 2 {
		t.Errorf("the next person is at %d", q.nextPerson())
	}
	q.add(mail("ben")) // known already
	if len(q.items) != 5 {
		t.Error("a message was added twice")
	}
}

func TestNewMessagesDoNotMoveTheOneBeingRead(t *testing.T) {
	q := &queue{}
	q.add(mail("ben", "carla"))
	q.move(1)
	q.add([]wire.Message{{Seq: 3, Message: im.Message{From: q.items[0].From}}})
	if it, _ := q.current(); it.Seq != 2 || !slices.Equal(numbers(q), []int64{1, 2, 3}) {
		t.Errorf("message %d is read, the order is %v", it.Seq, numbers(q))
	}
	n := q.prepend([]wire.Message{{Seq: -1}, {Seq: 0, Message: im.Message{Outgoing: true}}})
	if it, _ := q.current(); n != 1 || it.Seq != 2 {
		t.Errorf("%d older ones, message %d is read", n, it.Seq)
	}
}

// TestProgress compares with a plain model: acknowledged is the longest run of heard messages, the rest is kept apart,
// and nothing that was not heard is ever covered.
func TestProgress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "messages")
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"ben", "carla", "dora"}), n, n).Draw(t, "senders")
		q := &queue{}
		q.add(mail(names...))
		for _, seq := range rapid.SliceOf(rapid.Int64Range(1, int64(n))).Draw(t, "heard") {
			q.items[q.index(seq)].heard = true
			q.cursor, q.beyond = q.progress()
		}
		for seq := int64(1); seq <= int64(n); seq++ {
			told := seq <= q.cursor || slices.Contains(q.beyond, seq)
			if heard := q.items[q.index(seq)].heard; told != heard {
				t.Fatalf("message %d: heard %t, told %t (cursor %d, beyond %v)", seq, heard, told, q.cursor, q.beyond)
			}
		}
		if len(q.beyond) > 0 && slices.Contains(q.beyond, q.cursor+1) {
			t.Fatalf("cursor %d, beyond %v", q.cursor, q.beyond)
		}
	})
}

func TestListened(t *testing.T) {
	const total = 10 * time.Second
	it := &item{}
	for _, step := range []struct {
		from, to time.Duration
		enough   bool
	}{
		{0, 4 * time.Second, false}, {0, 4 * time.Second, false}, {9 * time.Second, total, false},
		{3 * time.Second, 6 * time.Second, false}, {6 * time.Second, 7 * time.Second, true},
	} {
		if got := it.listened(step.from, step.to, total); got != step.enough {
			t.Errorf("from %s to %s: %t", step.from, step.to, got)
		}
	}
}

func TestCut(t *testing.T) {
	clips := []prompts.Clip{{Duration: time.Second}, {Duration: 2 * time.Second}}
	for _, c := range []struct {
		at     time.Duration
		first  int
		offset time.Duration
	}{{0, 0, 0}, {999 * time.Millisecond, 0, 999 * time.Millisecond}, {time.Second, 1, 0}, {2 * time.Second, 1, time.Second}, {3 * time.Second, 2, 0}} {
		left, first := cut(clips, c.at)
		if first != c.first || len(left) != 2-c.first || len(left) > 0 && left[0].Offset != c.offset {
			t.Errorf("at %s: %v from %d", c.at, left, first)
		}
	}
	if clips[0].Offset != 0 || clips[1].Offset != 0 {
		t.Error("the clips themselves were changed")
	}
}
