package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
	"hark/sessions"
)

// A member is a Hark user whose session has to live.
type member struct {
	number, pin string
	jid         string
	token       string // opens the session again
}

// logEverybodyIn begins a session for every member, in turn at each node, and leaves it alone once it is online.
func (c *cluster) logEverybodyIn(ctx context.Context) error {
	c.scene("%d users log in over TLS, in turn at each node, and hang up", len(c.members))
	for i, m := range c.members {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		err := c.logIn(ctx, m, c.nodes[i%len(c.nodes)])
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", m.jid, err)
		}
	}
	return c.tellNodes(ctx)
}

func (c *cluster) logIn(ctx context.Context, m *member, home *clusterNode) error {
	client, reply, err := c.dialer(home).Login(ctx, wire.LoginRequest{User: m.number, PIN: m.pin})
	if err != nil {
		return err
	}
	defer client.Close()
	m.token = reply.Session
	return c.waitFor(ctx, "online at the XMPP server", 10*time.Second, func() (bool, error) { return online(ctx, client) })
}

// online tells whether the session's XMPP login is there.
func online(ctx context.Context, client *presence.Client) (bool, error) {
	networks, err := client.Networks(ctx)
	for _, n := range networks {
		if n.Network == im.XMPP {
			return n.State == "online", err
		}
	}
	return false, err
}

// tellNodes prints what "hark node list" says.
func (c *cluster) tellNodes(ctx context.Context) error {
	nodes, err := c.sessions.Nodes(ctx)
	for _, n := range nodes {
		c.tell("%s: alive %v, draining %v, %d sessions", n.Name, n.Alive, n.Draining, n.Sessions)
	}
	return err
}

// ownedBy are the members whose sessions a node owns.
func (c *cluster) ownedBy(ctx context.Context, n *clusterNode) (list []*member, err error) {
	records, err := c.sessions.Owned(ctx, n.name)
	owned := map[string]bool{}
	for _, r := range records {
		owned[r.User] = true
	}
	for _, m := range c.members {
		if owned[m.number] {
			list = append(list, m)
		}
	}
	return list, err
}

// A reached session: when it was live again on another node after the blow.
type reached struct {
	member *member
	after  time.Duration
	err    error
}

// awaitBack measures for each member when the session can be used again on another node. Every second one is asked for
// by its user all the time, and so is taken over at his login; the others are left to the sweep, and only looked at in
// the database until they are said to be somewhere.
func (c *cluster) awaitBack(ctx context.Context, members []*member, victim *clusterNode, blow time.Time) (slowest time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	results := make(chan reached)
	for i, m := range members {
		home := c.nodes[(victim.number+i/2%2)%len(c.nodes)] // the other two in turn
		go func() {
			err := c.awaitOne(ctx, m, home, victim, i%2 == 0)
			results <- reached{m, time.Since(blow), err}
		}()
	}
	for range members {
		r := <-results
		if r.err != nil {
			err = errors.Join(err, fmt.Errorf("%s is not reachable after %v: %w", r.member.jid, r.after, r.err))
		}
		slowest = max(slowest, r.after)
	}
	return slowest, err
}

func (c *cluster) awaitOne(ctx context.Context, m *member, home, victim *clusterNode, ask bool) error {
	for !ask {
		r, err := c.sessions.Lookup(ctx, m.number)
		if err != nil {
			return err
		}
		ask = r.Alive && r.Node != victim.name
		if !ask && !pause(ctx) {
			return ctx.Err()
		}
	}
	for {
		ok, err := c.tryOnce(ctx, m, home, victim)
		if ok {
			return nil
		}
		for range 5 { // the handshakes of all who try must not take the processor from the nodes
			if !pause(ctx) {
				return errors.Join(err, ctx.Err())
			}
		}
	}
}

// tryOnce resumes the session and looks whether it is online, within three seconds.
func (c *cluster) tryOnce(ctx context.Context, m *member, home, victim *clusterNode) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	client, _, err := c.dialer(home).Resume(ctx, wire.ResumeRequest{Session: m.token})
	if err != nil {
		return false, err
	}
	defer client.Close()
	if client.Hello().Node == victim.name {
		return false, errors.New("still at the old node")
	}
	return online(ctx, client)
}

func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(50 * time.Millisecond):
		return true
	}
}

// log reads a member's whole log through the client interface.
func (c *cluster) log(ctx context.Context, m *member) (all []wire.Message, err error) {
	client, _, err := c.dialer(c.nodes[0]).Resume(ctx, wire.ResumeRequest{Session: m.token})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for {
		var after int64
		if len(all) > 0 {
			after = all[len(all)-1].Seq
		}
		reply, err := client.Fetch(ctx, wire.FetchRequest{After: after, Max: 100})
		if err != nil || len(reply.Messages) == 0 {
			return all, err
		}
		all = append(all, reply.Messages...)
	}
}

// An ownerWatch looks all the time at who owns what.
type ownerWatch struct {
	cancel context.CancelFunc
	done   chan struct{}
	owner  map[claimed]string        // the node that had this epoch
	epochs map[string]sessions.Epoch // the last of each user
	looks  int
	errs   []error
}

type claimed struct {
	user  string
	epoch sessions.Epoch
}

// watchOwners begins to look; end tells what was seen.
func (c *cluster) watchOwners(ctx context.Context) *ownerWatch {
	ctx, cancel := context.WithCancel(ctx)
	w := &ownerWatch{cancel: cancel, done: make(chan struct{}), owner: map[claimed]string{}, epochs: map[string]sessions.Epoch{}}
	go func() {
		defer close(w.done)
		for pause(ctx) {
			records, err := c.sessions.Owned(ctx, "")
			if err == nil {
				w.look(records)
			}
		}
	}()
	return w
}

// look compares with what was seen before: an epoch has one owner, and never goes back.
func (w *ownerWatch) look(records []sessions.Record) {
	w.looks++
	for _, r := range records {
		if r.Node == "" {
			continue
		}
		key := claimed{r.User, r.Epoch}
		if before, seen := w.owner[key]; seen && before != r.Node {
			w.errs = append(w.errs, fmt.Errorf("epoch %d of %s was owned by %s and by %s", r.Epoch, r.User, before, r.Node))
		}
		if r.Epoch < w.epochs[r.User] {
			w.errs = append(w.errs, fmt.Errorf("the epoch of %s went back from %d to %d", r.User, w.epochs[r.User], r.Epoch))
		}
		w.owner[key], w.epochs[r.User] = r.Node, r.Epoch
	}
}

// end stops looking and reports.
func (w *ownerWatch) end(c *cluster) error {
	w.cancel()
	<-w.done
	c.tell("owners: looked %d times, %d epochs seen, doubled or gone back: %d", w.looks, len(w.owner), len(w.errs))
	return errors.Join(w.errs...)
}
