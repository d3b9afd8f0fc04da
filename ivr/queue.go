package ivr

import (
	"maps"
	"slices"
	"time"

	"hark/im"
	"hark/presence/wire"
	"hark/prompts"
)

// An item is one message in the queue.
type item struct {
	wire.Message
	heard bool // read to its end in this call or an earlier one, or answered
	told  bool // its sender is told that it was heard, or will be
	parts []bool
}

// voiced tells whether the message came as sound.
func (i *item) voiced() bool {
	return slices.ContainsFunc(i.Attachments, im.Attachment.IsAudio)
}

// The queue is what the reader reads: new messages, those of one person together, persons in the order in which they
// wrote first; and before them older ones, once the caller asked for them.
type queue struct {
	items  []*item
	names  map[im.Address]string    // what messages call their senders
	pos    int                      // the message being read; len(items) is behind the last
	at     time.Duration            // how far into it
	begun  bool                     // its sender was announced
	said   im.Address               // whose name was spoken last in this reading
	active bool                     // the reader is at work, so that a hang-up keeps the place
	placed map[wire.PlaceValue]bool // what the server may hold of this call, and of an earlier one: not another door's
	from   wire.PlaceValue          // the place of an earlier call
	newest int64                    // the newest message that was fetched
	cursor int64                    // up to where the server knows everything as heard
	more   int                      // waiting messages that were not fetched yet
	beyond []int64                  // heard messages after the cursor, as the server has them
	gone   marked                   // messages that the user deleted here
	again  marked                   // messages up to the cursor that are new again
	tell   []int64                  // heard messages whose senders are to be told
	undo   deletion                 // what was just deleted
	sound                           // of the message being read
}

// sound is the message being read, as far as it is rendered.
type sound struct {
	seq     int64
	clips   []prompts.Clip
	pending []phrase // text that is still to be rendered
	voice   bool     // it has a recording in it, so keys seek in it
	own     []string // its links that are ours
	lasting bool     // it cannot be heard at the moment and stays new
	unread  bool     // there is something in it that the voice cannot speak, now or ever
}

// current is the message being read.
func (q *queue) current() (*item, bool) {
	if q.pos < 0 || q.pos >= len(q.items) {
		return nil, false
	}
	return q.items[q.pos], true
}

// move goes to another message, from its beginning.
func (q *queue) move(pos int) {
	q.pos, q.at, q.begun, q.sound = min(max(pos, 0), len(q.items)), 0, false, sound{}
}

// postpone puts the new messages before a place behind all others, so that what was skipped once is offered again. It
// returns where the message at that place is then.
func (q *queue) postpone(i int) int {
	var done, skipped []*item
	for _, it := range q.items[:i] {
		if it.heard {
			done = append(done, it)
		} else {
			skipped = append(skipped, it)
		}
	}
	q.items = slices.Concat(done, q.items[i:], skipped)
	return len(done)
}

// add takes new messages, keeps those of one person together, and returns what was not known yet.
func (q *queue) add(list []wire.Message) (added []*item) {
	for _, m := range list {
		q.newest = max(q.newest, m.Seq)
		if m.Outgoing || q.index(m.Seq) >= 0 || slices.Contains(q.beyond, m.Seq) || q.gone.has(m.Seq) {
			continue
		}
		q.name(m)
		it := &item{Message: m}
		q.insert(it)
		added = append(added, it)
	}
	return added
}

// known is how many messages after the cursor the queue knows of.
func (q *queue) known() int {
	seqs := map[int64]bool{}
	for _, it := range q.items {
		seqs[it.Seq] = true
	}
	for _, seq := range slices.Concat(q.beyond, q.gone.list) {
		seqs[seq] = true
	}
	maps.DeleteFunc(seqs, func(seq int64, _ bool) bool { return seq <= q.cursor })
	return len(seqs)
}

// insert puts an item behind the last unread one of the same person, but not before the one being read.
func (q *queue) insert(it *item) {
	at := len(q.items)
	for i := len(q.items) - 1; i >= q.pos && i >= 0; i-- {
		if q.items[i].From == it.From && !q.items[i].heard {
			at = i + 1
			break
		}
	}
	q.items = slices.Insert(q.items, at, it)
}

// prepend puts older messages before all others, and says how many there were.
func (q *queue) prepend(list []wire.Message) int {
	var old []*item
	for _, m := range list {
		if !m.Outgoing && q.index(m.Seq) < 0 && !q.gone.has(m.Seq) {
			q.name(m)
			old = append(old, &item{Message: m, heard: true, told: true})
		}
	}
	q.items = append(old, q.items...)
	q.pos += len(old)
	q.undo.at += len(old)
	return len(old)
}

// name remembers what a message calls its sender.
func (q *queue) name(m wire.Message) {
	if q.names == nil {
		q.names = map[im.Address]string{}
	}
	if m.Name != "" {
		q.names[m.From] = m.Name
	}
}

// index finds a message by its number; -1 when it is not there.
func (q *queue) index(seq int64) int {
	return slices.IndexFunc(q.items, func(it *item) bool { return it.Seq == seq })
}

// unheard lists the new messages.
func (q *queue) unheard() []*item {
	var list []*item
	for _, it := range q.items {
		if !it.heard {
			list = append(list, it)
		}
	}
	return list
}

// firstUnheard is the position of the first new message; false when there is none.
func (q *queue) firstUnheard() (int, bool) {
	i := slices.IndexFunc(q.items, func(it *item) bool { return !it.heard })
	return i, i >= 0
}

// nextPerson is the position of the next message by somebody else.
func (q *queue) nextPerson() int {
	here, ok := q.current()
	if !ok {
		return len(q.items)
	}
	for i := q.pos + 1; i < len(q.items); i++ {
		if q.items[i].From != here.From {
			return i
		}
	}
	return len(q.items)
}

// oldest is the number of the earliest message that the queue holds or could hold.
func (q *queue) oldest() int64 {
	first := q.cursor + 1
	for _, it := range q.items {
		first = min(first, it.Seq)
	}
	return first
}

// place is where to go on at the next call; false when nothing is half-heard.
func (q *queue) place() (seq, ms int64, ok bool) {
	it, ok := q.current()
	if !ok || !q.active || it.heard {
		return 0, 0, false
	}
	return it.Seq, q.at.Milliseconds(), true
}

// progress is how far everything up to a message without a gap was heard, and what was heard beyond.
func (q *queue) progress() (upto int64, beyond []int64) {
	upto = q.newest
	for _, it := range q.items {
		if !it.heard && it.Seq > q.cursor {
			upto = min(upto, it.Seq-1)
		}
	}
	upto = max(upto, q.cursor)
	for _, it := range q.items {
		if it.heard && it.Seq > upto {
			beyond = append(beyond, it.Seq)
		}
	}
	for _, seq := range q.beyond {
		if seq > upto && !slices.Contains(beyond, seq) {
			beyond = append(beyond, seq)
		}
	}
	slices.Sort(beyond)
	return upto, beyond
}

// enough is the share of a recording that counts as all of it, in percent.
const enough = 80

// listened marks a stretch of a message as heard and tells whether that is enough of it.
func (i *item) listened(from, to, total time.Duration) bool {
	if total <= 0 {
		return true
	}
	if i.parts == nil {
		i.parts = make([]bool, 100)
	}
	share := func(t time.Duration) int { return int(min(max(t, 0), total) * 100 / total) }
	count := 0
	for p := range i.parts {
		i.parts[p] = i.parts[p] || p >= share(from) && p < share(to)
		if i.parts[p] {
			count++
		}
	}
	return count >= enough
}

// millis makes a duration of milliseconds.
func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// length is how long clips last, silences apart.
func length(clips []prompts.Clip) (total time.Duration) {
	for _, clip := range clips {
		total += clip.Duration
	}
	return total
}

// cut is what remains of clips from a time on, and the index of the first that remains.
func cut(clips []prompts.Clip, at time.Duration) ([]prompts.Clip, int) {
	for i, clip := range clips {
		if at < clip.Duration {
			return rest(clips, i, at), i
		}
		at -= clip.Duration
	}
	return nil, len(clips)
}
