// Package xmpppeer is somebody at the other end: an ordinary XMPP client, independent of im/xmpp, for the demo and the
// tests that must see what a stranger's client would see. It has no ambitions: stream
// management only when it is asked for, and then it resumes nothing.
package xmpppeer

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"net"
	"strconv"
	"sync"

	"mellium.im/sasl"
	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/roster"
	"mellium.im/xmpp/stanza"
)

const nsSM = "urn:xmpp:sm:3"

// A Message is what the peer's client shows.
type Message struct {
	stanza.Message
	Body string `xml:"body"`
	// Link is the out-of-band link (XEP-0066), or "".
	Link string `xml:"jabber:x:oob x>url"`
}

// A Presence is what the peer's client shows of a contact.
type Presence struct {
	stanza.Presence
	Show string `xml:"show"`
}

// Peer is a logged-in client.
type Peer struct {
	session   *xmpp.Session
	conn      net.Conn
	messages  chan Message
	presences chan Presence
	served    sync.WaitGroup
	handled   uint32        // stanzas since stream management began; the reader's
	managed   chan struct{} // closed when it begins
}

// Login connects to server ("host:port"), logs in as the bare JID and is available. It trusts the server's
// certificate whatever it is: the peer only ever talks to a server on this machine.
func Login(ctx context.Context, server, bareJID, password string) (*Peer, error) {
	address, err := jid.Parse(bareJID)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	session, err := xmpp.NewClientSession(ctx, address, conn,
		xmpp.StartTLS(&tls.Config{ServerName: address.Domain().String(), InsecureSkipVerify: true}),
		xmpp.SASL("", password, sasl.ScramSha256, sasl.ScramSha1, sasl.Plain),
		xmpp.BindResource())
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("xmpppeer: login of %s: %w", bareJID, err)
	}
	p := &Peer{
		session: session, conn: conn,
		messages: make(chan Message, 1000), presences: make(chan Presence, 1000), managed: make(chan struct{}),
	}
	p.served.Go(func() {
		_ = session.Serve(xmpp.HandlerFunc(p.handle)) // its end is the end of the connection
		close(p.messages)
		close(p.presences)
	})
	return p, session.Send(ctx, stanza.Presence{Type: stanza.AvailablePresence}.Wrap(nil))
}

// Messages are those that arrive; closed when the connection ends.
func (p *Peer) Messages() <-chan Message { return p.messages }

// Presences are those that arrive; closed when the connection ends.
func (p *Peer) Presences() <-chan Presence { return p.presences }

// JID is the full address of this client.
func (p *Peer) JID() string { return p.session.LocalAddr().String() }

// Say sends a chat message.
func (p *Peer) Say(ctx context.Context, to, id, body string) error {
	address, err := jid.Parse(to)
	if err != nil {
		return err
	}
	text := xmlstream.Wrap(xmlstream.Token(xml.CharData(body)), xml.StartElement{Name: xml.Name{Local: "body"}})
	return p.session.Send(ctx, stanza.Message{ID: id, To: address, Type: stanza.ChatMessage}.Wrap(text))
}

// Manage begins stream management (XEP-0198): from now on the server asks for an acknowledgement of what it sends, as it
// does of every client that can be resumed. It returns when the server has agreed, and may be called once.
func (p *Peer) Manage(ctx context.Context) error {
	if err := p.session.Send(ctx, managing("enable", "resume", "true")); err != nil {
		return err
	}
	select {
	case <-p.managed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// managing makes an element of stream management.
func managing(name, attribute, value string) xml.TokenReader {
	return xmlstream.Wrap(nil, xml.StartElement{
		Name: xml.Name{Space: nsSM, Local: name},
		Attr: []xml.Attr{{Name: xml.Name{Local: attribute}, Value: value}},
	})
}

// manage counts from the beginning of stream management on, and answers the server's question how much arrived.
func (p *Peer) manage(to xmlstream.TokenWriter, element string) error {
	switch element {
	case "enabled":
		p.handled = 0
		close(p.managed)
	case "r":
		_, err := xmlstream.Copy(to, managing("a", "h", strconv.FormatUint(uint64(p.handled), 10)))
		return err
	}
	return nil
}

// Befriend puts somebody on the roster under a name, asks to see their presence, and lets them see ours.
func (p *Peer) Befriend(ctx context.Context, other, name string) error {
	address, err := jid.Parse(other)
	if err != nil {
		return err
	}
	if err := roster.Set(ctx, p.session, roster.Item{JID: address, Name: name}); err != nil {
		return fmt.Errorf("xmpppeer: roster: %w", err)
	}
	for _, kind := range []stanza.PresenceType{stanza.SubscribedPresence, stanza.SubscribePresence} {
		if err := p.session.Send(ctx, stanza.Presence{To: address, Type: kind}.Wrap(nil)); err != nil {
			return err
		}
	}
	return nil
}

// Close logs out and waits for the reader.
func (p *Peer) Close() error {
	err := p.session.Close()
	p.conn.Close()
	p.served.Wait()
	return err
}

// handle keeps what a person would see; the rest passes.
func (p *Peer) handle(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
	decoder := xml.NewTokenDecoder(xmlstream.MultiReader(xmlstream.Token(*start), t))
	if start.Name.Space == nsSM {
		return p.manage(t, start.Name.Local)
	}
	p.handled++
	switch start.Name.Local {
	case "message":
		var m Message
		if err := decoder.Decode(&m); err != nil {
			return err
		}
		if m.Body != "" && m.Type != stanza.ErrorMessage {
			p.messages <- m
		}
	case "presence":
		var pr Presence
		if err := decoder.Decode(&pr); err != nil {
			return err
		}
		select {
		case p.presences <- pr:
		default: // nobody looks at presence here
		}
	}
	return nil
}
