package srgs

// A State says how the keys pressed so far stand to a grammar.
type State int

// The states of a match.
const (
	None   State = iota // nothing that begins so is in the grammar
	Prefix              // it is the beginning of something, and not yet enough
	Open                // it is enough, and more may follow
	Final               // it is enough, and nothing may follow
)

// The bounds of a match. Threads beyond them are dropped; only grammars that refer to themselves come there.
const (
	maxStack   = 100    // rules within one another
	maxThreads = 20_000 // steps for one key
)

// A frame is where to go on when a rule is over. Equal frames are one pointer.
type frame struct {
	back   *inst
	rule   *rule
	parent *frame
	depth  int
}

// A trace is what a thread went through, the newest first.
type trace struct {
	before *trace
	event  event
}

// An event is one step of a trace: a key, a tag, or the beginning or end of a rule.
type event struct {
	key   byte
	tag   *tag
	enter *rule
	leave bool
}

// A thread is one way through a grammar that fits the keys so far. It waits for a key.
type thread struct {
	at    *inst
	frame *frame
	trace *trace
}

// A Matcher matches keys against one grammar, as they come. It belongs to one goroutine.
type Matcher struct {
	linked  *Linked
	threads []thread
	done    *trace // of the preferred way that is complete, or nil
	frames  map[frame]*frame
	seen    map[thread]bool // without their traces
	steps   int
	keys    []byte
}

// NewMatcher begins a match; no key is pressed yet.
func (l *Linked) NewMatcher() *Matcher {
	m := &Matcher{linked: l, frames: map[frame]*frame{}, seen: map[thread]bool{}}
	m.follow(l.root.start, m.frame(frame{rule: l.root}), &trace{event: event{enter: l.root}})
	return m
}

// Press takes one key and returns the state then.
func (m *Matcher) Press(k byte) State {
	old := m.threads
	m.threads, m.done, m.steps = nil, nil, 0
	m.keys = append(m.keys, k)
	clear(m.seen)
	for _, t := range old {
		if t.at.op == opAny || t.at.key == k {
			m.follow(t.at.next[0], t.frame, &trace{t.trace, event{key: k}})
		}
	}
	return m.State()
}

// Accepts tells whether a key may follow.
func (m *Matcher) Accepts(k byte) bool {
	for _, t := range m.threads {
		if t.at.op == opAny || t.at.key == k {
			return true
		}
	}
	return false
}

// Answerable tells whether any key may follow.
func (m *Matcher) Answerable() bool { return len(m.threads) > 0 }

// State returns how it stands.
func (m *Matcher) State() State {
	switch {
	case m.done != nil && len(m.threads) > 0:
		return Open
	case m.done != nil:
		return Final
	case len(m.threads) > 0:
		return Prefix
	}
	return None
}

// Keys returns what was pressed.
func (m *Matcher) Keys() string { return string(m.keys) }

// frame returns the one pointer for a frame.
func (m *Matcher) frame(f frame) *frame {
	if f.parent != nil {
		f.depth = f.parent.depth + 1
	}
	if same := m.frames[f]; same != nil {
		return same
	}
	m.frames[f] = &f
	return &f
}

// follow goes on from an instruction to all that wait for a key.
func (m *Matcher) follow(at *inst, f *frame, tr *trace) {
	mark := thread{at: at, frame: f}
	if m.steps++; m.steps > maxThreads || m.seen[mark] {
		return
	}
	m.seen[mark] = true
	switch at.op {
	case opKey, opAny:
		m.threads = append(m.threads, thread{at, f, tr})
	case opSplit:
		for _, next := range at.next {
			m.follow(next, f, tr)
		}
	case opTag:
		m.follow(at.next[0], f, &trace{tr, event{tag: at.tag}})
	case opCall:
		m.call(at, f, tr)
	case opEnd:
		m.end(f, &trace{tr, event{leave: true}})
	}
}

// call begins another rule.
func (m *Matcher) call(at *inst, f *frame, tr *trace) {
	r := at.rule
	if r == nil {
		r = m.linked.targets[at.ref]
	}
	if r == nil || f.depth >= maxStack {
		return
	}
	m.follow(r.start, m.frame(frame{back: at.next[0], rule: r, parent: f}), &trace{tr, event{enter: r}})
}

// end leaves a rule.
func (m *Matcher) end(f *frame, tr *trace) {
	if f.parent == nil {
		if m.done == nil {
			m.done = tr
		}
		return
	}
	m.follow(f.back, f.parent, tr)
}

// Match returns the parse of the keys pressed so far; nil when they are not enough.
func (m *Matcher) Match() *Parse {
	if m.done == nil {
		return nil
	}
	var events []event
	for t := m.done; t != nil; t = t.before {
		events = append(events, t.event)
	}
	return grow(events)
}

// A Parse is a rule with what it was matched by.
type Parse struct {
	rule *rule
	part []part
}

// A part is a key, a tag or another rule.
type part struct {
	key byte
	tag *tag
	sub *Parse
}

// grow makes a tree of events, the newest first.
func grow(events []event) *Parse {
	top := &Parse{}
	stack := []*Parse{top}
	for i := len(events) - 1; i >= 0; i-- {
		e, at := events[i], stack[len(stack)-1]
		switch {
		case e.enter != nil:
			sub := &Parse{rule: e.enter}
			at.part = append(at.part, part{sub: sub})
			stack = append(stack, sub)
		case e.leave:
			stack = stack[:len(stack)-1]
		default:
			at.part = append(at.part, part{key: e.key, tag: e.tag})
		}
	}
	return top.part[0].sub
}

// Text returns the keys.
func (p *Parse) Text() string {
	var b []byte
	for _, x := range p.part {
		switch {
		case x.sub != nil:
			b = append(b, x.sub.Text()...)
		case x.tag == nil:
			b = append(b, x.key)
		}
	}
	return string(b)
}

// Alive tells whether the keys so far begin something, or are something.
func (m *Matcher) Alive() bool { return m.State() != None }
