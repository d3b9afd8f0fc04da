package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"
)

// clusterBench measures how long sessions are away when their node is killed, and what a user's contacts see of restarts.
func clusterBench(ctx context.Context, l *lab, args []string) (err error) {
	flags := flag.NewFlagSet("cluster-bench", flag.ContinueOnError)
	kills := flags.Int("kills", 10, "how often a node is killed")
	restarts := flags.Int("restarts", 20, "how often a node is restarted")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	plan := wholeCluster
	plan.users, plan.call = 30, false
	c := &cluster{clusterPlan: plan, program: l.program, dir: l.dir, out: l.out, begun: time.Now()}
	if err = c.start(ctx); err == nil {
		err = c.measure(ctx, *kills, *restarts)
	}
	return errors.Join(err, c.stop())
}

func (c *cluster) measure(ctx context.Context, kills, restarts int) error {
	if err := c.logEverybodyIn(ctx); err != nil {
		return err
	}
	load, err := c.startLoad(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(c.measureKills(ctx, kills), c.measureRestarts(ctx, load, restarts))
	return errors.Join(err, c.judge(ctx, load, err == nil))
}

// measureKills kills the node with the most sessions, so many times.
func (c *cluster) measureKills(ctx context.Context, rounds int) error {
	if rounds == 0 {
		return nil
	}
	c.scene("%d times: kill -9 of the node with the most sessions; lease %v", rounds, c.lease)
	var all []time.Duration
	for round := range rounds {
		n, members, err := c.busiest(ctx)
		if err != nil {
			return err
		}
		blow := time.Now()
		if err := n.kill(); err != nil {
			return err
		}
		slowest, err := c.awaitBack(ctx, members, n, blow)
		if err != nil {
			return err
		}
		all = append(all, slowest)
		c.tell("%2d: %d sessions, all reachable and online after %v", round+1, len(members), slowest.Round(time.Millisecond))
		if err := c.startNode(ctx, n); err != nil {
			return err
		}
	}
	slices.Sort(all)
	c.tell("time until the last session was reachable: p50 %v, max %v", all[len(all)/2].Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond))
	return nil
}

// measureRestarts leaves one node alone with all the sessions, restarts it many times, and counts what the users'
// friend saw of it.
func (c *cluster) measureRestarts(ctx context.Context, l *load, rounds int) error {
	if rounds == 0 {
		return nil
	}
	n := c.nodes[0]
	for _, other := range c.nodes[1:] {
		if err := other.end(); err != nil {
			return err
		}
	}
	if err := c.allOnline(ctx, n); err != nil {
		return err
	}
	c.scene("%d times: SIGTERM and start of the only node, with all %d sessions", rounds, len(c.members))
	before := l.gone.Load()
	var away time.Duration
	for range rounds {
		begun := time.Now()
		if err := n.end(); err != nil {
			return err
		}
		if err := c.startNode(ctx, n); err != nil {
			return err
		}
		if err := c.allOnline(ctx, n); err != nil {
			return err
		}
		away = max(away, time.Since(begun))
	}
	seen := l.gone.Load() - before
	c.tell("the users' friend saw them go away %d times in %d restarts of %d sessions; the longest until all were back: %v",
		seen, rounds, len(c.members), away.Round(time.Millisecond))
	return nil
}

// allOnline waits until every member's session is at the node and online.
func (c *cluster) allOnline(ctx context.Context, n *clusterNode) error {
	for _, m := range c.members {
		err := c.waitFor(ctx, m.jid+" is online", 40*time.Second, func() (bool, error) {
			ok, _ := c.tryOnce(ctx, m, n, &clusterNode{})
			return ok, nil
		})
		if err != nil {
			return fmt.Errorf("%w", err)
		}
	}
	return nil
}
