package accounts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Tickets signs and checks tickets. A ticket is a bearer's proof that somebody has authenticated; it names user, session
// and target, lives shortly, and works once at this Tickets. Nodes that share the Key know each other's tickets; the
// used ones each remembers by itself, until it stops: a ticket would work once at each of them, but for DB.Redeem.
type Tickets struct {
	Key []byte           // 32 bytes
	Now func() time.Time // nil is time.Now

	mu   sync.Mutex
	used map[[ticketID]byte]int64 // to when the ticket would have lived, milliseconds
	tidy int64                    // when to forget those that are over
}

const (
	ticketID  = 16 // bytes
	ticketSum = sha256.Size
	ticketMax = 1024 // bytes, long before base64 sees them
)

// encoding is strict, so that no ticket has two writings; line breaks, which it skips, are looked for by hand.
var encoding = base64.RawURLEncoding.Strict()

// Issue makes a ticket that lives for ttl.
func (t *Tickets) Issue(c Claims, ttl time.Duration) string {
	p := payload{Claims: c, ends: t.now() + ttl.Milliseconds()}
	rand.Read(p.id[:])
	return t.seal(p)
}

func (t *Tickets) seal(p payload) string {
	text := p.append(nil)
	return encoding.EncodeToString(append(text, t.sign(text)...))
}

// Redeem checks the ticket and uses it up. A ticket that is forged, over, used, or for another node is ErrRefused.
func (t *Tickets) Redeem(ticket, node string) (Claims, error) {
	p, err := t.redeem(ticket, node)
	return p.Claims, err
}

func (t *Tickets) redeem(ticket, node string) (payload, error) {
	p, err := t.open(ticket)
	if err != nil {
		return payload{}, err
	}
	if p.ends <= t.now() {
		return payload{}, refusal("the ticket is over")
	}
	if p.Target != "" && p.Target != node {
		return payload{}, refusal("the ticket is for another node")
	}
	if !t.spend(p) {
		return payload{}, errSpent
	}
	return p, nil
}

var errSpent = refusal("the ticket was used before")

// open checks form and signature.
func (t *Tickets) open(ticket string) (p payload, err error) {
	if len(ticket) > ticketMax || strings.ContainsAny(ticket, "\r\n") {
		return p, refusal("the ticket has not the form of one")
	}
	text, err := encoding.DecodeString(ticket)
	if err != nil || len(text) < ticketSum {
		return p, refusal("the ticket is not readable")
	}
	text, signature := text[:len(text)-ticketSum], text[len(text)-ticketSum:]
	if !hmac.Equal(signature, t.sign(text)) {
		return p, refusal("the ticket is forged")
	}
	return parsePayload(text)
}

func (t *Tickets) sign(text []byte) []byte {
	mac := hmac.New(sha256.New, t.Key)
	mac.Write([]byte("hark ticket 1\n"))
	mac.Write(text)
	return mac.Sum(nil)
}

// spend notes the ticket as used; false when it was.
func (t *Tickets) spend(p payload) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if now >= t.tidy {
		for id, ends := range t.used {
			if ends <= now {
				delete(t.used, id)
			}
		}
		t.tidy = now + TicketLife.Milliseconds()
	}
	if _, used := t.used[p.id]; used {
		return false
	}
	if t.used == nil {
		t.used = map[[ticketID]byte]int64{}
	}
	t.used[p.id] = p.ends
	return true
}

func (t *Tickets) now() int64 {
	if t.Now == nil {
		return time.Now().UnixMilli()
	}
	return t.Now().UnixMilli()
}

// A payload is what a ticket's signature covers: id, end, and three texts with their lengths.
type payload struct {
	Claims
	id   [ticketID]byte
	ends int64 // milliseconds since 1970
}

func (p payload) append(b []byte) []byte {
	b = append(b, p.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.ends))
	for _, text := range []string{p.User, p.Session, p.Target} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
		b = append(b, text...)
	}
	return b
}

// parsePayload reads what append writes, and nothing else.
func parsePayload(b []byte) (p payload, err error) {
	if len(b) < ticketID+8 {
		return p, refusal("the ticket is cut short")
	}
	copy(p.id[:], b)
	p.ends = int64(binary.BigEndian.Uint64(b[ticketID:]))
	b = b[ticketID+8:]
	for _, text := range []*string{&p.User, &p.Session, &p.Target} {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return payload{}, refusal("the ticket is cut short")
		}
		n := int(binary.BigEndian.Uint16(b))
		*text, b = string(b[2:2+n]), b[2+n:]
	}
	if len(b) > 0 {
		return payload{}, fmt.Errorf("%w: %d bytes too many", refusal("the ticket is too long"), len(b))
	}
	return p, nil
}
