package xmpp

import "time"

// owedAtMost is how long the server waits for an acknowledgement that it has asked for, when what came before is not kept
// yet. Servers give up a connection after half a minute.
const owedAtMost = time.Second

// asked answers the server's request for an acknowledgement (XEP-0198, 4). It asks behind every message: while that one is
// on its way to the disk, an answer would not acknowledge it and only be more work for both sides, so it waits for Ack, which
// is a millisecond or so. c.mu must be held.
func (c *Conn) asked() {
	switch {
	case !c.ledger.storing():
		c.acknowledge()
	case c.owed == nil && c.cause == nil:
		c.live++
		c.owed = time.AfterFunc(owedAtMost, c.settleUp)
	}
}

// settleUp tells the server what is kept by now. The timer calls it.
func (c *Conn) settleUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = nil
	c.acknowledge()
	c.goroutineEnded()
}

// acknowledge tells the server what is kept. c.mu must be held.
func (c *Conn) acknowledge() {
	c.stopOwed()
	c.put(c.ack())
}

// stopOwed ends the wait of asked. c.mu must be held.
func (c *Conn) stopOwed() {
	if c.owed != nil && c.owed.Stop() {
		c.owed = nil
		c.goroutineEnded()
	}
}
