package xmpp

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mellium.im/xmpp/jid"

	"hark/im"
)

// A view is one user's view of the stanzas that arrive.
type view struct {
	own  string // bare JID
	full string // full JID
	now  func() time.Time
	name func(bare string) string // what the user calls somebody
}

// A reading is what a message stanza means.
type reading struct {
	message  *im.Message
	delivery *im.Delivery
	typing   *im.ChatState
	receipt  []byte  // the answer that the sender asked for, due once the message is kept
	archive  archive // the message's place in the user's archive, if known
	copied   bool    // it came as a carbon copy or out of the archive
	from     string  // the sender's bare JID
	resource string  // the sender's resource
	query    string  // id of the archive query that it answers
}

// An envelope is a message with what was around it.
type envelope struct {
	*element
	sent      bool // the user sent it himself, with another client
	copied    bool
	archiveID string
	stamp     string // when it was archived
	query     string
}

// read tells what a message stanza means. It never fails: what means nothing to us gives the zero reading.
func (v view) read(e *element) reading {
	env, ok := v.open(e)
	if !ok {
		return reading{}
	}
	from, to := parseJID(env.attr("from"), v.own), parseJID(env.attr("to"), v.own)
	other := from
	if env.sent {
		other = to
	}
	kind := env.attr("type")
	if other == "" || kind == "groupchat" {
		return reading{copied: env.copied, query: env.query}
	}
	r := reading{copied: env.copied, query: env.query, from: from, resource: resourceOf(env.attr("from"))}
	r.archive = archive{ID: env.archiveID, At: v.stamp(env)}
	if kind == "error" {
		r.delivery = failure(env.element)
		return r
	}
	v.readBody(&r, env, from, to)
	if !env.sent {
		v.readReports(&r, env, from)
	}
	if r.message == nil && r.delivery == nil {
		r.archive = archive{}
	}
	return r
}

// open takes a message out of a carbon copy (XEP-0280) or an archive result (XEP-0313). Only our own account may send
// those: ok is false for a forgery.
func (v view) open(e *element) (env envelope, ok bool) {
	env = envelope{element: e}
	for _, k := range e.kids {
		switch {
		case k.is(nsCarbons, "received"), k.is(nsCarbons, "sent"):
			env.copied, env.element = true, k.child(nsForward, "forwarded").child(nsClient, "message")
		case k.is(nsMAM, "result"):
			forwarded := k.child(nsForward, "forwarded")
			env.copied, env.element = true, forwarded.child(nsClient, "message")
			env.archiveID, env.query = k.attr("id"), k.attr("queryid")
			env.stamp = forwarded.child(nsDelay, "delay").attr("stamp")
		default:
			continue
		}
		if env.element == nil || !v.isOurs(e.attr("from")) {
			return envelope{}, false
		}
		break
	}
	env.sent = bareOf(env.attr("from")) == v.own
	if env.sent && !env.copied && bareOf(env.attr("to")) != v.own {
		return envelope{}, false
	}
	if env.archiveID == "" {
		env.archiveID = v.stanzaID(env.element)
	}
	return env, true
}

// isOurs tells whether a stanza with this from comes from our own account (RFC 6120, 8.1.2.1).
func (v view) isOurs(from string) bool { return from == "" || from == v.own }

// stanzaID returns the id that our own server gave the message (XEP-0359); anybody else's is worth nothing.
func (v view) stanzaID(e *element) string {
	for _, k := range e.kids {
		if k.is(nsSID, "stanza-id") && k.attr("by") == v.own {
			return k.attr("id")
		}
	}
	return ""
}

// readBody reads the message itself, if there is one.
func (v view) readBody(r *reading, env envelope, from, to string) {
	body, attachments := bodyOf(env.element), attachmentsOf(env.element)
	if body == "" && len(attachments) > 0 {
		body = attachments[0].URL
	}
	if body == "" {
		return
	}
	m := &im.Message{
		ID: idOf(env.element), From: address(from), To: address(to), Body: body, Attachments: attachments,
		ReplyTo: env.child(nsReply, "reply").attr("id"), Sent: v.stamp(env), Outgoing: env.sent,
		Choices: choicesOf(env.element), Markable: env.child(nsMarkers, "markable") != nil,
	}
	m.Origin = v.origin(env, m)
	other := from
	if env.sent {
		other = to
	} else if m.Name = v.name(other); m.Name == "" {
		m.Name = clip(env.textOf(nsNick, "nick"), 100)
	}
	if env.sent {
		m.Name = v.name(other)
	}
	r.message = m
	if !env.sent && !env.copied && env.child(nsReceipts, "request") != nil && env.attr("id") != "" {
		r.receipt = receipt(env.attr("from"), env.attr("id"))
	}
}

// origin is the stable id of a message: the archive's, or what the sender chose. A message of the user's own is known
// by his client's id, since a server need not tell the sender the archive's.
func (v view) origin(env envelope, m *im.Message) string {
	switch {
	case env.sent && m.ID != "":
		return "own:" + short(m.ID)
	case env.archiveID != "":
		return env.archiveID
	case m.ID != "":
		return m.From.ID + "/" + short(m.ID)
	}
	// Some senders give no id at all. The same text at the same time is the same message then.
	return m.From.ID + "@" + env.child(nsDelay, "delay").attr("stamp") + "#" + digest(m.Body)
}

// short is an id that somebody chose, or its digest when it would be in the way: origins are remembered.
func short(id string) string {
	if len(id) > 200 {
		return digest(id)
	}
	return id
}

// readReports reads what the other side says about a message of ours, and whether it types.
func (v view) readReports(r *reading, env envelope, from string) {
	for _, k := range env.kids {
		switch {
		case k.is(nsReceipts, "received"), k.is(nsMarkers, "received"):
			r.delivery = &im.Delivery{ID: k.attr("id"), State: im.Delivered}
		case k.is(nsMarkers, "displayed"):
			r.delivery = &im.Delivery{ID: k.attr("id"), State: im.Read}
		case k.name.Space == nsStates && r.message == nil && !env.copied:
			r.typing = &im.ChatState{From: address(from), Typing: k.name.Local == "composing"}
		}
	}
	if r.delivery != nil && r.delivery.ID == "" {
		r.delivery = nil
	}
}

// stamp is when the message was sent: what the archive or a delay (XEP-0203) says, or now. Never the future.
func (v view) stamp(env envelope) time.Time {
	now := v.now().UTC()
	for _, s := range []string{env.child(nsDelay, "delay").attr("stamp"), env.stamp} {
		if t, err := time.Parse(time.RFC3339, s); err == nil && t.Before(now) && t.Year() > 1970 {
			return t.UTC()
		}
	}
	return now
}

// bodyOf returns the text: the body without a language if there is one, else the first.
func bodyOf(e *element) string {
	var body string
	for _, k := range e.kids {
		if !k.is(nsClient, "body") || k.text == "" {
			continue
		}
		if k.lang() == "" {
			return clip(k.text, im.MaxBody)
		}
		if body == "" {
			body = clip(k.text, im.MaxBody)
		}
	}
	return body
}

// choicesOf returns the answers that the message offers (XEP-0439). One without a label is shown as it is sent.
func choicesOf(e *element) (list []im.Choice) {
	for _, k := range e.kids {
		body := strings.TrimSpace(k.attr("value"))
		if !k.is(nsQuick, "response") || body == "" || len(body) > im.MaxChoice || len(list) == im.MaxChoices {
			continue
		}
		label := clip(strings.TrimSpace(k.attr("label")), im.MaxChoice)
		list = append(list, im.Choice{Label: cmp.Or(label, body), Body: body})
	}
	return list
}

// maxAttachments is how many links of one message are looked at.
const maxAttachments = 16

// attachmentsOf returns the links of XEP-0447, and of XEP-0066 those that are not among them. Only web links count.
func attachmentsOf(e *element) []im.Attachment {
	list := sharedFiles(e)
	for _, k := range e.kids {
		link := strings.TrimSpace(k.textOf(nsOOB, "url"))
		known := slices.ContainsFunc(list, func(a im.Attachment) bool { return a.URL == link })
		if k.is(nsOOB, "x") && isWebLink(link) && !known && len(list) < maxAttachments {
			list = append(list, im.Attachment{URL: link, Type: typeOf(link), Title: clip(k.textOf(nsOOB, "desc"), 200)})
		}
	}
	return list
}

func isWebLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(s) <= 4096
}

// typeOf guesses the media type from the link's end. The system's own table is not asked: it differs between machines.
func typeOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return mediaTypes[strings.ToLower(path.Ext(u.Path))]
}

var mediaTypes = map[string]string{
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav",
	".m4a": "audio/mp4", ".aac": "audio/aac", ".amr": "audio/amr", ".flac": "audio/flac", ".weba": "audio/webm",
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp",
	".mp4": "video/mp4", ".webm": "video/webm", ".pdf": "application/pdf", ".txt": "text/plain",
}

// idOf is the id that the sender chose.
func idOf(e *element) string {
	if id := e.attr("id"); id != "" {
		return id
	}
	return e.child(nsSID, "origin-id").attr("id")
}

// failure reads a message that came back.
func failure(e *element) *im.Delivery {
	id := e.attr("id")
	if id == "" {
		return nil
	}
	return &im.Delivery{ID: id, State: im.Failed, Reason: reason(e.child(nsClient, "error"))}
}

// reason says in words why a message came back.
func reason(e *element) string {
	switch condition(e) {
	case "item-not-found", "jid-malformed":
		return "There is no such address."
	case "service-unavailable", "recipient-unavailable", "gone":
		return "This person cannot be reached."
	case "remote-server-not-found", "remote-server-timeout":
		return "The other server cannot be reached."
	case "forbidden", "not-allowed", "not-authorized", "policy-violation", "not-acceptable":
		return "The message was refused."
	case "resource-constraint":
		return "The other side has no room for more messages."
	}
	return "The message could not be delivered."
}

// receipt answers a request for a receipt (XEP-0184).
func receipt(to, id string) []byte {
	return el(nsClient, "message", "to", to, "type", "chat").
		with(el(nsReceipts, "received", "id", id), el(nsHints, "store")).bytes()
}

func address(bare string) im.Address { return im.Address{Network: im.XMPP, ID: bare} }

// parseJID returns the bare form of an address, "" when it is none; an empty one is our own.
func parseJID(s, own string) string {
	if s == "" {
		return own
	}
	if j, err := jid.Parse(s); err == nil {
		return j.Bare().String()
	}
	return ""
}

func bareOf(s string) string {
	bare, _, _ := strings.Cut(s, "/")
	return bare
}

func resourceOf(s string) string {
	_, resource, _ := strings.Cut(s, "/")
	return resource
}

func domainOf(bare string) string {
	if _, domain, ok := strings.Cut(bare, "@"); ok {
		return domain
	}
	return bare
}

// clip cuts text to at most max bytes, between characters.
func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}
