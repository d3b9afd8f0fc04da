package xmpp

import "hark/im"

// maxInbox is how many events may wait for the sink before the reader stops.
const maxInbox = 256

// post queues an event for the sink. It never blocks. c.mu must be held.
func (c *Conn) post(e im.Event) {
	c.events = append(c.events, e)
	if !c.handing {
		c.handing = true
		c.live++
		go c.hand()
	}
}

// hand gives the sink what is in the inbox and ends.
func (c *Conn) hand() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.events) > 0 {
		e := c.events[0]
		c.events = c.events[1:]
		c.mu.Unlock()
		c.sink.Event(e)
		c.mu.Lock()
		c.cond.Broadcast()
	}
	c.events = nil
	c.handing = false
	c.goroutineEnded()
}

// waitRoom blocks the reader while the inbox is full, unless somebody waits for the reply to a request.
func (c *Conn) waitRoom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.events) >= maxInbox && c.askers == 0 && c.cause == nil {
		c.cond.Wait()
	}
}
