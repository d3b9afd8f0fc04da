package presence

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"hark/presence/wire"
)

// MaxHops is how many referrals a Dialer follows. RFC 2221 allows 10.
const MaxHops = 3

// A Referral says that the user's session is on another node, in the manner of RFC 2221:
//
//	harks://1001;AUTH=*@ps2.example.net:7778/?session=…;ticket=…
//
// Its ticket is signed by the account server, names user, session and target, and works once.
type Referral struct {
	Scheme  string // "hark" or "harks"
	User    string // user number
	Host    string // "host:port"
	Session string // the record's session id
	Ticket  string // secret; never logged
}

// String says where the session is, and no more: a log that a Referral gets into does not have its ticket.
func (r *Referral) String() string { return "the session is on " + r.Host }

// Addr is what a client dials.
func (r *Referral) Addr() string { return r.Scheme + "://" + r.Host }

// URL is the form in which it travels. It contains the ticket.
func (r *Referral) URL() string {
	return fmt.Sprintf("%s://%s;AUTH=*@%s/?session=%s;ticket=%s", r.Scheme, url.QueryEscape(r.User), r.Host,
		url.QueryEscape(r.Session), url.QueryEscape(r.Ticket))
}

// ParseReferral reads the form of URL. Its errors never contain the text.
func ParseReferral(s string) (*Referral, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || (scheme != "hark" && scheme != "harks") {
		return nil, errors.New("presence: a referral begins with hark:// or harks://")
	}
	user, rest, ok := strings.Cut(rest, ";AUTH=*@")
	if !ok {
		return nil, errors.New("presence: a referral names its user")
	}
	host, query, ok := strings.Cut(rest, "/?")
	if !ok || !isHost(host) {
		return nil, errors.New("presence: a referral names its host")
	}
	session, ticket, ok := strings.Cut(query, ";")
	if !ok {
		return nil, errors.New("presence: a referral has a session and a ticket")
	}
	r := &Referral{Scheme: scheme, Host: host}
	return r, errors.Join(
		unescape(&r.User, user, ""),
		unescape(&r.Session, session, "session="),
		unescape(&r.Ticket, ticket, "ticket="))
}

// unescape reads one part of a referral that must begin with prefix and must not be empty.
func unescape(into *string, s, prefix string) error {
	value, ok := strings.CutPrefix(s, prefix)
	plain, err := url.QueryUnescape(value)
	if !ok || err != nil || plain == "" {
		return errors.New("presence: a part of the referral is malformed")
	}
	*into = plain
	return nil
}

// isHost tells whether s could be "host:port" or "[::1]:port", or a host alone.
func isHost(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/?#@;"<>\`, r)
	})
}

// referralOf returns the referral that an error carries, nil if it carries none.
func referralOf(err error) *Referral {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != wire.Referral {
		return nil
	}
	r, err := ParseReferral(e.Arg)
	if err != nil {
		return nil
	}
	return r
}
