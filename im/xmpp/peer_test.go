package xmpp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"mellium.im/sasl"
	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/ping"

	"hark/im"
)

// A peer is an ordinary XMPP client for the suite, made of the library alone. It logs in again when its connection
// breaks.
type peer struct {
	jid, password, server string
	roots                 *x509.CertPool
	user                  string // bare JID of whom it talks to

	mu       sync.Mutex
	cond     *sync.Cond
	session  *xmpp.Session
	inbox    []im.Message
	told     map[string]im.DeliveryState
	online   map[string]im.Show // the user's clients
	left     int                // how often one of them was seen to go
	raws     []string           // what came from the user, for cases that look closer
	shown    im.Show
	receipts bool // answers requests for receipts
}

func startPeer(t *testing.T, server string, roots *x509.CertPool, name, user string) *peer {
	p := &peer{jid: name, password: "secret", server: server, roots: roots, user: user, shown: im.Available, receipts: true,
		told: map[string]im.DeliveryState{}, online: map[string]im.Show{}}
	p.cond = sync.NewCond(&p.mu)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			p.live(ctx)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	p.awaitOnline(t)
	return p
}

// live is one login, from start to end.
func (p *peer) live(ctx context.Context) {
	session, conn, err := p.login(ctx)
	if err != nil {
		select { // the server is restarting
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	p.mu.Lock()
	p.session = session
	clear(p.online)
	p.cond.Broadcast()
	p.mu.Unlock()
	if err := p.Show(ctx, p.shown); err == nil {
		_ = session.Serve(xmpp.HandlerFunc(p.handle))
	}
	p.mu.Lock()
	p.session = nil
	p.mu.Unlock()
}

func (p *peer) login(ctx context.Context) (*xmpp.Session, net.Conn, error) {
	address := jid.MustParse(p.jid)
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.server)
	if err != nil {
		return nil, nil, err
	}
	session, err := xmpp.NewClientSession(context.WithoutCancel(ctx), address, conn,
		xmpp.StartTLS(&tls.Config{ServerName: address.Domainpart(), RootCAs: p.roots}),
		xmpp.SASL("", p.password, sasl.ScramSha1), xmpp.BindResource())
	if err != nil {
		conn.Close()
	}
	return session, conn, err
}

func (p *peer) awaitOnline(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.wait(ctx, func() bool { return p.session != nil }); err != nil {
		t.Fatalf("peer %s: %v", p.jid, err)
	}
}

type stanza struct {
	XMLName   xml.Name
	From      string `xml:"from,attr"`
	ID        string `xml:"id,attr"`
	Type      string `xml:"type,attr"`
	Body      string `xml:"body"`
	Show      string `xml:"show"`
	OOB       []oob  `xml:"jabber:x:oob x"`
	Request   *ref   `xml:"urn:xmpp:receipts request"`
	Received  *ref   `xml:"urn:xmpp:receipts received"`
	Displayed *ref   `xml:"urn:xmpp:chat-markers:0 displayed"`
	Inner     string `xml:",innerxml"`
}

type oob struct {
	URL  string `xml:"url"`
	Desc string `xml:"desc"`
}

type ref struct {
	ID string `xml:"id,attr"`
}

func (p *peer) handle(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
	var s stanza
	d := xml.NewTokenDecoder(xmlstream.MultiReader(xmlstream.Token(*start), t))
	if err := d.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	bare, resource, _ := strings.Cut(s.From, "/")
	if bare != p.user {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.cond.Broadcast()
	switch start.Name.Local {
	case "presence":
		p.sawPresence(s, resource)
	case "message":
		return p.sawMessage(s, t)
	}
	return nil
}

func (p *peer) sawPresence(s stanza, resource string) {
	switch {
	case s.Type == "unavailable":
		p.left++
		delete(p.online, resource)
	case s.Type != "":
	case s.Show == "away":
		p.online[resource] = im.Away
	case s.Show == "dnd":
		p.online[resource] = im.Busy
	default:
		p.online[resource] = im.Available
	}
}

func (p *peer) sawMessage(s stanza, w xmlstream.TokenWriter) error {
	if s.Received != nil {
		p.told[s.Received.ID] = im.Delivered
	}
	if s.Displayed != nil {
		p.told[s.Displayed.ID] = im.Read
	}
	if s.Body == "" || s.Type == "error" {
		return nil
	}
	m := im.Message{ID: s.ID, Body: s.Body, From: xmppAddress(p.user)}
	for _, o := range s.OOB {
		m.Attachments = append(m.Attachments, im.Attachment{URL: o.URL, Title: o.Desc})
	}
	p.inbox = append(p.inbox, m)
	p.raws = append(p.raws, s.Inner)
	if s.Request == nil || !p.receipts {
		return nil
	}
	_, err := xmlstream.Copy(w, tokens("<message to='%s'><received xmlns='urn:xmpp:receipts' id='%s'/></message>", s.From, s.ID))
	return err
}

func tokens(format string, args ...any) xml.TokenReader {
	return xml.NewDecoder(strings.NewReader(fmt.Sprintf(format, args...)))
}

func xmppAddress(bare string) im.Address { return im.Address{Network: im.XMPP, ID: bare} }

// wait waits until done says true; it is called with p.mu held.
func (p *peer) wait(ctx context.Context, done func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cond.Broadcast()
	})
	defer stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !done() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.cond.Wait()
	}
	return nil
}

// raw sends a stanza as it is written.
func (p *peer) raw(ctx context.Context, format string, args ...any) error {
	p.mu.Lock()
	session := p.session
	p.mu.Unlock()
	if session == nil {
		return errors.New("the peer is not online")
	}
	return session.Send(ctx, tokens(format, args...))
}

func (p *peer) Address() im.Address { return xmppAddress(p.jid) }

func (p *peer) Send(ctx context.Context, m im.Outgoing) error {
	extra := ""
	for _, a := range m.Attachments {
		extra += "<x xmlns='jabber:x:oob'><url>" + escaped(a.URL) + "</url></x>"
	}
	return p.raw(ctx, "<message to='%s' id='%s' type='chat'><body>%s</body><request xmlns='urn:xmpp:receipts'/>%s</message>",
		m.To.ID, escaped(m.ID), escaped(m.Body), extra)
}

// settle waits until the server has put away what was sent before: it answers a ping behind it.
func (p *peer) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p.mu.Lock()
	session := p.session
	p.mu.Unlock()
	if err := ping.Send(ctx, session, jid.MustParse(p.jid).Domain()); err != nil {
		t.Fatal(err)
	}
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func (p *peer) Receive(ctx context.Context) (m im.Message, err error) {
	err = p.wait(ctx, func() bool {
		if len(p.inbox) == 0 {
			return false
		}
		m, p.inbox = p.inbox[0], p.inbox[1:]
		return true
	})
	return m, err
}

func (p *peer) Show(ctx context.Context, s im.Show) error {
	p.mu.Lock()
	p.shown = s
	p.mu.Unlock()
	inner := map[im.Show]string{im.Away: "<show>away</show>", im.Busy: "<show>dnd</show>"}[s]
	return p.raw(ctx, "<presence>%s</presence>", inner)
}

func (p *peer) Sees(ctx context.Context, s im.Show) error {
	var seen im.Show
	err := p.wait(ctx, func() bool {
		seen = im.Offline
		for _, show := range p.online {
			seen = show
		}
		return seen == s
	})
	if err != nil {
		return fmt.Errorf("%w: it is seen as %s", err, seen)
	}
	return nil
}

// sawLeave is how often a client of the user was seen to go away.
func (p *peer) sawLeave() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left
}

func (p *peer) Told(ctx context.Context, id string) (state im.DeliveryState, err error) {
	err = p.wait(ctx, func() bool { state = p.told[id]; return state != "" })
	return state, err
}

func (p *peer) Types(ctx context.Context, on bool) error {
	state := "paused"
	if on {
		state = "composing"
	}
	return p.raw(ctx, "<message to='%s' type='chat'><%s xmlns='http://jabber.org/protocol/chatstates'/></message>", p.user, state)
}

// quiet makes it answer no requests for receipts from now on.
func (p *peer) quiet() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.receipts = false
}
