package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mellium.im/xmpp/stanza"

	"hark/internal/xmpppeer"
	"hark/presence/wire"
)

// A load is peers who write all the time, and what they wrote: the sender's log.
type load struct {
	cancel context.CancelFunc
	tasks  sync.WaitGroup // those who write
	peers  []*xmpppeer.Peer
	ears   sync.WaitGroup // those who listen

	mu    sync.Mutex
	sent  map[string][]string // bodies to each JID, in each peer's order
	kept  []string            // ids that a node acknowledged to a member
	heard []string            // what arrived of them at the peer
	errs  []error

	gone atomic.Int32 // how often everybody's friend saw a user go away
}

// startLoad logs the peers in and has them write to one member after the other.
func (c *cluster) startLoad(ctx context.Context) (*load, error) {
	c.scene("%d peers at the XMPP server begin to write, each one message every %v", c.peers, c.pace)
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel, sent: map[string][]string{}}
	for i := range c.peers {
		peer, err := xmpppeer.Login(ctx, c.prosody.Addr, peerName(i)+"@localhost", xmppPassword)
		if err != nil {
			return nil, errors.Join(err, l.stop(), l.leave())
		}
		l.peers = append(l.peers, peer)
		l.ears.Go(func() { l.watchFriends(peer) })
		l.ears.Go(func() { l.hear(peer) })
		l.tasks.Go(func() { l.note(c.writeAll(ctx, peer, i, l)) })
	}
	for _, m := range c.members[:min(speakers, len(c.members))] {
		l.tasks.Go(func() { c.speak(ctx, m, l) })
	}
	return l, nil
}

// writeAll writes until ctx ends.
func (c *cluster) writeAll(ctx context.Context, peer *xmpppeer.Peer, number int, l *load) error {
	ticker := time.NewTicker(c.pace)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		to := c.members[(i*c.peers+number)%len(c.members)].jid
		body := fmt.Sprintf("%s-%05d", peerName(number), i)
		// The end comes between two messages, so that what was written is known.
		if err := peer.Say(context.WithoutCancel(ctx), to, body, body); err != nil {
			return err
		}
		l.mu.Lock()
		l.sent[to] = append(l.sent[to], body)
		l.mu.Unlock()
	}
}

// watchFriends counts what a peer sees of the users, until the peer has left.
func (l *load) watchFriends(peer *xmpppeer.Peer) {
	for p := range peer.Presences() {
		if p.Type == stanza.UnavailablePresence {
			l.gone.Add(1)
		}
	}
}

func (l *load) note(err error) {
	if err != nil {
		l.mu.Lock()
		l.errs = append(l.errs, err)
		l.mu.Unlock()
	}
}

// stop ends the writing.
func (l *load) stop() error {
	l.cancel()
	l.tasks.Wait()
	return errors.Join(l.errs...)
}

// leave logs the peers out.
func (l *load) leave() (err error) {
	for _, p := range l.peers {
		err = errors.Join(err, p.Close())
	}
	l.ears.Wait()
	return err
}

// total is how many messages were written.
func (l *load) total() (n int) {
	for _, list := range l.sent {
		n += len(list)
	}
	return n
}

// judge ends the writing and compares what every member sees with what was written to him. Unless all went well it only
// ends the writing.
func (c *cluster) judge(ctx context.Context, l *load, compare bool) (err error) {
	defer func() { err = errors.Join(err, l.leave()) }()
	err = l.stop()
	if !compare || err != nil {
		return err
	}
	c.scene("The peers have stopped. Every user's log, read at node 1, against the senders' log")
	lost, twice, disordered, seen := 0, 0, 0, 0
	for _, m := range c.members {
		got, err := c.received(ctx, m, len(l.sent[m.jid]))
		if err != nil {
			return fmt.Errorf("%s: %w", m.jid, err)
		}
		v := compareLogs(l.sent[m.jid], got)
		lost, twice, disordered, seen = lost+v.lost, twice+v.twice, disordered+v.disordered, seen+len(got)
		if v != (verdict{}) {
			c.tell("%s: %+v", m.jid, v)
		}
	}
	c.tell("their friend at the XMPP server saw a user go away %d times", l.gone.Load())
	c.tellLogins()
	c.tell("written %d, seen %d; lost %d, seen twice %d, out of a sender's order %d", l.total(), seen, lost, twice, disordered)
	if lost+twice+disordered > 0 || l.total() == 0 {
		return errors.New("not every message is there exactly once, in order")
	}
	return c.judgeSpeech(ctx, l)
}

// tellLogins prints how many XMPP logins the nodes took up where another connection, another process or another node had
// left off (XEP-0198), and how many began afresh.
func (c *cluster) tellLogins() {
	var fresh, resumed int
	for _, n := range c.nodes {
		text, err := os.ReadFile(n.log)
		if err != nil {
			c.tell("%v", err)
		}
		fresh += bytes.Count(text, []byte("resumed=false sm=true"))
		resumed += bytes.Count(text, []byte("resumed=true sm=true"))
	}
	c.tell("logins at the XMPP server: %d fresh for %d users, %d resumed", fresh, len(c.members), resumed)
}

// received reads a member's log until so many messages have come.
func (c *cluster) received(ctx context.Context, m *member, want int) (bodies []string, err error) {
	deadline := time.Now().Add(20 * time.Second)
	for {
		var all []wire.Message
		all, err = c.log(ctx, m)
		bodies = bodies[:0]
		for _, message := range all {
			if !message.Outgoing {
				bodies = append(bodies, message.Body)
			}
		}
		if err == nil && len(bodies) >= want || time.Now().After(deadline) || !pause(ctx) {
			return bodies, err
		}
	}
}

// A verdict counts what is wrong with a log.
type verdict struct{ lost, twice, disordered int }

// compareLogs compares what was sent, by several senders, with what was received.
func compareLogs(sent, got []string) (v verdict) {
	times := map[string]int{}
	for _, body := range got {
		times[body]++
	}
	for _, body := range sent {
		switch n := times[body]; {
		case n == 0:
			v.lost++
		case n > 1:
			v.twice += n - 1
		}
	}
	last := map[string]string{} // of each sender
	for _, body := range got {
		sender, _, _ := strings.Cut(body, "-")
		if body < last[sender] {
			v.disordered++
		}
		last[sender] = max(last[sender], body)
		if !slices.Contains(sent, body) {
			v.disordered++
		}
	}
	return v
}
