package xmpp

import "time"

// A server decides where a message goes before it stores it. If we appear in between, then the message is neither handed
// to us live nor with what waited: ejabberd 23.01 keeps it for the next fresh login. So we look into the archive once
// more when the server has had the time to store it.
const (
	lookBackAfter = 3 * time.Second  // how long that may take
	clockSkew     = 10 * time.Second // what the server's clock may be behind ours
)

// lookBackLater has the archive looked through in a moment for what came since we appeared, or appeared before if that
// was not looked for yet. c.mu must be held.
func (c *Conn) lookBackLater(appeared time.Time) {
	if c.appeared.IsZero() || appeared.Before(c.appeared) {
		c.appeared = appeared.UTC()
	}
	if c.later == nil && c.cause == nil {
		c.live++
		c.later = time.AfterFunc(lookBackAfter, c.lookBack)
	}
}

// lookBack asks for what came since we appeared. The timer calls it.
func (c *Conn) lookBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.later = nil
	c.goroutineEnded()
	switch {
	case c.cause != nil:
	case c.query != "": // the archive is still being read
		c.lookBackLater(c.appeared)
	default:
		c.lookingBack = true
		c.fetchSince(c.appeared.Add(-clockSkew), c.lookedBack)
	}
}

// lookedBack ends lookBack. c.mu must be held.
func (c *Conn) lookedBack() {
	c.lookingBack = false
	if c.later == nil { // else we appeared once more meanwhile
		c.appeared = time.Time{}
	}
}

// stopLater ends the wait of lookBackLater. c.mu must be held.
func (c *Conn) stopLater() {
	if c.later != nil && c.later.Stop() {
		c.later = nil
		c.goroutineEnded()
	}
}
