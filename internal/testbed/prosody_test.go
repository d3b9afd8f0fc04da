package testbed

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An xmppClient is as much of a client as it takes to log in by hand.
type xmppClient struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// login opens a stream, turns on TLS, and proves the password; it returns whether Prosody took it.
func login(t *testing.T, p *Prosody, user, password string) (*xmppClient, bool) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := &xmppClient{t: t, conn: conn, r: bufio.NewReader(conn)}
	c.say(streamHeader, p.Domain)
	c.await("</stream:features>")
	c.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.await("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.conn = tls.Client(conn, &tls.Config{RootCAs: p.Roots, ServerName: p.Domain})
	c.r = bufio.NewReader(c.conn)
	c.say(streamHeader, p.Domain)
	c.await("</stream:features>")
	c.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>",
		base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)))
	if !strings.Contains(c.await(">"), "<success") {
		return c, false
	}
	c.say(streamHeader, p.Domain)
	c.await("</stream:features>")
	return c, true
}

func (c *xmppClient) say(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, format, args...); err != nil {
		c.t.Fatal(err)
	}
}

// await reads until the text has come, and returns everything up to it.
func (c *xmppClient) await(text string) string {
	c.t.Helper()
	var got strings.Builder
	for !strings.HasSuffix(got.String(), text) {
		b, err := c.r.ReadByte()
		if err != nil {
			c.t.Fatalf("%v after %q", err, got.String())
		}
		got.WriteByte(b)
	}
	return got.String()
}

// history waits until the log tells a history, since Prosody writes it a moment after it answers.
func history(t *testing.T, p *Prosody, jid string, want History) {
	t.Helper()
	err := waitFor(t.Context(), 5*time.Second, nil, func(context.Context) error {
		if got, err := p.History(jid); err != nil || got != want {
			return fmt.Errorf("history of %s: %+v, %v; want %+v", jid, got, err, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestProsodyCountsLoginsAndResumptions(t *testing.T) {
	t.Parallel()
	p := ProsodyFor(t, ProsodyOptions{Users: map[string]string{"alice": `p"\ä]]&`, "bob.b": "y"}})
	if _, ok := login(t, p, "alice", "wrong"); ok {
		t.Error("a wrong password was taken")
	}
	history(t, p, "alice@localhost", History{})

	c, ok := login(t, p, "alice", `p"\ä]]&`)
	if !ok {
		t.Fatal("the password was refused")
	}
	c.say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	c.await("</iq>")
	c.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	token := regexp.MustCompile(`id='([^']+)'`).FindStringSubmatch(c.await("/>"))
	if token == nil {
		t.Fatal("no token to resume with")
	}
	history(t, p, "alice@localhost", History{Logins: 1})

	c.conn.(*tls.Conn).NetConn().Close() // cut
	d, _ := login(t, p, "alice", `p"\ä]]&`)
	d.say("<resume xmlns='urn:xmpp:sm:3' h='0' previd='%s'/>", token[1])
	d.await("<resumed")
	history(t, p, "alice@localhost", History{Logins: 2, Resumed: 1})
	d.say("</stream:stream>")
	history(t, p, "alice@localhost", History{Logins: 2, Resumed: 1, Ended: 1})

	if _, ok := login(t, p, "bob.b", "y"); !ok {
		t.Error("bob.b's password was refused")
	}
	history(t, p, "bob.b@localhost", History{Logins: 1})
	if err := p.AddUser("carol", "z"); err != nil {
		t.Fatal(err)
	}
	if _, ok := login(t, p, "carol", "z"); !ok {
		t.Error("carol, who came later, was refused")
	}
}

func TestProsodyFriends(t *testing.T) {
	t.Parallel()
	p := ProsodyFor(t, ProsodyOptions{
		Domain:  "im.example.org",
		Users:   map[string]string{"alice": "x", "bob": "y"},
		Friends: [][2]string{{"alice", "bob"}},
		Rooms:   true,
		Upload:  true,
	})
	for user, password := range map[string]string{"alice": "x", "bob": "y"} {
		c, ok := login(t, p, user, password)
		if !ok {
			t.Fatal("the password was refused")
		}
		c.say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
		c.await("</iq>")
		c.say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
		if got := c.await("</iq>"); !strings.Contains(got, "subscription='both'") {
			t.Errorf("%s's roster: %s", user, got)
		}
		c.say("<iq type='get' id='d' to='im.example.org'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
		if got := c.await("</iq>"); !strings.Contains(got, "rooms.im.example.org") || !strings.Contains(got, "upload.im.example.org") {
			t.Errorf("what %s is offered: %s", user, got)
		}
	}
}

func TestProsodyIsStoppedKilledAndRestarted(t *testing.T) {
	t.Parallel()
	p := ProsodyFor(t, ProsodyOptions{Users: map[string]string{"alice": "x"}})
	other := ProsodyFor(t, ProsodyOptions{Users: map[string]string{"alice": "other"}})
	addr, first := p.Addr, p.PID
	if err := p.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone(t, first)
	second := p.PID
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	gone(t, second)
	if p.Running() || p.Ping(t.Context()) == nil {
		t.Error("killed, and still there")
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.Addr != addr {
		t.Errorf("after the restart at %s, before at %s", p.Addr, addr)
	}
	if _, ok := login(t, p, "alice", "x"); !ok {
		t.Error("the account is gone after the restart")
	}
	if _, ok := login(t, other, "alice", "x"); ok {
		t.Error("two servers share their accounts")
	}
	if err := p.Discard(); err != nil {
		t.Error(err)
	}
	gone(t, p.PID)
	if _, err := os.Stat(p.Dir); !os.IsNotExist(err) {
		t.Errorf("the run folder is still there: %v", err)
	}
}

func TestPortThatIsTakenIsToldAtOnce(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	taken, takenUDP := tcp.Addr().(*net.TCPAddr).Port, udp.LocalAddr().(*net.UDPAddr).Port

	begun := time.Now()
	_, err = StartProsody(t.Context(), ProsodyOptions{Port: taken})
	if !errors.Is(err, errPortTaken) {
		t.Errorf("prosody: %v, want that the port was taken", err)
	}
	for _, o := range []AsteriskOptions{{ARIPort: taken}, {SIPPort: takenUDP}} {
		if _, err = StartAsterisk(t.Context(), o); !errors.Is(err, errPortTaken) {
			t.Errorf("asterisk with ARI at %d, SIP at %d: %v, want that the port was taken", o.ARIPort, o.SIPPort, err)
		}
	}
	if took := time.Since(begun); took > startLimit {
		t.Errorf("told after %v", took)
	}
}
