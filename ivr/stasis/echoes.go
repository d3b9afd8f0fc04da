package stasis

import "time"

const (
	// keyGap is how long after a key Asterisk takes no other one: AST_MIN_DTMF_GAP.
	keyGap = 45 * time.Millisecond
	// drawnOut is the length to which Asterisk draws out a key that came shorter: its default of mindtmfduration.
	drawnOut = 80 * time.Millisecond
	// keyCycle is the shortest time from one key to the next that a telephone can make (ITU-T Q.24).
	keyCycle = 80 * time.Millisecond
	// echoSlack is how much later than it could a key may be told again when that is not certain, and echoLate when it is:
	// Asterisk may be held up once more in between.
	echoSlack = 100 * time.Millisecond
	echoLate  = 2 * time.Second
)

// echoes finds the keys that Asterisk tells twice.
//
// Asterisk tells of a key when it reads its end from the network. When the key before is not over by Asterisk's own
// measure, it puts the key back, and tells of it once more when it reads it again, before it reads anything else. A person
// cannot press so fast; but a network, or a machine, that holds packets up and then lets several keys through at once
// makes it so: of the keys 3 4 5 in one breath is told 3 4 4 5 5.
//
// Whether a key was put back is not told. It is certain for one that ends within keyGap behind another, or while one that
// was put back is played out, which takes as long as it was pressed, or within keyGap behind that; and it can be for one
// that ends so soon behind any other. All times are Asterisk's own. The zero value is ready.
type echoes struct {
	last  note      // the key that was told last, but for echoes
	until time.Time // if it is told again before, that is an echo
	sure  time.Time // a key that ends before is put back
	maybe time.Time // a key that ends before may be put back
}

// again takes note of a key and tells whether it is only an echo.
func (e *echoes) again(n note) bool {
	over := n.stamp.Add(max(n.held, drawnOut))
	if n.key == e.last.key && n.held == e.last.held && n.stamp.Before(e.until) {
		e.until, e.sure, e.maybe = time.Time{}, over.Add(keyGap), over.Add(keyGap)
		return true
	}
	e.last = n
	switch {
	case n.stamp.Before(e.sure):
		e.until = n.stamp.Add(echoLate)
		return false
	case n.stamp.Before(e.maybe):
		e.until = e.maybe.Add(keyGap + echoSlack)
	default:
		e.until = n.stamp.Add(keyCycle)
	}
	e.sure, e.maybe = n.stamp.Add(keyGap), over
	return false
}
