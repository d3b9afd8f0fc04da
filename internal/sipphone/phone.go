package sipphone

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// PhoneOptions tells NewPhone where to stand.
type PhoneOptions struct {
	// Local is the address of the telephone, "host" or "host:port"; "" is 127.0.0.1 and a free port.
	Local string
	// Log gets the SIP stack's complaints. nil discards.
	Log *slog.Logger
}

// A Phone is one SIP socket that any number of calls share. Any goroutine may use it.
type Phone struct {
	conn    *socket
	addr    *net.UDPAddr
	log     *slog.Logger
	ua      *sipgo.UserAgent
	client  *sipgo.Client
	dialogs sipgo.DialogUA
	served  sync.WaitGroup // the reader of the socket
	dials   sync.WaitGroup // calls that are not answered yet
	coming  chan *Call     // answered and not yet accepted

	mu     sync.Mutex // guards what follows
	calls  map[string]*Call
	listen *Options // how to answer; nil refuses
	closed bool
}

// NewPhone opens the socket. Close it.
func NewPhone(o PhoneOptions) (*Phone, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	conn, err := listenUDP(o.Local)
	if err != nil {
		return nil, err
	}
	p := &Phone{conn: newSocket(conn), addr: conn.LocalAddr().(*net.UDPAddr), log: o.Log, calls: map[string]*Call{}, coming: make(chan *Call, 16)}
	if err := p.start(); err != nil {
		err = errors.Join(err, conn.Close())
		p.served.Wait()
		return nil, err
	}
	return p, nil
}

// listenUDP binds "host", "host:port" or, for "", loopback.
func listenUDP(local string) (*net.UDPConn, error) {
	if local == "" {
		local = "127.0.0.1"
	}
	if _, _, err := net.SplitHostPort(local); err != nil {
		local = net.JoinHostPort(local, "0")
	}
	addr, err := net.ResolveUDPAddr("udp", local)
	if err != nil {
		return nil, fmt.Errorf("sipphone: %w", err)
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("sipphone: %w", err)
	}
	return conn, nil
}

// start brings up the SIP stack on the socket.
func (p *Phone) start() error {
	var err error
	if p.ua, err = sipgo.NewUA(sipgo.WithUserAgent("hark-sipphone"), sipgo.WithUserAgentHostname(p.addr.IP.String()),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(p.log)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(p.log),
			sip.WithTransactionLayerUnhandledResponseHandler(p.strayResponse))); err != nil {
		return err
	}
	if p.client, err = sipgo.NewClient(p.ua, sipgo.WithClientLogger(p.log), sipgo.WithClientNAT(),
		sipgo.WithClientConnectionAddr(p.addr.String())); err != nil {
		return err
	}
	server, err := sipgo.NewServer(p.ua, sipgo.WithServerLogger(p.log))
	if err != nil {
		return err
	}
	p.dialogs = sipgo.DialogUA{Client: p.client, ContactHDR: p.contact()}
	server.OnInvite(p.onInvite)
	server.OnAck(p.onAck)
	server.OnBye(p.onBye)
	server.OnOptions(func(req *sip.Request, tx sip.ServerTransaction) { p.respond(tx, req, 200, "OK") })
	p.served.Go(func() {
		if err := server.ServeUDP(p.conn); err != nil {
			p.log.Warn("the SIP socket failed", "err", err)
		}
	})
	return p.ready()
}

// ready waits until the stack knows the socket: a request before that would try to open it a second time.
func (p *Phone) ready() error {
	for range 2000 {
		if c, err := p.ua.TransportLayer().GetConnection("udp", p.addr.String()); err == nil && c != nil {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("sipphone: the SIP stack does not start")
}

func (p *Phone) contact() sip.ContactHeader {
	return sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "phone", Host: p.addr.IP.String(), Port: p.addr.Port}}
}

// Addr is where the telephone can be called, "host:port".
func (p *Phone) Addr() string { return p.addr.String() }

// Close ends the calls without a goodbye and waits for all goroutines of the telephone. Closing twice is a no-op.
func (p *Phone) Close() error {
	p.mu.Lock()
	closed := p.closed
	p.closed = true
	calls := slices.Collect(maps.Values(p.calls))
	p.mu.Unlock()
	if closed {
		return nil
	}
	for _, c := range calls {
		c.end(ErrEnded)
	}
	p.dials.Wait()
	for _, c := range calls {
		c.wait()
	}
	p.conn.stop()
	err := p.ua.Close()
	p.conn.close()
	p.served.Wait()
	return err
}

// add makes a call known, so that requests within it find it.
func (p *Phone) add(id string, c *Call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrEnded
	}
	if _, ok := p.calls[id]; ok {
		return fmt.Errorf("sipphone: a second call with the id %s", id)
	}
	p.calls[id] = c
	return nil
}

// beginDial makes an outgoing call known, unless the telephone is closed. Close waits for the end of the dialling.
func (p *Phone) beginDial(c *Call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrEnded
	}
	p.calls[c.id] = c
	p.dials.Add(1)
	return nil
}

func (p *Phone) remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, id)
}

// find returns the call that a request belongs to, or nil when there is none or it is not answered yet.
func (p *Phone) find(req *sip.Request) *Call {
	id := req.CallID()
	if id == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.calls[id.Value()]; c != nil && c.up.Load() {
		return c
	}
	return nil
}

func (p *Phone) respond(tx sip.ServerTransaction, req *sip.Request, code int, reason string) {
	if err := tx.Respond(sip.NewResponseFromRequest(req, code, reason, nil)); err != nil {
		p.log.Debug("a response was not sent", "code", code, "err", err)
	}
}

// strayResponse gets what belongs to no transaction any more, such as an answer that came twice.
func (p *Phone) strayResponse(r *sip.Response) {
	p.log.Debug("a response that nobody waits for", "response", r.Short())
}

func (p *Phone) onAck(req *sip.Request, tx sip.ServerTransaction) {
	if c := p.find(req); c != nil && c.server != nil {
		if err := c.server.ReadAck(req, tx); err != nil {
			p.log.Debug("an ACK that does not fit", "err", err)
		}
	}
}

func (p *Phone) onBye(req *sip.Request, tx sip.ServerTransaction) {
	c := p.find(req)
	if c == nil {
		p.respond(tx, req, 481, "Call/Transaction Does Not Exist")
		return
	}
	c.hungUp(req, tx)
}

// Dial calls from this telephone; see the function Dial.
func (p *Phone) Dial(ctx context.Context, o Options) (*Call, error) {
	o = o.withDefaults()
	c, err := newCall(p, o)
	if err != nil {
		return nil, err
	}
	c.id = rand.Text()
	if err := p.beginDial(c); err != nil {
		c.end(err)
		return nil, err
	}
	defer p.dials.Done()
	if err := c.invite(ctx); err != nil {
		c.end(ErrEnded)
		c.wait()
		return nil, err
	}
	return c, nil
}
