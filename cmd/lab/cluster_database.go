package main

import (
	"context"
	"fmt"
	"time"

	"hark/presence/wire"
)

// killDatabase kills the primary of the session database, and promotes the standby a second later.
func (c *cluster) killDatabase(ctx context.Context) error {
	c.scene("The primary of the session database is killed; the standby is promoted a second later")
	blow := time.Now()
	if err := c.postgres.Kill(); err != nil {
		return err
	}
	asked := time.Now()
	if err := c.mustRefuse(ctx); err != nil {
		return err
	}
	c.tell("a login meanwhile is refused with \"try later\" after %v", time.Since(asked).Round(time.Millisecond))
	time.Sleep(time.Until(blow.Add(time.Second)))
	if err := c.standby.Promote(); err != nil {
		return err
	}
	c.tell("promoted after %v", time.Since(blow).Round(time.Millisecond))
	slowest, err := c.awaitBack(ctx, c.members, &clusterNode{number: 1}, blow)
	c.tell("all %d sessions reachable and online, the last one after %v", len(c.members), slowest.Round(time.Millisecond))
	if err == nil && slowest > c.within {
		err = fmt.Errorf("a session was reachable only %v after the database's death", slowest)
	}
	return err
}

// mustRefuse wants a login to fail closed within 3 s while the database is away (F6).
func (c *cluster) mustRefuse(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.refused+1500*time.Millisecond)
	defer cancel()
	begun := time.Now()
	client, _, err := c.dialer(c.nodes[0]).Login(ctx, wire.LoginRequest{User: c.members[0].number, PIN: c.members[0].pin})
	if err == nil {
		return client.Close() // the connection was not yet lost, and nothing had to be written
	}
	if took := time.Since(begun); took > c.refused {
		return fmt.Errorf("a login without a database took %v to fail", took)
	}
	return nil
}
