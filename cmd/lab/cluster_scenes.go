package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"hark/presence"
	"hark/presence/wire"
)

// busiest is the node with the most sessions, and whose they are.
func (c *cluster) busiest(ctx context.Context) (busiest *clusterNode, members []*member, err error) {
	for _, n := range c.nodes {
		owned, err := c.ownedBy(ctx, n)
		if err != nil {
			return nil, nil, err
		}
		if busiest == nil || len(owned) > len(members) {
			busiest, members = n, owned
		}
	}
	return busiest, members, nil
}

// drainOne empties a node as an operator would, with two of its users on the line.
func (c *cluster) drainOne(ctx context.Context) error {
	n, members, err := c.busiest(ctx)
	if err != nil {
		return err
	}
	c.scene("hark node drain: node %d hands its %d sessions over, two with their users on the line", n.number, len(members))
	lines := make([]*presence.Client, 0, 2)
	for _, m := range members[:min(2, len(members))] {
		client, _, err := c.dialer(n).Resume(ctx, wire.ResumeRequest{Session: m.token})
		if err != nil {
			return err
		}
		defer client.Close()
		lines = append(lines, client)
	}
	begun := time.Now()
	if _, err := c.admin(ctx, "node", "drain", n.name); err != nil {
		return err
	}
	c.tell("empty after %v", time.Since(begun).Round(time.Millisecond))
	for _, line := range lines {
		if err := c.followed(ctx, line, n); err != nil {
			return err
		}
	}
	slowest, err := c.awaitBack(ctx, members, n, begun)
	c.tell("every one of them online on another node after %v at most", slowest.Round(time.Millisecond))
	if err != nil {
		return err
	}
	_, err = c.admin(ctx, "node", "resume", n.name)
	return err
}

// followed goes where the drained node's last word says.
func (c *cluster) followed(ctx context.Context, line *presence.Client, from *clusterNode) error {
	for e := range line.Events() {
		bye, ok := e.Body.(wire.ByeEvent)
		if !ok {
			continue
		}
		begun := time.Now()
		client, reply, err := c.dialer(from).Follow(ctx, bye, "phone", "")
		if err != nil {
			return fmt.Errorf("following BYE [%s]: %w", bye.Code, err)
		}
		defer client.Close()
		c.tell("BYE [%s]: the client is at %s %v later, epoch %d", bye.Code, client.Hello().Node, time.Since(begun).Round(time.Millisecond), reply.Epoch)
		return nil
	}
	return errors.New("the drained node closed the connection without a word")
}

// killOne kills a node with SIGKILL, waits for its sessions, and starts it again.
func (c *cluster) killOne(ctx context.Context) error {
	n, members, err := c.busiest(ctx)
	if err != nil {
		return err
	}
	c.scene("kill -9 %d: node %d, with %d sessions", n.cmd.Process.Pid, n.number, len(members))
	blow := time.Now()
	if err := n.kill(); err != nil {
		return err
	}
	if err := c.mustBeBack(ctx, members, n, blow); err != nil {
		return err
	}
	c.tell("node %d starts again", n.number)
	if err := c.startNode(ctx, n); err != nil {
		return err
	}
	return c.tellNodes(ctx)
}

// mustBeBack waits for sessions to be live on other nodes, and wants them in time.
func (c *cluster) mustBeBack(ctx context.Context, members []*member, n *clusterNode, blow time.Time) error {
	slowest, err := c.awaitBack(ctx, members, n, blow)
	c.tell("%d sessions reachable and online on the other nodes, the last one after %v (bound %v)",
		len(members), slowest.Round(time.Millisecond), c.within)
	if err == nil && slowest > c.within {
		err = fmt.Errorf("a session of node %d was reachable after %v only", n.number, slowest)
	}
	return err
}

// stallOne stops another node, as a machine that hangs, and lets it go on when others have its sessions.
func (c *cluster) stallOne(ctx context.Context) error {
	n, members, err := c.busiest(ctx)
	if err != nil {
		return err
	}
	c.scene("SIGSTOP for %v: node %d, with %d sessions", c.stalled, n.number, len(members))
	blow := time.Now()
	if err := n.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	backErr := c.mustBeBack(ctx, members, n, blow)
	select {
	case <-time.After(time.Until(blow.Add(c.stalled))):
	case <-ctx.Done():
	}
	if err := errors.Join(backErr, n.cmd.Process.Signal(syscall.SIGCONT)); err != nil {
		return err
	}
	c.tell("SIGCONT")
	err = c.waitFor(ctx, "the stalled node lets go and starts anew", 15*time.Second, func() (bool, error) {
		text, err := os.ReadFile(n.log)
		return bytes.Contains(text, []byte("lease is lost")) && c.alive(ctx, n), err
	})
	if err != nil {
		return err
	}
	c.tell("node %d has let go of its sessions, and is a node again", n.number)
	return c.tellNodes(ctx)
}

// alive tells whether a node's lease holds.
func (c *cluster) alive(ctx context.Context, n *clusterNode) bool {
	nodes, err := c.sessions.Nodes(ctx)
	for _, row := range nodes {
		if row.Name == n.name {
			return err == nil && row.Alive
		}
	}
	return false
}
