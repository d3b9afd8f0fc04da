package xmpp

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	"hark/im"
)

// A login is one negotiation, from the first byte to a bound resource or a resumed stream.
type login struct {
	service *Service
	account im.Account
	own     jid.JID // bare
	before  state   // what to resume; zero for a first login

	// What came of it.
	jid     jid.JID // full, as the server has it
	sm      bool    // stream management is on
	id      string  // of the stream, for resuming it; "" when that is not possible
	resumed bool    // the stream of before goes on
	handled uint32  // how many of our stanzas the server had handled, if resumed or known
	known   bool    // handled is known
	choked  bool    // the server broke off instead of answering a resume, as Prosody 0.12 does when it cannot
}

// run connects and negotiates. It closes the connection when it fails or when ctx ends first.
func (l *login) run(ctx context.Context) (*wire, error) {
	domain := l.own.Domainpart()
	raw, secure, err := l.service.connect(ctx, l.account, domain)
	if err != nil {
		return nil, err
	}
	// The library watches its context in a goroutine that may still act when the negotiation is over. So it gets one
	// that never ends, and the connection is closed from here.
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	w, err := l.negotiate(context.WithoutCancel(ctx), newWire(raw), secure)
	if !stop() || err != nil {
		raw.Close()
		if err == nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return w, nil
}

// negotiate runs the library's negotiation with our features.
func (l *login) negotiate(ctx context.Context, w *wire, secure bool) (*wire, error) {
	var mask xmpp.SessionState
	origin := jid.JID{} // nobody on the way needs to know who logs in
	if secure || l.service.Insecure {
		mask, origin = xmpp.Secure, l.own
	}
	features := []xmpp.StreamFeature{l.saslFeature(), l.bindFeature()}
	if mask == 0 {
		features = append(features, l.tlsFeature())
	}
	negotiator := xmpp.NewNegotiator(func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
		return xmpp.StreamConfig{Features: features}
	})
	session, err := xmpp.NewSession(ctx, l.own.Domain(), origin, w, mask, negotiator)
	if err != nil {
		return nil, err
	}
	if l.jid.Equal(jid.JID{}) {
		return nil, fail(im.Protocol, "xmpp: the server let us in without binding a resource")
	}
	last, ok := session.Conn().(*wire)
	if !ok {
		return nil, fail(im.Protocol, "xmpp: negotiation ended on a %T", session.Conn())
	}
	return last, nil
}

// tlsFeature is STARTTLS. It differs from the library's in that TLS lies on the connection itself and not on our wire,
// whose buffer it would pass, and that bytes which came before TLS are an attack, not a part of the stream.
func (l *login) tlsFeature() xmpp.StreamFeature {
	f := xmpp.StartTLS(nil)
	f.Negotiate = func(ctx context.Context, session *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
		w, ok := session.Conn().(*wire)
		if !ok {
			return 0, nil, fail(im.Protocol, "xmpp: TLS on a %T", session.Conn())
		}
		if err := startTLS(session, w); err != nil {
			return 0, nil, err
		}
		c, err := l.service.encrypt(ctx, w.Conn, l.own.Domainpart())
		if err != nil {
			return 0, nil, err
		}
		session.UpdateAddr(l.own)
		return xmpp.Secure, newWire(c), nil
	}
	return f
}

func startTLS(session *xmpp.Session, w *wire) error {
	if _, err := io.WriteString(w, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	answer, err := readNonza(session)
	if err != nil {
		return err
	}
	if !answer.is("urn:ietf:params:xml:ns:xmpp-tls", "proceed") {
		return &im.Error{Class: im.Config, Err: errNoTLS}
	}
	if len(w.unread) > 0 {
		return fail(im.Protocol, "xmpp: data before TLS began")
	}
	return nil
}

// saslFeature is SASL with SCRAM, bound to the TLS channel where both sides can.
func (l *login) saslFeature() xmpp.StreamFeature {
	f := xmpp.SASL("", l.account.Password, sasl.ScramSha1)
	f.Negotiate = func(ctx context.Context, session *xmpp.Session, data any) (xmpp.SessionState, io.ReadWriter, error) {
		mechanisms := l.mechanisms(session)
		offered, _ := data.([]string)
		if !canDo(mechanisms, offered) {
			return 0, nil, fail(im.Config, "xmpp: the server offers no login that keeps the password safe, only %q", offered)
		}
		mask, rw, err := xmpp.SASL("", l.account.Password, mechanisms...).Negotiate(ctx, session, data)
		if err != nil {
			return mask, nil, saslError(err)
		}
		return mask, rw, nil
	}
	return f
}

// mechanisms lists how to log in, best first. TLS 1.3 has a channel binding of its own (RFC 9266), which a server must
// have announced (XEP-0440): ejabberd 23.01 offers to bind, understands only the old kind, and would take the right
// password for a wrong one.
func (l *login) mechanisms(session *xmpp.Session) []sasl.Mechanism {
	list := []sasl.Mechanism{sasl.ScramSha256, sasl.ScramSha1}
	_, announced := session.Feature(nsBinding)
	if w, ok := session.Conn().(*wire); announced || ok && w.ConnectionState().Version < tls.VersionTLS13 {
		list = append([]sasl.Mechanism{sasl.ScramSha256Plus, sasl.ScramSha1Plus}, list...)
	}
	if l.service.AllowPlain {
		list = append(list, sasl.Plain)
	}
	return list
}

func canDo(mechanisms []sasl.Mechanism, offered []string) bool {
	for _, m := range mechanisms {
		for _, name := range offered {
			if m.Name == name {
				return true
			}
		}
	}
	return false
}

// bindFeature resumes the stream where it can, and else binds a resource and switches stream management on (XEP-0198,
// 3 and 5). It stands in the place of resource binding, so that the library does not bind a resumed stream again.
func (l *login) bindFeature() xmpp.StreamFeature {
	f := xmpp.BindResource()
	f.Negotiate = func(_ context.Context, session *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
		_, offered := session.Feature(nsSM)
		if offered && l.before.ID != "" {
			if err := l.resume(session); err != nil || l.resumed {
				return xmpp.Ready, nil, err
			}
		}
		err := l.bind(session)
		if offered && err == nil {
			err = l.enable(session)
		}
		return xmpp.Ready, nil, err
	}
	return f
}

// bind asks for our resource (RFC 6120, 7). The library would ask for one without saying which. The server may give
// another one.
func (l *login) bind(session *xmpp.Session) error {
	bind := el(nsBind, "bind").with(el(nsBind, "resource").says(l.service.resource(l.account, l.before)))
	answer, err := ask(session, el(nsClient, "iq", "type", "set", "id", "bind").with(bind))
	if err != nil {
		return err
	}
	if answer.attr("type") != "result" {
		condition := condition(answer.child(nsClient, "error"))
		return fail(stanzaClass(condition), "xmpp: binding the resource: %s", condition)
	}
	full, err := jid.Parse(answer.child(nsBind, "bind").textOf(nsBind, "jid"))
	if err != nil || !full.Bare().Equal(l.own) {
		return fail(im.Protocol, "xmpp: the server bound the address of somebody else")
	}
	l.jid = full
	return nil
}

// resume asks the server to go on with the stream before. A refusal is no error.
func (l *login) resume(session *xmpp.Session) error {
	answer, err := ask(session, el(nsSM, "resume", "h", utoa(l.before.In), "previd", l.before.ID))
	if l.choked = err != nil; l.choked {
		return err
	}
	l.handled, l.known = parseCount(answer.attr("h"))
	switch {
	case answer.is(nsSM, "resumed") && l.known:
		l.jid, err = jid.Parse(l.before.JID)
		l.resumed, l.sm, l.id = err == nil, true, l.before.ID
		return err
	case answer.is(nsSM, "failed"):
		return nil
	}
	return fail(im.Protocol, "xmpp: the server answers a resume with <%s>", answer.name.Local)
}

// outdated tells that the resumed stream had gone on after the state before: the server has handled more than was sent by
// then. What it was told meanwhile to be kept it does not send again, so a state that comes back (a database that was
// restored, or a standby that was behind) would miss it. Prosody refuses to resume from such a state; ejabberd 23.01 does
// not.
func (l *login) outdated() bool { return l.resumed && int32(l.handled-l.before.Out) > 0 }

// enable switches stream management on; a refusal means to do without.
func (l *login) enable(session *xmpp.Session) error {
	answer, err := ask(session, el(nsSM, "enable", "resume", "true"))
	if err != nil {
		return err
	}
	l.sm = answer.is(nsSM, "enabled")
	if resume := answer.attr("resume"); l.sm && (resume == "true" || resume == "1") {
		l.id = answer.attr("id")
	}
	return nil
}

// ask sends an element during negotiation and reads what comes back.
func ask(session *xmpp.Session, e *element) (*element, error) {
	if _, err := session.Conn().Write(e.bytes()); err != nil {
		return nil, err
	}
	return readNonza(session)
}

// readNonza reads one element during negotiation.
func readNonza(session *xmpp.Session) (*element, error) {
	r := session.TokenReader()
	defer r.Close()
	d := xml.NewTokenDecoder(r)
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			return (&builder{d: d}).element(token, maxDepth)
		case xml.CharData: // white space; the library refuses any other
		default:
			return nil, fmt.Errorf("%w: %T", errRestricted, token)
		}
	}
}

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// parseCount reads the h of XEP-0198.
func parseCount(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}
