package sessionstest

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"hark/sessions"
)

// linearNodes is how many nodes contend for one user's session.
const linearNodes = 8

// nobody is the number of the node that owns a released session.
const nobody = -1

// An ask is one call of a recorded history.
type ask struct {
	call  string // "start", "stop", "beat", "claim", "release", "lookup"; "lapse" is the clock's leap past all leases
	node  int
	inc   sessions.Incarnation // of beat, stop and claim
	epoch sessions.Epoch       // of release
}

// An answer is what a call returned.
type answer struct {
	result verdict
	inc    sessions.Incarnation // of start
	epoch  sessions.Epoch       // of a claim or the record
	owner  int                  // the record's
	alive  bool                 // of lookup
}

// A verdict is how a call ended.
type verdict string

const (
	good    verdict = "good"
	held    verdict = "held"
	lapsed  verdict = "lapsed"
	fenced  verdict = "fenced"
	missing verdict = "not found"
	// unknown: the connection broke. It was carried out or not.
	unknown verdict = "unknown"
)

// A nodeState is one node as the model sees it.
type nodeState struct {
	inc   sessions.Incarnation // 0 before its first start
	alive bool                 // its lease holds
	warm  bool                 // the lease of the incarnation before ended less than the grace ago
}

// ownership is the state of the model: one user's record, and the nodes.
type ownership struct {
	owner int
	inc   sessions.Incarnation
	epoch sessions.Epoch
	nodes [linearNodes]nodeState
}

// ownerModel says what one user's record does, one call after the other. At first nobody ever started.
var ownerModel = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{ownership{owner: nobody}} },
	Step: func(state, input, output any) []any {
		return step(state.(ownership), input.(ask), output.(answer))
	},
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%+v: %+v", input, output)
	},
}).ToModel()

// step returns the states that the call may have led to; none when the answer is wrong.
func step(s ownership, in ask, out answer) []any {
	want, next := s.after(in)
	switch {
	case out.result == unknown:
		return []any{s, next}
	case out == want:
		return []any{next}
	}
	return nil
}

// after carries out a call.
func (s ownership) after(in ask) (answer, ownership) {
	switch in.call {
	case "start":
		return s.start(in)
	case "stop":
		if n := &s.nodes[in.node]; n.inc == in.inc {
			n.alive = false
		}
		return answer{result: good}, s
	case "lapse":
		for i := range s.nodes {
			s.nodes[i].alive, s.nodes[i].warm = false, false
		}
		return answer{result: good}, s
	case "beat":
		if !s.lives(in.node, in.inc) {
			return answer{result: lapsed}, s
		}
		return answer{result: good}, s
	case "claim":
		return s.claim(in)
	case "release":
		if s.epoch == 0 || in.epoch != s.epoch {
			return answer{result: fenced}, s
		}
		s.owner, s.inc = nobody, 0
		return answer{result: good}, s
	default:
		if s.epoch == 0 {
			return answer{result: missing}, s
		}
		return answer{result: good, owner: s.owner, epoch: s.epoch, alive: s.owner != nobody && s.lives(s.owner, s.inc)}, s
	}
}

func (s ownership) start(in ask) (answer, ownership) {
	n := &s.nodes[in.node]
	n.inc, n.warm, n.alive = n.inc+1, n.alive, true
	return answer{result: good, inc: n.inc}, s
}

func (s ownership) claim(in ask) (answer, ownership) {
	switch {
	case !s.lives(in.node, in.inc):
		return answer{result: lapsed}, s
	case !s.replaceableBy(in):
		return answer{result: held, owner: s.owner, epoch: s.epoch}, s
	}
	s.owner, s.inc, s.epoch = in.node, in.inc, s.epoch+1
	return answer{result: good, epoch: s.epoch}, s
}

// lives tells whether a node's incarnation holds its lease.
func (s ownership) lives(node int, inc sessions.Incarnation) bool {
	return s.nodes[node].inc == inc && s.nodes[node].alive
}

// replaceableBy tells whether the owner may be replaced: a node may take at once what its earlier incarnations had, and
// everybody else once the owner's lease and the grace are over.
func (s ownership) replaceableBy(in ask) bool {
	if s.owner == nobody || s.owner == in.node && s.inc < in.inc {
		return true
	}
	owner := s.nodes[s.owner]
	if owner.inc == s.inc {
		return !owner.alive
	}
	return !owner.warm
}
