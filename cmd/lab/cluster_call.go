package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"hark/accounts"
	"hark/internal/testbed"
	"hark/presence/wire"
)

// callBound is how long a caller may have to wait when the node that has the session goes away.
const callBound = 5 * time.Second

// startAsterisk starts the telephone switch, which node 1 answers for.
func (c *cluster) startAsterisk(ctx context.Context) (err error) {
	if !c.call {
		return nil
	}
	c.asterisk, err = testbed.StartAsterisk(ctx, testbed.AsteriskOptions{Progress: c.out})
	return err
}

// telephone is the part of node 1's configuration that gives it the telephone.
func (c *cluster) telephone() string {
	return fmt.Sprintf("[asterisk]\nari = %q\nuser = %q\npassword = %q\n[[number]]\ncalled = %q\n",
		c.asterisk.ARIURL, c.asterisk.ARIUser, c.asterisk.ARIPassword, c.asterisk.Number)
}

// callGoesOn shows a telephone call at node 1 whose session is at another node: first that one is drained, and then the
// one that has the session next is killed.
func (c *cluster) callGoesOn(ctx context.Context) (err error) {
	if !c.call {
		return nil
	}
	c.scene("Dora has a session at node 2. She calls node 1, whose IVR follows the referral")
	phone, dora, hangUp, err := c.callNodeOne(ctx, "Dora")
	if err != nil {
		return err
	}
	defer hangUp()
	if err := c.callSurvivesDrain(ctx, phone, dora); err != nil {
		return err
	}
	if err := c.callSurvivesKill(ctx, phone, dora); err != nil {
		return err
	}
	text, err := os.ReadFile(c.nodes[0].log)
	if err == nil && bytes.Count(text, []byte("session found again")) < 2 {
		err = errors.New("the call did not have to look for its session")
	}
	return err
}

// callNodeOne has a new user, whose session is at node 2, call node 1.
func (c *cluster) callNodeOne(ctx context.Context, name string) (phone *caller, u user, hangUp func(), err error) {
	if u, err = c.newCaller(ctx, name, c.nodes[1]); err != nil {
		return nil, u, nil, err
	}
	voice, err := newVoice(ctx, speechCache(c.dir))
	if err != nil {
		return nil, u, nil, err
	}
	if phone, err = c.callIn(ctx, voice, u); err != nil {
		voice.speaker.Close()
		return nil, u, nil, err
	}
	return phone, u, func() { phone.hangsUp(ctx); voice.speaker.Close() }, nil
}

// callIn dials and logs in. On a machine that is busy with other things a key may get lost: then it is tried again.
func (c *cluster) callIn(ctx context.Context, v voice, u user) (phone *caller, err error) {
	for range 3 {
		if phone, err = (&system{asterisk: c.asterisk}).dial(ctx, v, u.Name, "5550004", c.out); err != nil {
			return nil, err
		}
		login(ctx, phone, u)
		if phone.hears(ctx, "home.none", nil); phone.err == nil {
			return phone, nil
		}
		phone.hangsUp(ctx)
	}
	return nil, phone.err
}

// newCaller makes a user with a session at a node.
func (c *cluster) newCaller(ctx context.Context, name string, home *clusterNode) (u user, err error) {
	made, pin, err := c.accounts.Add(ctx, accounts.NewUser{Name: name, Language: "en"})
	if err != nil {
		return u, err
	}
	client, _, err := c.dialer(home).Login(ctx, wire.LoginRequest{User: made.Number, PIN: pin, Client: "web"})
	if err != nil {
		return u, err
	}
	return user{Name: made.Name, Number: made.Number, PIN: pin}, client.Close()
}

// callSurvivesDrain empties the node that has the caller's session.
func (c *cluster) callSurvivesDrain(ctx context.Context, phone *caller, u user) error {
	n, err := c.ownerOf(ctx, u)
	if err != nil {
		return err
	}
	c.tell("Dora's session is at node %d. hark node drain, while she is on the line", n.number)
	if _, err := c.admin(ctx, "node", "drain", n.name); err != nil {
		return err
	}
	waited, err := c.goesOn(ctx, phone)
	if err != nil {
		return err
	}
	c.tell("she waits %v for the next prompt", waited.Round(10*time.Millisecond))
	if waited > 2*time.Second { // from then on "One moment." is said
		return fmt.Errorf("a caller waited %v because a node was drained", waited)
	}
	if _, err := c.admin(ctx, "node", "resume", n.name); err != nil {
		return err
	}
	return c.keepFromNodeOne(ctx, u)
}

// keepFromNodeOne sees to it that the session is at another node than the telephone.
func (c *cluster) keepFromNodeOne(ctx context.Context, u user) error {
	n, err := c.ownerOf(ctx, u)
	if err != nil || n != c.nodes[0] {
		return err
	}
	if _, err := c.admin(ctx, "node", "drain", n.name); err != nil {
		return err
	}
	_, err = c.admin(ctx, "node", "resume", n.name)
	return err
}

// callSurvivesKill kills the node that has the caller's session, and says so as a service manager does.
func (c *cluster) callSurvivesKill(ctx context.Context, phone *caller, u user) error {
	n, err := c.ownerOf(ctx, u)
	if err != nil {
		return err
	}
	c.tell("Her session is at node %d now. kill -9 %d, and hark node dead, as systemd's ExecStopPost says it", n.number, n.cmd.Process.Pid)
	if err := n.kill(); err != nil {
		return err
	}
	said := make(chan error, 1)
	go func() { // she does not wait for it
		_, err := c.admin(ctx, "node", "dead", n.name)
		said <- err
	}()
	waited, err := c.goesOn(ctx, phone)
	if err = errors.Join(err, <-said); err != nil {
		return err
	}
	c.tell("she waits %v for the next prompt (bound %v)", waited.Round(10*time.Millisecond), callBound)
	if waited > callBound {
		return fmt.Errorf("a caller waited %v because a node was killed", waited)
	}
	if err := c.startNode(ctx, n); err != nil {
		return err
	}
	return c.waitFor(ctx, "every session has a living owner", 40*time.Second, func() (bool, error) {
		records, err := c.sessions.Owned(ctx, "")
		for _, r := range records {
			if !r.Alive {
				return false, err
			}
		}
		return true, err
	})
}

// goesOn has the caller press a key that needs the session, and measures how long the answer takes to begin: by when it was
// to be heard, and not by when the lab has recognised it.
func (c *cluster) goesOn(ctx context.Context, phone *caller) (time.Duration, error) {
	pressed := time.Since(phone.since)
	phone.presses(ctx, "2", "2, to send a message")
	phone.hears(ctx, "who", nil)
	waited := phone.began - pressed
	phone.presses(ctx, "*", "*, for the main menu")
	phone.hears(ctx, "home.none", nil)
	return waited, phone.err
}

// ownerOf is the node that owns a user's session.
func (c *cluster) ownerOf(ctx context.Context, u user) (*clusterNode, error) {
	r, err := c.sessions.Lookup(ctx, u.Number)
	if err != nil {
		return nil, err
	}
	for _, n := range c.nodes {
		if n.name == r.Node {
			return n, nil
		}
	}
	return nil, fmt.Errorf("the session is at %q", r.Node)
}
