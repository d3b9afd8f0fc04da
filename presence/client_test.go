package presence_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/presence"
	"hark/presence/wire"
)

const hello = `* HELLO {"node":"fake","proto":1,"caps":[]}`

// fake is a server that greets and then answers each line by f's lines; it ends with the test or its client.
func fake(t *testing.T, greeting string, f func(req wire.Request) []string) net.Conn {
	here, there := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer there.Close()
		if _, err := there.Write([]byte(greeting + "\r\n")); err != nil || f == nil {
			return
		}
		reader := wire.NewReader(there)
		for {
			req, err := reader.Request()
			if err != nil {
				return
			}
			for _, line := range f(req) {
				if _, err := there.Write([]byte(line + "\r\n")); err != nil {
					return
				}
			}
		}
	}()
	t.Cleanup(func() { here.Close(); <-ended })
	return here
}

func client(t *testing.T, conn net.Conn) *presence.Client {
	t.Helper()
	c, err := presence.NewClient(conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestNotAServer(t *testing.T) {
	for _, greeting := range []string{
		"220 mail.example.org ESMTP", `* HELLO {"proto":2}`, `* HELLO {"proto":"one"}`, "* PING", "a1 OK {}", "* BYE [TRYLATER 5] no",
	} {
		if c, err := presence.NewClient(fake(t, greeting, nil), nil); err == nil {
			c.Close()
			t.Errorf("%q is taken for a greeting", greeting)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		begun := time.Now()
		if _, err := presence.NewClient(here, nil); err == nil || time.Since(begun) != 10*time.Second {
			t.Errorf("%v after %s of silence", err, time.Since(begun))
		}
	})
}

// Replies find their request whatever their order.
func TestClientPipelining(t *testing.T) {
	var first wire.Request
	held := make(chan bool, 1)
	c := client(t, fake(t, hello, func(req wire.Request) []string {
		if first.Tag == "" {
			first = req
			held <- true
			return nil
		}
		return []string{
			"zz OK {}", req.Tag + ` OK {"seq":2,"state":"sent"}`, first.Tag + ` NO [LOCKED 60] {} wait`,
		}
	}))
	refused := make(chan error, 1)
	go func() { refused <- c.Ping(t.Context()) }()
	<-held
	if reply, err := c.Send(t.Context(), wire.SendRequest{}); err != nil || reply.Seq != 2 {
		t.Errorf("the second request: %+v, %v", reply, err)
	}
	err := <-refused
	want := presence.Error{Status: wire.NO, Code: wire.Locked, Arg: "60", Text: "wait"}
	if e, ok := errors.AsType[*presence.Error](err); !ok || *e != want {
		t.Errorf("the first request: %v", err)
	}
}

// A request that is given up does not disturb the next.
func TestClientGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var late string
	c := client(t, fake(t, hello, func(req wire.Request) []string {
		if late == "" {
			late = req.Tag
			cancel()
			return nil
		}
		return []string{late + " OK {}", req.Tag + ` OK {"networks":[{"network":"xmpp"}]}`}
	}))
	if err := c.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if networks, err := c.Networks(t.Context()); err != nil || len(networks) != 1 {
		t.Errorf("%+v, %v", networks, err)
	}
}

// The server goes away in the middle of a request, or talks nonsense: every caller hears ErrClosed.
func TestClientLosesServer(t *testing.T) {
	for name, answer := range map[string]string{
		"nonsense": "?", "a broken event": `* EXISTS {"waiting":"many"}`, "a broken reply": "c1 OK",
	} {
		c := client(t, fake(t, hello, func(wire.Request) []string { return []string{answer} }))
		for range 2 {
			if err := c.Ping(t.Context()); !errors.Is(err, presence.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
			<-c.Done()
		}
	}
}

// Events wait for a slow reader, with only the newest EXISTS, and the channel closes after the last.
func TestEvents(t *testing.T) {
	c := client(t, fake(t, hello, func(req wire.Request) []string {
		var lines []string
		for i := range 1000 {
			lines = append(lines, fmt.Sprintf(`* EXISTS {"waiting":%d}`, i))
		}
		return append(lines, `* DELIVERY {"id":"a","state":"sent"}`, `* NEWER {"x":1}`, `* EXISTS {"waiting":1000}`,
			`* PRESENCE {"from":"xmpp:b@x","show":"away"}`, req.Tag+" OK {}", "* BYE [FENCED] gone", "nonsense")
	}))
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	var got []string
	for e := range c.Events() {
		got = append(got, fmt.Sprintf("%s %v", e.Name, e.Body))
	}
	want := "DELIVERY {a sent }|NEWER <nil>|EXISTS {1000 0}|PRESENCE {xmpp:b@x away }|BYE {FENCED  gone}"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("%s", s)
	}
}

func TestDialerRefusesPlainOutside(t *testing.T) {
	d := &presence.Dialer{}
	for _, home := range []string{"", "pipe:", "http://localhost", "hark://127.0.0.1:1"} {
		d.Home = home
		if _, _, err := d.Login(t.Context(), wire.LoginRequest{}); err == nil {
			t.Errorf("%q was dialled", home)
		}
	}
}

// Servers that refer in a circle are left when one comes again, and those that refer on and on after three hops (F14).
func TestReferralLoop(t *testing.T) {
	for name, loop := range map[string]struct {
		next func(hop int) string
		most int // dials
	}{
		"circle":    {func(hop int) string { return fmt.Sprint("ps", hop%2, ".test:7778") }, 3},
		"on and on": {func(hop int) string { return fmt.Sprint("ps", hop, ".test:7778") }, 4},
		"itself":    {func(int) string { return "ps.test:7778" }, 2},
	} {
		dials := 0
		d := &presence.Dialer{Home: "harks://home.test", Dial: func(context.Context, string) (net.Conn, error) {
			dials++
			r := presence.Referral{Scheme: "harks", User: "1", Host: loop.next(dials), Session: "s", Ticket: fmt.Sprint("t", dials)}
			greeting := strings.Replace(hello, "fake", fmt.Sprint("node", dials), 1)
			return fake(t, greeting, func(req wire.Request) []string {
				if dials > 1 && strings.Contains(string(req.Arg), "secret") {
					t.Errorf("%s: the PIN went to a second server: %s", name, req.Arg)
				}
				return []string{req.Tag + " NO [REFERRAL " + r.URL() + "] {} there"}
			}), nil
		}}
		_, _, err := d.Login(t.Context(), wire.LoginRequest{User: "1", PIN: "secret"})
		if !errors.Is(err, presence.ErrLoop) || dials != loop.most {
			t.Errorf("%s: %v after %d servers", name, err, dials)
		}
	}
}

func FuzzReferral(f *testing.F) {
	f.Add("harks://1001;AUTH=*@ps2.example.net:7778/?session=a%3Bb;ticket=c%5D")
	f.Add("hark://1;AUTH=*@[::1]:7778/?session=x;ticket=y")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := presence.ParseReferral(s)
		if err != nil {
			return
		}
		again, err := presence.ParseReferral(r.URL())
		if err != nil || *again != *r {
			t.Fatalf("%q: %+v, again %+v, %v", s, r, again, err)
		}
		frame, err := wire.ParseReply(wire.Reply{Tag: "a", Status: wire.NO, Code: wire.Referral, CodeArg: r.URL()}.Append(nil)[:len(r.URL())+len("a NO [REFERRAL ] {}")])
		if err != nil || frame.CodeArg != r.URL() {
			t.Fatalf("%q does not fit into a frame: %v", r.URL(), err)
		}
		if e := (&presence.Error{Code: wire.Referral, Arg: r.URL()}).Error() + fmt.Sprint(r); len(r.Ticket) > 8 && strings.Contains(e, r.Ticket) && !strings.Contains(r.Host, r.Ticket) {
			t.Fatalf("the ticket shows in %q", e)
		}
	})
}
