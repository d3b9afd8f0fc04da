package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hark/im"
	"hark/internal/xmpppeer"
	"hark/presence"
	"hark/presence/wire"
)

// speakers is how many members write to a peer all the time.
const speakers = 5

// speak has a member write to the last peer, each message until a node says that it is kept, with the same id.
func (c *cluster) speak(ctx context.Context, m *member, l *load) {
	var client *presence.Client
	defer func() { hangUp(client) }()
	for i := 0; ctx.Err() == nil; i++ {
		request := wire.SendRequest{
			ID: fmt.Sprintf("%s-%05d", m.number, i), To: im.Address{Network: im.XMPP, ID: peerName(c.peers-1) + "@localhost"},
		}
		request.Body = request.ID
		for home := i; ctx.Err() == nil; home++ {
			var err error
			if client, err = c.say(ctx, client, m, c.nodes[home%len(c.nodes)], request); err == nil {
				l.mu.Lock()
				l.kept = append(l.kept, request.ID)
				l.mu.Unlock()
				break
			}
			pause(ctx)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // no faster than Hark allows
		}
	}
}

// say sends on the connection there is, or on a new one by way of a node; after an error there is none.
func (c *cluster) say(ctx context.Context, client *presence.Client, m *member, home *clusterNode, request wire.SendRequest) (*presence.Client, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second) // the last one, too, is known to be kept or not
	defer cancel()
	if client == nil {
		var err error
		if client, _, err = c.dialer(home).Resume(ctx, wire.ResumeRequest{Session: m.token}); err != nil {
			return nil, err
		}
	}
	if _, err := client.Send(ctx, request); err != nil {
		hangUp(client)
		return nil, err
	}
	return client, nil
}

func hangUp(client *presence.Client) {
	if client != nil {
		client.Close()
	}
}

// hear notes what the members wrote to a peer, until the peer has left.
func (l *load) hear(peer *xmpppeer.Peer) {
	for m := range peer.Messages() {
		l.mu.Lock()
		l.heard = append(l.heard, m.Body)
		l.mu.Unlock()
	}
}

// judgeSpeech compares what nodes said they keep with what has arrived at the peer. What was on the wire in the moment
// of a node's death may come twice, with the same id.
func (c *cluster) judgeSpeech(ctx context.Context, l *load) error {
	err := c.waitFor(ctx, "what was acknowledged has arrived", 30*time.Second, func() (bool, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(missingOf(l.kept, l.heard)) == 0, nil
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := slices.Clone(l.heard)
	slices.Sort(heard)
	repeated := len(heard) - len(slices.Compact(heard))
	c.tell("the other way: %d messages acknowledged to %d users, %d arrived at the peer, %d of them repeated with the same id",
		len(l.kept), speakers, len(l.heard), repeated)
	if err != nil {
		return fmt.Errorf("%w: not %s", err, strings.Join(missingOf(l.kept, l.heard), ", "))
	}
	return nil
}

func missingOf(want, got []string) (list []string) {
	for _, w := range want {
		if !slices.Contains(got, w) {
			list = append(list, w)
		}
	}
	return list
}
