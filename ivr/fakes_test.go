package ivr_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"hark/accounts"
	"hark/im"
	"hark/internal/sipphone"
	"hark/internal/wav"
	"hark/ivr"
	"hark/presence"
	"hark/presence/wire"
)

// A fault is how a part of the world behaves badly.
type fault struct {
	mu   sync.Mutex
	err  error
	slow time.Duration
}

func (f *fault) set(err error, slow time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.slow = err, slow
}

// meet waits as long as the part is slow and returns its error.
func (f *fault) meet(ctx context.Context) error {
	f.mu.Lock()
	err, slow := f.err, f.slow
	f.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

// bureau is an account server with one user in it.
type bureau struct {
	fault
	user, pin string
	tries     int
	lang      string
	name      string // that the user chose
	known     string // caller id that the user proved
}

// Language, SetLanguage, SetPIN and SetName make it an ivr.Profiles.
func (b *bureau) Language(ctx context.Context, user string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lang, nil
}

func (b *bureau) SetLanguage(ctx context.Context, user, lang string) error {
	if err := b.meet(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lang = lang
	return nil
}

func (b *bureau) SetPIN(ctx context.Context, user, pin string) error {
	if err := b.meet(ctx); err != nil {
		return err
	}
	if accounts.Guessable(user, pin) != "" {
		return fmt.Errorf("%w: as all can see", accounts.ErrBadPIN)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pin = pin
	return nil
}

func (b *bureau) SetName(ctx context.Context, user, name string) error {
	if err := b.meet(ctx); err != nil {
		return err
	}
	if strings.ContainsAny(name, "0123456789") {
		return fmt.Errorf("%w: as all can see", accounts.ErrBadName)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.name = name
	return nil
}

// Known makes it an ivr.Callers.
func (b *bureau) Known(_ context.Context, caller string) (user, name string, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.user, "Ana", caller != "" && caller == b.known
}

func (b *bureau) Authenticate(ctx context.Context, c accounts.Credentials) (string, error) {
	if err := b.meet(ctx); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if c.User != b.user || c.PIN != b.pin {
		return "", accounts.ErrRefused
	}
	return "ticket of " + c.User, nil
}

// post is a presence server with one session on it, all in memory.
type post struct {
	fault
	mu          sync.Mutex
	user        string
	pin         string
	open        bool   // there is a session
	bound       string // caller id that the session number is bound to
	log         []wire.Message
	cursor      int64
	state       map[string]json.RawMessage
	roster      []wire.Contact
	clients     map[*client]bool
	sent        []wire.SendRequest
	status      im.Show
	networks    []wire.ServiceEvent
	until       time.Duration // how long the session number holds; 0 does not say
	refuse      string        // code with which the next SEND is refused
	refuseFetch string        // the same for FETCH
	queued      bool          // SEND says that the network is away
	dropped     int
	panics      bool // the next SEND panics
	logins      int
	marked      []int64 // messages whose senders were told that they were heard
}

const (
	theToken = "token-of-128-bits"
	theCode  = "471902384"
)

func no(code string) error { return &presence.Error{Status: wire.NO, Code: code, Text: "no"} }

func (p *post) Login(ctx context.Context, r wire.LoginRequest) (ivr.Messenger, wire.SessionReply, error) {
	if r.Ticket != "ticket of "+p.user || r.Client != "phone" {
		return nil, wire.SessionReply{}, no(wire.AuthFailed)
	}
	return p.attach(ctx, func() error { p.bound = r.Caller; p.logins++; return nil })
}

func (p *post) Resume(ctx context.Context, r wire.ResumeRequest) (ivr.Messenger, wire.SessionReply, error) {
	return p.attach(ctx, func() error {
		switch {
		case !p.open:
			return no(wire.NoSession)
		case r.Session == theToken:
		case r.Code != theCode, r.PIN == "" && (r.Caller == "" || r.Caller != p.bound), r.PIN != "" && r.PIN != p.pin:
			return no(wire.AuthFailed)
		}
		return nil
	})
}

func (p *post) attach(ctx context.Context, check func() error) (ivr.Messenger, wire.SessionReply, error) {
	if err := p.meet(ctx); err != nil {
		return nil, wire.SessionReply{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	resumed := p.open
	if err := check(); err != nil {
		return nil, wire.SessionReply{}, err
	}
	p.open = true
	c := &client{post: p, events: make(chan presence.Event, 16), done: make(chan struct{})}
	p.clients[c] = true
	reply := wire.SessionReply{User: p.user, Name: "Ana", Session: theToken, Code: theCode, Resumed: resumed, Dropped: p.dropped}
	if p.until != 0 {
		reply.Until = time.Now().Add(p.until)
	}
	return c, reply, nil
}

// cut breaks all connections.
func (p *post) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.clients {
		c.end()
	}
}

// deliver adds a message and tells the clients.
func (p *post) deliver(m im.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, wire.Message{Seq: int64(len(p.log) + 1), Message: m})
	for c := range p.clients {
		c.events <- presence.Event{Name: wire.Exists, Body: wire.ExistsEvent{Waiting: 1, Last: int64(len(p.log))}}
	}
}

// network changes the state of the user's external login and tells the clients.
func (p *post) network(state string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := wire.ServiceEvent{Network: im.XMPP, State: state, Since: time.Now()}
	p.networks = []wire.ServiceEvent{e}
	for c := range p.clients {
		c.events <- presence.Event{Name: wire.Service, Body: e}
	}
}

// shows changes somebody's availability and tells the clients.
func (p *post) shows(who im.Address, show im.Show) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.roster {
		if p.roster[i].Address == who {
			p.roster[i].Show = show
		}
	}
	for c := range p.clients {
		c.events <- presence.Event{Name: wire.Presence, Body: im.Presence{From: who, Show: show}}
	}
}

// client is one connection to a post.
type client struct {
	*post
	events chan presence.Event
	done   chan struct{}
}

// end closes the connection. The caller holds the lock.
func (c *client) end() {
	if c.post.clients[c] {
		delete(c.post.clients, c)
		close(c.done)
		close(c.events)
	}
}

// do carries out a request under the lock.
func (c *client) do(ctx context.Context, f func() error) error {
	if err := c.meet(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.clients[c] {
		return fmt.Errorf("%w: cut", presence.ErrClosed)
	}
	return f()
}

func (c *client) Fetch(ctx context.Context, r wire.FetchRequest) (reply wire.FetchReply, err error) {
	err = c.do(ctx, func() error {
		if code := c.refuseFetch; code != "" {
			c.refuseFetch = ""
			return no(code)
		}
		reply.Cursor = c.cursor
		for _, m := range c.log {
			if !m.Outgoing && m.Seq > c.cursor {
				reply.Waiting++
			}
			if m.Seq > r.After && (r.Before == 0 || m.Seq < r.Before) && (!r.New || !m.Outgoing && m.Seq > c.cursor) {
				reply.Messages = append(reply.Messages, m)
			}
		}
		if n := len(reply.Messages); r.Max > 0 && n > r.Max {
			if r.Before > 0 {
				reply.Messages = reply.Messages[n-r.Max:]
			} else {
				reply.Messages = reply.Messages[:r.Max]
			}
		}
		return nil
	})
	return reply, err
}

func (c *client) Ack(ctx context.Context, seq int64) error {
	return c.do(ctx, func() error {
		if seq > int64(len(c.log)) {
			return no(wire.NotFound)
		}
		c.cursor = max(c.cursor, seq)
		return nil
	})
}

func (c *client) Heard(ctx context.Context, seqs ...int64) error {
	return c.do(ctx, func() error { c.marked = append(c.marked, seqs...); return nil })
}

func (c *client) Send(ctx context.Context, r wire.SendRequest) (reply wire.SendReply, err error) {
	err = c.do(ctx, func() error {
		if c.panics {
			c.panics = false
			panic("the disk caught fire")
		}
		if code := c.refuse; code != "" {
			c.refuse = ""
			return no(code)
		}
		reply.State = im.Sent
		if c.queued {
			reply.State = im.Queued
		}
		same := func(old wire.SendRequest) bool { return old.ID == r.ID }
		if !slices.ContainsFunc(c.sent, same) {
			c.sent = append(c.sent, r)
			out := im.Message{ID: r.ID, To: r.To, Body: r.Body, Outgoing: true, Sent: time.Now()}
			c.log = append(c.log, wire.Message{Seq: int64(len(c.log) + 1), Message: out})
		}
		return nil
	})
	return reply, err
}

func (c *client) Roster(ctx context.Context) (list []wire.Contact, err error) {
	err = c.do(ctx, func() error { list = slices.Clone(c.roster); return nil })
	return list, err
}

func (c *client) Networks(ctx context.Context) (list []wire.ServiceEvent, err error) {
	err = c.do(ctx, func() error { list = slices.Clone(c.networks); return nil })
	return list, err
}

func (c *client) Status(ctx context.Context, r wire.StatusRequest) error {
	return c.do(ctx, func() (err error) {
		c.status = r.Show
		c.state[wire.State+" "+wire.Status], err = json.Marshal(r)
		return err
	})
}

func (c *client) PutState(ctx context.Context, verb, key string, value any) error {
	return c.do(ctx, func() error {
		raw, err := json.Marshal(value)
		c.state[verb+" "+key] = raw
		return err
	})
}

func (c *client) ChangeState(ctx context.Context, verb, key string, value any, change func() any) error {
	return c.do(ctx, func() error {
		reflect.ValueOf(value).Elem().SetZero()
		name := verb + " " + key
		if raw := c.state[name]; raw != nil {
			if err := json.Unmarshal(raw, value); err != nil {
				return err
			}
		}
		kept := change()
		if kept == nil {
			delete(c.state, name)
			return nil
		}
		raw, err := json.Marshal(kept)
		if len(raw) > 32<<10 {
			return no(wire.TooLong)
		}
		c.state[name] = raw
		return err
	})
}

func (c *client) GetState(ctx context.Context, verb, key string, value any) error {
	return c.do(ctx, func() error {
		if raw := c.state[verb+" "+key]; raw != nil {
			return json.Unmarshal(raw, value)
		}
		return nil
	})
}

func (c *client) GetStates(ctx context.Context, values map[string]any) error {
	return c.do(ctx, func() (err error) {
		for key, into := range values {
			name := wire.State + " " + key
			if key == wire.Draft || key == wire.Place {
				name = key + " "
			}
			if raw := c.state[name]; raw != nil {
				err = errors.Join(err, json.Unmarshal(raw, into))
			}
		}
		return err
	})
}

func (c *client) DropState(ctx context.Context, verb, key string) error {
	return c.do(ctx, func() error { delete(c.state, verb+" "+key); return nil })
}

func (c *client) Events() <-chan presence.Event { return c.events }
func (c *client) Done() <-chan struct{}         { return c.done }

func (c *client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
	return nil
}

// shelf keeps recordings, but only their lengths.
type shelf struct {
	fault
	mu    sync.Mutex
	kept  map[string]time.Duration // by link, or by the id of a draft
	count int
	full  bool
	dir   string // where the recordings are files; "" keeps only their lengths
}

const (
	shelfURL = "https://hark.example/a/"
	draftID  = "draft-"
	cutShort = "cut short" // the title of what is only a part
)

// put adds a recording that came from somewhere and returns its link.
func (s *shelf) put(d time.Duration) im.Attachment {
	url := s.add(shelfURL, d, "")
	return s.link(url, d)
}

func (s *shelf) link(url string, d time.Duration) im.Attachment {
	return im.Attachment{URL: url, Type: "audio/mpeg", Seconds: d.Seconds()}
}

// note writes on the link what is noted of the recording.
func (s *shelf) note(link im.Attachment, n ivr.Note) im.Attachment {
	if n.Part {
		link.Title = cutShort
	}
	return link
}

// add keeps a recording, as a copy of file where recordings are files; one that came from nowhere is a tone.
func (s *shelf) add(prefix string, d time.Duration, file string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	name := fmt.Sprintf("%s%d", prefix, s.count)
	s.kept[name] = d
	if s.dir == "" {
		return name
	}
	sound, err := wav.Read(file)
	if file == "" {
		sound, err = wav.Sound{Rate: sipphone.Rate, Samples: sipphone.Tone(500+50*float64(s.count), d)}, nil
	}
	if err = errors.Join(err, wav.Write(s.path(name), sound)); err != nil {
		panic(err) // the folder is the test's own
	}
	return name
}

// path is the file of a recording.
func (s *shelf) path(name string) string { return filepath.Join(s.dir, filepath.Base(name)+".wav") }

func (s *shelf) Ready(context.Context, string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errors.New("no space")
	}
	return nil
}

// check looks whether a recording can be taken.
func (s *shelf) check(ctx context.Context, file string, n ivr.Note) error {
	if n.User == "" || n.Length <= 0 {
		return errors.New("a recording of nobody")
	}
	_, err := os.Stat(file)
	return errors.Join(err, s.meet(ctx))
}

func (s *shelf) Put(ctx context.Context, file string, n ivr.Note) (im.Attachment, error) {
	if err := s.check(ctx, file, n); err != nil {
		return im.Attachment{}, err
	}
	return s.note(s.link(s.add(shelfURL, n.Length, file), n.Length), n), nil
}

func (s *shelf) PutDraft(ctx context.Context, file string, n ivr.Note) (string, error) {
	if err := s.check(ctx, file, n); err != nil {
		return "", err
	}
	return s.add(draftID, n.Length, file), nil
}

func (s *shelf) Local(_ context.Context, url string) (string, time.Duration, bool, error) {
	if !strings.HasPrefix(url, shelfURL) {
		return "", 0, false, nil
	}
	wav, length, err := s.find(url)
	return wav, length, true, err
}

func (s *shelf) Draft(ctx context.Context, id string) (string, time.Duration, error) {
	if err := s.meet(ctx); err != nil {
		return "", 0, err
	}
	return s.find(id)
}

func (s *shelf) find(name string) (string, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.kept[name]
	if !ok {
		return "", 0, ivr.ErrGone
	}
	if s.dir == "" {
		return "/shelf/" + filepath.Base(name) + ".wav", d, nil
	}
	return s.path(name), d, nil
}

func (s *shelf) SendDraft(ctx context.Context, id string, n ivr.Note) (im.Attachment, error) {
	if err := s.meet(ctx); err != nil {
		return im.Attachment{}, err
	}
	file, length, err := s.find(id)
	if err != nil {
		return im.Attachment{}, err
	}
	if s.dir == "" {
		file = ""
	}
	return s.note(s.link(s.add(shelfURL, length, file), length), n), s.DropDraft(ctx, id)
}

func (s *shelf) DropDraft(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, id)
	return nil
}

// lose forgets all recordings, as retention does.
func (s *shelf) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.kept)
}

// loud is a log of everything.
func loud(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
