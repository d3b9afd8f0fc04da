package presencetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"hark/im"
)

// A Network is an IM network in memory, with a server's virtues: it keeps messages for an account until they are
// acknowledged, offers them again after a break, and takes a message that it is sent twice once. Its zero value, with a
// Name, is ready. All methods may be called from any goroutine.
type Network struct {
	Name string
	// Confirm says that a message was taken only when Confirmed is called for it; else at once.
	Confirm bool
	// Unmarked says that what is delivered from now on asks for no markers (XEP-0333).
	Unmarked bool

	mu       sync.Mutex
	boxes    map[string]*box
	received []im.Outgoing
	known    map[string]bool // ids of received
	repeated int
	failure  *im.Error
	opens    int
	logouts  int
	marked   []string
}

// A box is one account as the server sees it.
type box struct {
	log    []im.Message // everything that was ever sent to it
	acked  int          // so much of it is acknowledged
	conn   *netConn     // the live login
	show   im.Presence
	roster []im.Contact
}

// Network implements im.Service.
func (n *Network) Network() string { return n.Name }

// Open implements im.Service. A second login of an account takes the first one's place.
func (n *Network) Open(ctx context.Context, a im.Account, resume im.Resume, sink im.Sink) (im.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opens++
	if err := ctx.Err(); err != nil {
		return nil, &im.Error{Class: im.Network, Err: err}
	}
	if n.failure != nil {
		return nil, n.failure
	}
	b := n.box(a.ID)
	if b.conn != nil {
		b.conn.finish(&im.Error{Class: im.Conflict, Err: errors.New("presencetest: somebody else logged in")})
	}
	c := &netConn{network: n, box: b, id: a.ID, more: make(chan struct{}, 1), ended: make(chan struct{}), next: b.acked}
	if at, err := strconv.Atoi(string(resume)); err == nil {
		c.next = max(at, b.acked) // what is acknowledged is never brought again
	}
	b.conn = c
	c.add(im.Roster{Contacts: b.roster})
	c.catchUp()
	c.add(im.Synced{})
	go c.pump(sink)
	return c, nil
}

// Deliver has somebody send a message to an account; it is kept while the account is away.
func (n *Network) Deliver(from, to, body string, attachments ...im.Attachment) {
	n.DeliverMessage(from, to, im.Message{Body: body, Attachments: attachments})
}

// DeliverMessage is Deliver for a message that has more to it, such as Choices; who and when are filled in, and ids where
// there are none.
func (n *Network) DeliverMessage(from, to string, m im.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := n.box(to)
	m.ID = cmp.Or(m.ID, strconv.Itoa(len(b.log)))
	m.Origin = cmp.Or(m.Origin, from+"/"+m.ID)
	m.From, m.To = im.Address{Network: n.Name, ID: from}, im.Address{Network: n.Name, ID: to}
	m.Sent, m.Markable = time.Now().UTC(), !n.Unmarked
	b.log = append(b.log, m)
	if b.conn != nil {
		b.conn.catchUp()
	}
}

// Again has the network bring an account's last messages once more, as one does that forgot what was acknowledged.
func (n *Network) Again(id string, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := n.box(id)
	if b.conn != nil {
		b.conn.next = max(0, b.conn.next-count)
		b.conn.catchUp()
	}
}

// Tell has an event reach an account's login, if there is one: presence, a delivery report, a chat state.
func (n *Network) Tell(id string, body any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.box(id).conn; c != nil {
		c.add(body)
	}
}

// SetRoster sets an account's contacts for its next login, and tells the live one.
func (n *Network) SetRoster(id string, contacts ...im.Contact) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := n.box(id)
	if b.roster = contacts; b.conn != nil {
		b.conn.add(im.Roster{Contacts: contacts})
	}
}

// Fail makes logins fail with err from now on, and breaks those that live; nil makes the network well again.
func (n *Network) Fail(err *im.Error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failure = err; err == nil {
		return
	}
	for _, b := range n.boxes {
		if b.conn != nil {
			b.conn.finish(err)
		}
	}
}

// Received returns what users sent, each id once, in order.
func (n *Network) Received() []im.Outgoing {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]im.Outgoing(nil), n.received...)
}

// Counts is what a Network has seen.
type Counts struct {
	Opens    int // attempts to log in
	Logouts  int // logins that were ended for good
	Repeated int // messages that were sent again with the same id
	Online   int
	Unacked  int // messages that are not acknowledged
}

// Counts counts.
func (n *Network) Counts() Counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := Counts{Opens: n.opens, Logouts: n.logouts, Repeated: n.repeated}
	for _, b := range n.boxes {
		c.Unacked += len(b.log) - b.acked
		if b.conn != nil {
			c.Online++
		}
	}
	return c
}

// Shown returns the availability that an account published last.
func (n *Network) Shown(id string) im.Presence {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.box(id).show
}

func (n *Network) box(id string) *box {
	if n.boxes == nil {
		n.boxes = make(map[string]*box)
	}
	if n.boxes[id] == nil {
		n.boxes[id] = &box{}
	}
	return n.boxes[id]
}

// A netConn is one login. Its goroutine, pump, gives the events to the sink.
type netConn struct {
	network *Network
	box     *box
	id      string
	more    chan struct{} // cap 1
	ended   chan struct{} // closed when pump has returned

	// Guarded by the network's mutex.
	queue    []im.Event
	pos      im.Position
	next     int   // of the box's log, to be brought next
	brought  []int // by position - 1: how much of the log was brought
	finished bool
}

// add queues an event. The caller holds the network's lock.
func (c *netConn) add(body any) {
	if c.finished {
		return
	}
	c.pos++
	e := im.Event{Pos: c.pos, Body: body}
	c.brought = append(c.brought, c.next)
	if _, ok := body.(im.Message); ok {
		e.Resume = im.Resume(strconv.Itoa(c.next))
	}
	c.queue = append(c.queue, e)
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// catchUp queues what is in the log. The caller holds the network's lock.
func (c *netConn) catchUp() {
	for c.next < len(c.box.log) {
		c.next++
		c.add(c.box.log[c.next-1])
	}
}

// finish ends the login, with err as its last word. The caller holds the network's lock.
func (c *netConn) finish(err *im.Error) {
	if c.finished {
		return
	}
	c.add(im.State{Err: err})
	c.finished = true
	if c.box.conn == c {
		c.box.conn = nil
	}
}

// pump gives the events to the sink.
func (c *netConn) pump(sink im.Sink) {
	defer close(c.ended)
	for {
		c.network.mu.Lock()
		queue, finished := c.queue, c.finished
		c.queue = nil
		c.network.mu.Unlock()
		for _, e := range queue {
			sink.Event(e)
		}
		if finished {
			return
		}
		<-c.more
	}
}

// Send implements im.Conn.
func (c *netConn) Send(ctx context.Context, m im.Outgoing) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if c.finished || ctx.Err() != nil {
		return &im.Error{Class: im.Network, Err: errors.New("presencetest: not connected")}
	}
	if m.Body == "refuse this" {
		return &im.Error{Class: im.Policy, Err: errors.New("presencetest: refused")}
	}
	c.network.receive(m)
	if !c.network.Confirm {
		c.add(im.Delivery{ID: m.ID, State: im.Sent})
	}
	return nil
}

// receive takes a message that a user sent. The caller holds the lock.
func (n *Network) receive(m im.Outgoing) {
	if n.known[m.ID] {
		n.repeated++
		return
	}
	if n.known == nil {
		n.known = make(map[string]bool)
	}
	n.known[m.ID] = true
	n.received = append(n.received, m)
}

// SetPresence implements im.Conn.
func (c *netConn) SetPresence(_ context.Context, p im.Presence) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.box.show = p
	return nil
}

// SetTyping implements im.Typer; the other side's typing comes back at once.
func (c *netConn) SetTyping(_ context.Context, to im.Address, on bool) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.add(im.ChatState{From: to, Typing: on})
	return nil
}

// MarkRead implements im.Marker.
func (c *netConn) MarkRead(_ context.Context, m im.Message) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.network.marked = append(c.network.marked, m.From.ID+" "+m.ID)
	return nil
}

// Marked lists which messages their senders were told of as read, "SENDER ID" each.
func (n *Network) Marked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.marked)
}

// Ack implements im.Conn.
func (c *netConn) Ack(p im.Position) {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if p > 0 {
		c.box.acked = max(c.box.acked, c.brought[p-1])
	}
}

// Close implements im.Conn.
func (c *netConn) Close(_ context.Context, how im.CloseMode) error {
	c.network.mu.Lock()
	c.finish(nil)
	if how == im.Logout {
		c.network.logouts++
	}
	c.network.mu.Unlock()
	<-c.ended
	return nil
}

// Resume implements im.Conn.
func (c *netConn) Resume() im.Resume {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	return im.Resume(strconv.Itoa(c.box.acked))
}
