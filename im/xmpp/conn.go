package xmpp

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"hark/im"
	"hark/internal/shallow"
)

// A Conn is one live login. Its exported methods may be called from any goroutine.
type Conn struct {
	wire   *wire
	in     *stanzaReader
	sink   im.Sink
	log    *slog.Logger
	timing Timing
	view   view   // what stanzas mean to us
	full   string // our full JID
	own    string // our bare JID
	sm     bool   // stream management is on
	prefix string // of the ids of our own requests, different for each Conn

	// Only the reader uses these.
	resources map[string][]resource // of the contacts that are online, by bare JID
	seen      []string              // origins of the last messages

	mu   sync.Mutex
	cond *sync.Cond // anything below has changed
	live int        // goroutines of this Conn
	ids  int        // requests made

	ledger ledger
	smID   string // of the stream for resuming, "" when it cannot be
	show   im.Presence
	held   []sent // to be sent when the archive was read, in order; meanwhile no other message is
	query  string // id of the archive query that runs, or ""

	owed *time.Timer // owed.go: runs while the server waits for an acknowledgement

	appeared    time.Time   // lookback.go: when, until the archive was looked through for it
	later       *time.Timer // runs lookBack
	lookingBack bool

	roster map[string]contact

	unwritten       []byte // outbox.go
	writing         bool
	queued, written uint64

	events  []im.Event // inbox.go
	handing bool

	replies map[string]reply // request.go
	askers  int              // callers that wait for a reply

	closing bool  // Close was called
	cause   error // why the connection is over; nil while it is not
}

var (
	_ im.Conn         = (*Conn)(nil)
	_ im.Typer        = (*Conn)(nil)
	_ im.Marker       = (*Conn)(nil)
	_ im.RosterEditor = (*Conn)(nil)
)

// newConn makes the Conn that goes on where the login ended.
func newConn(s *Service, w *wire, l *login, sink im.Sink) *Conn {
	c := &Conn{
		wire: w, in: newStanzaReader(w), sink: sink, log: s.log(), timing: s.Timing.withDefaults(),
		full: l.jid.String(), own: l.own.String(), sm: l.sm, smID: l.id,
		prefix: rand.Text()[:8] + "-",
		show:   im.Presence{Show: l.before.Show, Text: l.before.Text},
	}
	c.cond = sync.NewCond(&c.mu)
	c.view = view{own: c.own, full: c.full, now: s.now, name: c.nameOf}
	begun := l.before.Archive
	if begun == (archive{}) {
		begun.At = s.now().UTC()
	}
	c.ledger = ledger{recent: l.before.Recent, archive: begun, ackedArchive: begun}
	if c.show.Show == "" {
		c.show.Show = im.Available
	}
	w.idle, w.reply, w.ask = c.timing.Idle, c.timing.Reply, c.askSign
	return c
}

// start puts in hand what the login leaves to be done, and begins the reader.
func (c *Conn) start(l *login) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live++
	c.goOn(l)
	c.setUp(l)
	go c.read()
}

// read is the reader goroutine.
func (c *Conn) read() {
	err := c.readAll()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish(err)
	c.goroutineEnded()
}

func (c *Conn) readAll() error {
	for {
		err := c.in.await()
		if err == nil {
			shallow.Run(func() { err = c.readOne() })
		}
		if err != nil {
			return err
		}
		c.waitRoom()
	}
}

func (c *Conn) readOne() error {
	e, err := c.in.next()
	if err != nil {
		return err
	}
	return c.handle(e)
}

// breakOff ends the connection for a reason; only the first one counts. c.mu must be held.
func (c *Conn) breakOff(err error) {
	if c.cause == nil {
		c.cause = err
	}
	c.wire.Close()
	c.stopLater()
	c.stopOwed()
	c.cond.Broadcast()
}

// finish gives the last event. c.mu must be held.
func (c *Conn) finish(err error) {
	if c.cause == nil && classify(err).Class == im.Protocol {
		c.refuse()
	}
	c.breakOff(err)
	c.failReplies()
	last := im.State{}
	if c.closing {
		c.events = nil // they were not kept, so they come again
	} else {
		last.Err = classify(c.cause)
		c.log.Info("xmpp: connection is over", "account", c.own, "class", last.Err.Class, "err", c.cause)
	}
	c.emit(true, last)
}

// refuse tells the server that we cannot read its stream. It also gives up the login: a stanza that cannot be read
// would come again with every resumption. c.mu must be held.
func (c *Conn) refuse() {
	c.smID = ""
	if c.writing {
		return // in the middle of something; that the connection ends says enough
	}
	_ = c.writeNow([]byte("<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"))
}

// goroutineEnded counts a goroutine out. c.mu must be held.
func (c *Conn) goroutineEnded() {
	c.live--
	c.cond.Broadcast()
}

// emit makes events of one stanza's bodies. all tells that the stanza brings no more. c.mu must be held.
func (c *Conn) emit(all bool, bodies ...any) {
	for i, body := range bodies {
		c.emitOne(all && i == len(bodies)-1, body, nil)
	}
}

func (c *Conn) emitOne(last bool, body any, receipt []byte) {
	pos := c.ledger.event(last, isLasting(body), receipt)
	e := im.Event{Pos: pos, Body: body}
	if c.full != "" {
		e.Resume = c.stateAt(c.ledger.marked, c.ledger.archive).pack()
	}
	c.post(e)
}

// isLasting tells whether a session stores what the event brings before it acknowledges it; of the rest it takes its time.
func isLasting(body any) bool {
	switch body.(type) {
	case im.Message, im.Delivery:
		return true
	}
	return false
}

// stateAt is the resume state when in stanzas are kept. c.mu must be held.
func (c *Conn) stateAt(in uint32, a archive) state {
	return state{
		JID: c.full, ID: c.smID, In: in, Out: c.ledger.out, Queue: c.ledger.queue, Held: c.held,
		Recent: c.ledger.recent, Archive: a, Fetching: c.query != "" && !c.lookingBack, Appeared: c.appeared, Show: c.show.Show, Text: c.show.Text,
	}
}

// Ack says that all events up to and including p are on disk. The server is told, and so are the senders that asked
// for a receipt.
func (c *Conn) Ack(p im.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	receipts, moved := c.ledger.keep(p)
	for _, r := range receipts {
		c.sendStanza(sent{Data: r}, r)
	}
	if c.sm && (moved || c.owed != nil && !c.ledger.storing()) {
		c.acknowledge()
	}
}

// ack is the acknowledgement of what the session has kept. c.mu must be held.
func (c *Conn) ack() []byte { return el(nsSM, "a", "h", utoa(c.ledger.acked)).bytes() }

// Resume returns the state after the last acknowledged position, with what the server has not acknowledged of ours.
// It is nil after a logout.
func (c *Conn) Resume() im.Resume {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full == "" {
		return nil
	}
	return c.stateAt(c.ledger.acked, c.ledger.ackedArchive).pack()
}

// Close ends the connection. With Keep the server holds the login for some minutes, to be resumed, where it can do
// stream management; with Logout it ends there. Close returns when the sink will not be called any more, or with
// ctx's error when the sink does not come back in time.
func (c *Conn) Close(ctx context.Context, how im.CloseMode) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if how == im.Logout {
		c.full, c.smID = "", ""
	}
	if !c.closing && c.cause == nil {
		c.closing = true
		c.say(ctx, how)
	}
	c.breakOff(errClosed)
	if err := c.wait(ctx, func() bool { return c.live == 0 }); err != nil {
		return &im.Error{Class: im.Network, Err: err}
	}
	return nil
}

// say writes the last words. A server that does not take them in time finds the connection closed. c.mu must be held;
// it is released while waiting.
func (c *Conn) say(ctx context.Context, how im.CloseMode) {
	if c.sm {
		c.acknowledge()
	}
	if how == im.Keep && c.smID != "" {
		_ = c.waitWritten(ctx, c.queued)
		return
	}
	c.sendStanza(sent{}, el(nsClient, "presence", "type", "unavailable").bytes())
	c.put([]byte("</stream:stream>"))
	ctx, cancel := context.WithTimeout(ctx, c.timing.Reply)
	defer cancel()
	_ = c.wait(ctx, func() bool { return c.cause != nil }) // the reader ends when the server has closed its side
}

// askEvery is after how many stanzas that need not be sent again, such as answers to what strangers ask, the server is asked
// to acknowledge them: those that it has not fill the ledger, and a full one takes no message.
const askEvery = 64

// sendStanza counts and writes a stanza. s.Data is what to send again after a resumption, nil if nothing. c.mu must be
// held.
func (c *Conn) sendStanza(s sent, data []byte) (ticket uint64) {
	c.ledger.sent(s)
	if s.Data != nil || len(c.ledger.queue)%askEvery == 0 {
		data = append(data[:len(data):len(data)], c.request()...)
	}
	return c.put(data)
}

// request asks the server to acknowledge what was sent so far: with stream management by <r/>, and without by a ping,
// since a server handles stanzas in order. c.mu must be held.
func (c *Conn) request() []byte {
	if c.sm {
		return el(nsSM, "r").bytes()
	}
	upto := c.ledger.out
	return c.ask("get", "", el(nsPing, "ping"), func(_ *element, err error) {
		if err == nil || errors.As(err, new(*refusal)) {
			c.confirmed(upto)
		}
	})
}

// askSign asks the server for a sign of life. The reader calls it.
func (c *Conn) askSign() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(c.request())
}

// confirmed records that the server handled h of our stanzas. c.mu must be held.
func (c *Conn) confirmed(h uint32) error {
	ids, ok := c.ledger.confirm(h)
	if !ok {
		return fail(im.Protocol, "xmpp: the server acknowledges %d stanzas, %d were sent", h, c.ledger.out)
	}
	c.emitSent(ids)
	return nil
}

// emitSent reports that the server has these messages. c.mu must be held.
func (c *Conn) emitSent(ids []string) {
	for _, id := range ids {
		c.emit(true, im.Delivery{ID: id, State: im.Sent})
	}
}

// newID returns an id for a stanza of our own. c.mu must be held.
func (c *Conn) newID() string {
	c.ids++
	return c.prefix + strconv.Itoa(c.ids)
}
