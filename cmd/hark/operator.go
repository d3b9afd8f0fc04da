package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"hark/audio"
	"hark/ivr"
	"hark/ivr/stasis"
	"hark/web"
)

// checkAdmin tells what is wrong with listen.admin.
func (c *config) checkAdmin(bad func(key, format string, args ...any)) {
	if c.Listen.Admin == "" || strings.HasPrefix(c.Listen.Admin, "/") {
		return
	}
	if address, err := netip.ParseAddrPort(c.Listen.Admin); err != nil || !address.Addr().IsLoopback() {
		bad("listen.admin", "%q is neither a loopback address like 127.0.0.1:8081 nor the path of a socket: the page asks for no password", c.Listen.Admin)
	}
}

// listenAdmin serves the operator's page, when configured.
func (p *parts) listenAdmin(ctx context.Context, phone *stasis.App) error {
	address := p.config.Listen.Admin
	if address == "" {
		return nil
	}
	l, err := adminListener(ctx, address)
	if err != nil {
		return fmt.Errorf("listen.admin: %w", err)
	}
	page := &web.Operator{Look: (&overview{parts: p, phone: phone}).look, Log: p.log}
	return serveHTTP(ctx, l, page.Handler())
}

// adminListener listens on a loopback address, or on a socket that only our own user can open.
func adminListener(ctx context.Context, address string) (net.Listener, error) {
	if !strings.HasPrefix(address, "/") {
		return net.Listen("tcp", address)
	}
	if err := dropDeadSocket(address); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error // a socket's own mode is its file's from the beginning: there is no moment in which others can open it
		return errors.Join(c.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), 0o600) }), err)
	}}
	return config.Listen(ctx, "unix", address)
}

// dropDeadSocket removes a socket that a process which was killed has left behind.
func dropDeadSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is in the way, and is no socket", path)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		return errors.Join(fmt.Errorf("another program listens at %s", path), conn.Close())
	}
	return os.Remove(path)
}

// callList is the calls in progress, whatever way they came.
type callList struct {
	mu    sync.Mutex
	calls map[ivr.Line]call
}

// A call is what an operator sees of one; who calls is not his business.
type call struct {
	id, called, dialogue string
	begun                time.Time
}

// add lists a call until the returned function is called.
func (l *callList) add(line ivr.Line, dialogue string) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls == nil {
		l.calls = make(map[ivr.Line]call)
	}
	l.calls[line] = call{line.ID(), line.Called(), dialogue, time.Now()}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.calls, line)
	}
}

// all lists the calls, the oldest first.
func (l *callList) all() (all []call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b call) int { return cmp.Or(a.begun.Compare(b.begun), strings.Compare(a.id, b.id)) })
	return all
}

const (
	overviewRows  = 100              // of a table
	overviewAudio = 30 * time.Second // the audio store is counted no more often: that reads every recording's card
)

// overview gathers the operator's page. Its method is called by one goroutine at a time.
type overview struct {
	parts *parts
	phone *stasis.App // nil when there is none

	audio   web.Section
	counted time.Time
}

func (o *overview) look(ctx context.Context) (web.Overview, error) {
	seen := web.Overview{Node: o.parts.config.Name, Sections: []web.Section{o.callsNow()}}
	for _, gather := range []func(context.Context) ([]web.Section, error){o.sessionsNow, o.nodesNow, o.audioNow} {
		sections, err := gather(ctx)
		if err != nil {
			return seen, err
		}
		seen.Sections = append(seen.Sections, sections...)
	}
	return seen, nil
}

func (o *overview) callsNow() web.Section {
	calls := o.parts.calls.all()
	s := web.Section{Title: "Calls in progress", Text: counted(len(calls), "call"), Head: []string{"Number called", "Dialogue", "Begun", "Id"}}
	switch {
	case o.phone == nil:
		s.Text += " No Asterisk is configured with ARI."
	case o.phone.Connected():
		s.Text += " Asterisk is connected."
	default:
		s.Text += " Asterisk does not answer; it is tried again and again."
	}
	for _, c := range calls[:min(len(calls), overviewRows)] {
		s.Rows = append(s.Rows, []string{c.called, c.dialogue, c.begun.Format(time.TimeOnly), c.id})
	}
	return s
}

// sessionsNow is about the sessions on this node, and the networks that they are logged in to.
func (o *overview) sessionsNow(ctx context.Context) ([]web.Section, error) {
	stats := o.parts.presence.Stats()
	s := web.Section{
		Title: "Sessions on this node", Text: counted(stats.Sessions, "session") + " " + counted(stats.Clients, "client connection"),
		Head: []string{"User", "Since", "Waiting", "Queued", "Clients"},
	}
	networks := web.Section{Title: "Networks", Head: []string{"Network", "State", "Of user", "Since"}}
	records, err := o.parts.sessions.Owned(ctx, o.parts.config.Name)
	if err != nil {
		return nil, err
	}
	if len(records) > overviewRows {
		s.Text += fmt.Sprintf(" The first %d are shown; \"hark session list\" shows all.", overviewRows)
	}
	away := 0
	for _, r := range records[:min(len(records), overviewRows)] {
		row, err := describeSession(ctx, stores{sessions: o.parts.sessions}, r)
		if err != nil {
			return nil, err
		}
		s.Rows = append(s.Rows, []string{row.User, row.Since.Local().Format(time.DateTime), fmt.Sprint(row.Waiting), fmt.Sprint(row.Queued), row.clients()})
		for _, n := range row.Networks {
			if n.State != "online" {
				away++
			}
			networks.Rows = append(networks.Rows, []string{n.Network, n.State, row.User, n.Since.Local().Format(time.DateTime)})
		}
	}
	networks.Text = counted(len(networks.Rows), "login") + fmt.Sprintf(" %d of them not online.", away)
	return []web.Section{s, networks}, nil
}

func (o *overview) nodesNow(ctx context.Context) ([]web.Section, error) {
	nodes, err := o.parts.sessions.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	s := web.Section{Title: "Nodes", Head: []string{"Name", "Address", "State", "Sessions"}}
	for _, n := range nodes {
		state := "alive"
		switch {
		case !n.Alive:
			state = "not alive"
		case n.Draining:
			state = "draining"
		}
		s.Rows = append(s.Rows, []string{n.Name, n.Addr, state, fmt.Sprint(n.Sessions)})
	}
	if n := o.parts.loops.Load(); n > 0 {
		s.Text = fmt.Sprintf("%d logins went in a circle since this node was started: do two nodes have one address?", n)
	}
	return []web.Section{s}, nil
}

func (o *overview) audioNow(ctx context.Context) ([]web.Section, error) {
	if time.Since(o.counted) < overviewAudio && o.audio.Title != "" {
		return []web.Section{o.audio}, nil
	}
	list, err := o.parts.audio.List(ctx, "")
	if err != nil {
		return nil, err
	}
	o.audio, o.counted = audioSection(list), time.Now()
	return []web.Section{o.audio}, nil
}

func audioSection(list []audio.Recording) web.Section {
	drafts, bytes, length, owners := 0, int64(0), time.Duration(0), make(map[string]bool)
	for _, r := range list {
		if r.Draft {
			drafts++
		}
		bytes += r.Bytes
		length += r.Duration
		owners[r.Owner] = true
	}
	return web.Section{Title: "Audio store", Text: fmt.Sprintf("%s %d of them drafts, of %d users, %s long, %.1f MB of masters. Counted every %s.",
		counted(len(list), "recording"), drafts, len(owners), length.Truncate(time.Second), float64(bytes)/1e6, overviewAudio)}
}

// counted is a sentence of one number: "One call.", "3 calls."
func counted(n int, what string) string {
	if n == 1 {
		return "One " + what + "."
	}
	return fmt.Sprintf("%d %ss.", n, what)
}
