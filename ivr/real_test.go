package ivr_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hark/accounts"
	"hark/im"
	"hark/ivr"
	"hark/ivr/ivrtest"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// real is a stage on a real presence server: the wire protocol over net.Pipe, the session store on SQLite. What a
// conversation arranges with the server's inside cannot be done here.
type real struct {
	phones
	bed   *presencetest.Bed
	gate  *gate
	shelf *shelf
	voice *ivrtest.Voice
	pipes pipes
	sent  int // how many of the messages that were sent were looked at
	known []im.Contact
}

// gate is the account server, with faults and a count.
type gate struct {
	fault
	*presencetest.Accounts
	tries int
}

func (g *gate) Authenticate(ctx context.Context, c accounts.Credentials) (string, error) {
	if err := g.meet(ctx); err != nil {
		return "", err
	}
	g.tries++
	return g.Accounts.Authenticate(ctx, c)
}

// pipes are the connections to the presence server, which can be cut.
type pipes struct {
	fault
	mu   sync.Mutex
	open []net.Conn
}

func (p *pipes) dial(ctx context.Context, server *presence.Server) (net.Conn, error) {
	if err := p.meet(ctx); err != nil {
		return nil, err
	}
	conn, err := server.Pipe(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, conn)
	return conn, nil
}

func (p *pipes) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.open {
		_ = conn.Close()
	}
	p.open = nil
}

// newReal starts a presence server with one user, who has a session already.
func newReal(t testing.TB) *real {
	t.Helper()
	bed := presencetest.Prepare(t)
	bed.Adjust = func(s *presence.Server) { s.Lease, s.BeatEvery, s.Log = 1000*time.Hour, 900*time.Hour, nil }
	bed.Start()
	bed.Accounts.Set(theUser, presencetest.User{
		PIN: thePIN, Name: "Ana", Logins: []im.Account{{Network: im.XMPP, ID: presencetest.AnaID, Password: "x"}},
	})
	r := &real{
		bed:   bed,
		gate:  &gate{Accounts: bed.Accounts},
		shelf: &shelf{kept: map[string]time.Duration{}},
		voice: newVoice(t),
	}
	r.dir, r.after = t.TempDir(), func() error { return nil }
	dialer := &presence.Dialer{Home: "pipe:", Pipe: func(ctx context.Context) (net.Conn, error) {
		return r.pipes.dial(ctx, bed.Server)
	}}
	r.server = &ivr.Server{Auth: r.gate, Dial: ivr.PresenceDialer(dialer), Voice: r.voice, Recordings: r.shelf,
		Profiles: &bureau{user: theUser, pin: thePIN}, Languages: r.voice.Book.Languages()}
	r.attend(func(*presence.Client) error { return nil })
	return r
}

// attend does something with a client of the user's, as the web door would.
func (r *real) attend(f func(c *presence.Client) error) error {
	client, _ := r.bed.Login(theUser, thePIN, "web")
	time.Sleep(time.Millisecond) // virtual: everything that can happen has happened then
	return errors.Join(f(client), client.Close())
}

// verbs are the lines of a conversation that can be done on a real server.
func (r *real) verbs() map[string]func(rest string) error {
	return map[string]func(rest string) error{
		"contact": r.contact, "message": r.message, "messages": many(r.message), "voice": r.voiceMessage, "line": r.setLine, "speech": r.setSpeech,
		"auth": func(rest string) error { return setFault(&r.gate.fault, rest) }, "presence": r.setPresence,
		"recordings": r.shelf.arrange, "sent": r.checkSent, "cursor": r.checkCursor, "draft": r.checkDraft,
		"place": r.checkPlace, "kept": r.shelf.checkKept, "key": r.keyCode, "logins": r.checkLogins,
		"tries": func(rest string) error { return same(strconv.Itoa(r.gate.tries), rest) },
	}
}

// Do does what a line of a conversation says.
func (r *real) Do(_ context.Context, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	do, ok := r.verbs()[verb]
	if !ok {
		return fmt.Errorf("nobody knows how to %q", verb)
	}
	err := do(rest)
	time.Sleep(time.Millisecond)
	return err
}

func (r *real) contact(rest string) error {
	who := somebody(rest)
	r.known = append(r.known, im.Contact{Address: who.Address, Name: who.Name})
	r.bed.XMPP.SetRoster(presencetest.AnaID, r.known...)
	r.bed.XMPP.Tell(presencetest.AnaID, im.Presence{From: who.Address, Show: who.Show})
	return nil
}

func (r *real) message(rest string) error {
	m, text, err := written(rest)
	r.bed.XMPP.Deliver(m.From.ID, presencetest.AnaID, strings.ReplaceAll(text, `\n`, "\n"))
	return err
}

func (r *real) voiceMessage(rest string) error {
	m, text, err := written(rest)
	d, derr := time.ParseDuration(text)
	link := r.shelf.put(d)
	r.bed.XMPP.Deliver(m.From.ID, presencetest.AnaID, link.URL, link)
	return errors.Join(err, derr)
}

func (r *real) setSpeech(rest string) error { return fail(r.voice, rest) }

// setPresence reads "cut", "dies", "back", "away".
func (r *real) setPresence(rest string) error {
	switch rest {
	case "cut":
		r.pipes.cut()
		return nil
	case "dies":
		defer r.pipes.cut()
		rest = "away"
	}
	return setFault(&r.pipes.fault, rest)
}

// keyCode keys the session number that was spoken last: "key the session number".
func (r *real) keyCode(string) error {
	code, err := r.spokenCode()
	r.line.Press(code)
	return err
}

// spokenCode finds the session number in what was heard.
func (r *real) spokenCode() (string, error) {
	code := ""
	for _, h := range r.heard {
		if digit, ok := strings.CutPrefix(h.ID, "digit."); ok {
			code += digit
		}
	}
	if len(code) != len(theCode) {
		return "", fmt.Errorf("the session number that was spoken has %d digits", len(code))
	}
	return code, nil
}

func (r *real) checkSent(rest string) error {
	got := "nothing"
	if list := r.bed.XMPP.Received(); len(list) > r.sent {
		m := list[r.sent]
		r.sent++
		got = describe(m.To, m.Body, m.Attachments, m.ReplyTo)
	}
	return same(got, rest)
}

func (r *real) checkCursor(rest string) error {
	seq, err := r.bed.Store.Cursor(r.bed.Context(), theUser, "phone")
	return errors.Join(err, same(fmt.Sprint(seq), rest))
}

func (r *real) checkDraft(rest string) error {
	var v draftValue
	return r.attend(func(c *presence.Client) error {
		return errors.Join(c.GetState(r.bed.Context(), wire.Draft, "", &v), same(v.String(), rest))
	})
}

func (r *real) checkPlace(rest string) error {
	var v wire.PlaceValue
	return r.attend(func(c *presence.Client) error {
		return errors.Join(c.GetState(r.bed.Context(), wire.Place, "", &v), same(place(v), rest))
	})
}

// checkLogins counts the logins at the network.
func (r *real) checkLogins(rest string) error {
	return same(strconv.Itoa(r.bed.XMPP.Counts().Opens), rest)
}

// Gone also keeps what was heard, for the session number in it.
func (r *real) Gone(ctx context.Context) error {
	err := r.phones.Gone(ctx)
	r.heard, _ = r.line.Transcript()
	return err
}

// TestCallsOnARealServer plays the conversations of testdata/real, and those of testdata/calls that arrange nothing
// inside the presence server.
func TestCallsOnARealServer(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, file := range files {
		steps := conversation(t, file)
		if filepath.Base(filepath.Dir(file)) == "calls" && !portable(steps) {
			continue
		}
		played++
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := ivrtest.Play(t.Context(), steps, newReal(t)); err != nil {
					t.Error(err)
				}
			})
		})
	}
	if played < 60 {
		t.Errorf("only %d conversations can be played on a real server", played)
	}
}

// portable tells whether a conversation can be played on a real server.
func portable(steps []ivrtest.Step) bool {
	can := (&real{shelf: &shelf{}}).verbs()
	for i, s := range steps {
		verb, rest, _ := strings.Cut(s.Arg, " ")
		head, _, _ := strings.Cut(rest, ":")
		switch {
		case s.Arg == "Session" && steps[i+1].Arg == "four":
			return false
		case s.Verb != "" && !strings.Contains(s.Arg, theCode):
		case s.Verb != "" || can[verb] == nil:
			return false
		case verb == "presence" && (strings.HasPrefix(rest, "slow") || rest == "forgets" || strings.HasPrefix(rest, "dropped")):
			return false
		case (verb == "message" || verb == "voice") && len(strings.Fields(head)) > 2: // sent in the past
			return false
		case verb == "logins", strings.Contains(rest, "hark:"):
			return false
		}
	}
	return true
}
