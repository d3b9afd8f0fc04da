package srgs

import "fmt"

// maxInsts is how large a compiled grammar may be: repeats are written out.
const maxInsts = 20_000

// An op is what an instruction does.
type op int

const (
	opKey   op = iota // wait for a key
	opAny             // wait for any key
	opSplit           // go on at each of next, the first preferred
	opTag
	opCall // begin another rule
	opEnd  // the rule is over
	opFail
)

// An inst is one step of a compiled rule. Instructions are a graph, not a list.
type inst struct {
	op   op
	key  byte
	next []*inst
	tag  *tag
	ref  *ref  // of opCall, when it goes to another grammar
	rule *rule // of opCall, when it stays
}

// A compiler makes instructions of a grammar's rules.
type compiler struct {
	grammar *Grammar
	made    int
	err     error
}

func (c *compiler) rule(r *rule) error {
	r.start = c.node(r.body, c.inst(inst{op: opEnd}))
	return c.err
}

// inst makes one instruction.
func (c *compiler) inst(i inst) *inst {
	if c.made++; c.made > maxInsts && c.err == nil {
		c.err = fmt.Errorf("%w: too large", ErrGrammar)
	}
	return &i
}

// node compiles a part of a rule; next is what comes behind it.
func (c *compiler) node(n node, next *inst) *inst {
	if c.err != nil {
		return next
	}
	switch n := n.(type) {
	case seq:
		for i := len(n) - 1; i >= 0; i-- {
			next = c.node(n[i], next)
		}
		return next
	case alt:
		split := c.inst(inst{op: opSplit})
		for _, a := range n {
			split.next = append(split.next, c.node(a, next))
		}
		return split
	case key:
		return c.inst(inst{op: opKey, key: byte(n), next: []*inst{next}})
	case noise:
		return c.noise(next)
	case repeat:
		return c.repeat(n, next)
	case *tag:
		return c.inst(inst{op: opTag, tag: n, next: []*inst{next}})
	case *ref:
		return c.call(n, next)
	}
	return c.inst(inst{op: opFail})
}

// maxNoise is how many keys GARBAGE takes at most: without a bound a caller could go on for ever.
const maxNoise = 20

// noise takes as few keys as the rest of the rule leaves it.
func (c *compiler) noise(next *inst) *inst {
	end := next
	for range maxNoise {
		next = c.inst(inst{op: opSplit, next: []*inst{end, c.inst(inst{op: opAny, next: []*inst{next}})}})
	}
	return next
}

func (c *compiler) repeat(r repeat, next *inst) *inst {
	if r.max < 0 {
		loop := c.inst(inst{op: opSplit})
		loop.next = []*inst{c.node(r.of, loop), next}
		next = loop
	}
	for range max(0, r.max-r.min) {
		next = c.inst(inst{op: opSplit, next: []*inst{c.node(r.of, next), next}})
		if c.err != nil {
			return next
		}
	}
	for range r.min {
		if next = c.node(r.of, next); c.err != nil {
			return next
		}
	}
	return next
}

func (c *compiler) call(r *ref, next *inst) *inst {
	i := c.inst(inst{op: opCall, ref: r, next: []*inst{next}})
	if r.uri != "" {
		return i
	}
	found, err := c.grammar.local(r)
	if err != nil {
		c.err = err
	}
	i.rule = found
	return i
}
