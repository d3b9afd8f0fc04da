package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/presence"
	"hark/presence/wire"
)

// killDatabase kills the primary of the session database, with a caller on the line, and promotes the standby a second
// later.
func (c *cluster) killDatabase(ctx context.Context) error {
	c.scene("The primary of the session database is killed; the standby is promoted a second later")
	if !c.call {
		return c.failOver(ctx)
	}
	phone, _, hangUp, err := c.callNodeOne(ctx, "Emil")
	if err != nil {
		return err
	}
	defer hangUp()
	if err := c.failOver(ctx); err != nil {
		return err
	}
	if _, err = c.goesOn(ctx, phone); err == nil {
		c.tell("Emil, on the line all the time, goes on")
	}
	return err
}

func (c *cluster) failOver(ctx context.Context) error {
	blow := time.Now()
	if err := c.postgres.Kill(); err != nil {
		return err
	}
	if err := c.mustRefuse(ctx); err != nil {
		return err
	}
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

// mustRefuse wants a login to fail closed within 3 s, with "try later", while the database is away (F6). One may succeed
// that the database answers with its last breath.
func (c *cluster) mustRefuse(ctx context.Context) error {
	for range 10 {
		begun := time.Now()
		err := c.tryLogin(ctx)
		took := time.Since(begun)
		switch {
		case err == nil:
			continue
		case !presence.HasCode(err, wire.TryLater) || took > c.refused:
			return fmt.Errorf("a login without a database fails after %v: %w", took, err)
		}
		c.tell("a login meanwhile is refused with \"try later\" after %v", took.Round(time.Millisecond))
		return nil
	}
	return errors.New("logins succeed without a database")
}

func (c *cluster) tryLogin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.refused+1500*time.Millisecond)
	defer cancel()
	client, _, err := c.dialer(c.nodes[0]).Login(ctx, wire.LoginRequest{User: c.members[0].number, PIN: c.members[0].pin})
	if err != nil {
		return err
	}
	client.Close()
	return nil
}
