package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"hark/internal/testbed"
)

// clusterPlan says how large the cluster demo is, and how hard on the nodes.
type clusterPlan struct {
	users   int
	peers   int
	pace    time.Duration // between two messages of one peer
	lease   time.Duration
	stalled time.Duration // how long the second node is stopped
	within  time.Duration // every session must be reachable again
	refused time.Duration // a login must have failed while the database is away
	call    bool          // with a telephone call
}

// The two forms of the demo.
var (
	wholeCluster = clusterPlan{users: 50, peers: 5, pace: 100 * time.Millisecond, lease: 6 * time.Second, stalled: 20 * time.Second, within: 12 * time.Second, refused: 3500 * time.Millisecond, call: true}
	shortCluster = clusterPlan{users: 10, peers: 3, pace: 100 * time.Millisecond, lease: 4 * time.Second, stalled: 10 * time.Second, within: 8 * time.Second, refused: 3500 * time.Millisecond, call: true}
)

// clusterDemo runs three nodes and shows that a session outlives each of them.
func clusterDemo(ctx context.Context, l *lab, args []string) error {
	plan := wholeCluster
	flags := flag.NewFlagSet("cluster-demo", flag.ContinueOnError)
	short := flags.Bool("short", false, "the short form: 10 users, shorter leases")
	flags.IntVar(&plan.users, "users", plan.users, "how many users")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		plan = shortCluster
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	return l.showCluster(ctx, plan)
}

// showCluster brings the cluster up, plays every scene, and takes it down.
func (l *lab) showCluster(ctx context.Context, plan clusterPlan) (err error) {
	c := &cluster{clusterPlan: plan, program: l.program, dir: l.dir, out: l.out, begun: time.Now()}
	c.scene("Starting PostgreSQL with a standby, Prosody, Asterisk, and three nodes of Hark on loopback")
	err = c.start(ctx)
	if err == nil {
		err = c.perform(ctx)
	}
	if err != nil {
		err = errors.Join(err, c.keepLogs())
	}
	if err = errors.Join(err, c.stop()); err == nil {
		fmt.Fprintf(l.out, "\nEverything held. Nothing is left running. %v in all.\n", time.Since(c.begun).Round(time.Second))
	}
	return err
}

// perform plays the scenes in order, while the peers write all the time.
func (c *cluster) perform(ctx context.Context) error {
	if err := c.logEverybodyIn(ctx); err != nil {
		return err
	}
	watch := c.watchOwners(ctx)
	load, err := c.startLoad(ctx)
	if err != nil {
		return err
	}
	err = c.hurt(ctx)
	return errors.Join(err, c.judge(ctx, load, err == nil), watch.end(c))
}

// hurt does to the nodes what they have to survive.
func (c *cluster) hurt(ctx context.Context) error {
	for _, scene := range []func(context.Context) error{c.callGoesOn, c.drainOne, c.killOne, c.stallOne, c.killDatabase} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) scene(format string, args ...any) {
	fmt.Fprintf(c.out, "\n[%5.1f s] %s\n", time.Since(c.begun).Seconds(), fmt.Sprintf(format, args...))
}

func (c *cluster) tell(format string, args ...any) {
	fmt.Fprintf(c.out, "  "+format+"\n", args...)
}

// keepLogs copies the nodes' logs to a place that stays.
func (c *cluster) keepLogs() error {
	dir, err := os.MkdirTemp("", "hark-cluster-logs-")
	if err != nil {
		return err
	}
	files := map[string]string{}
	for _, n := range c.nodes {
		files[n.log] = fmt.Sprintf("node%d.log", n.number)
	}
	if c.prosody != nil {
		files[c.prosody.LogFile] = "prosody.log"
	}
	for from, name := range files {
		err = errors.Join(err, copyFile(from, filepath.Join(dir, name)))
	}
	c.tell("the logs are in %s", dir)
	return err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// startProsody starts the XMPP server with an account for every user and every peer. The first peer is everybody's
// friend, and sees them come and go.
func (c *cluster) startProsody(ctx context.Context) (err error) {
	accounts := map[string]string{}
	var friends [][2]string
	for i := range c.users {
		accounts[userName(i)] = xmppPassword
		friends = append(friends, [2]string{peerName(0), userName(i)})
	}
	for i := range c.peers {
		accounts[peerName(i)] = xmppPassword
	}
	c.prosody, err = testbed.StartProsody(ctx, testbed.ProsodyOptions{Users: accounts, Friends: friends, LogLevel: "info"})
	return err
}

// xmppPassword is everybody's: the server listens on loopback and is gone in a minute.
const xmppPassword = "cluster-demo"

func userName(i int) string { return fmt.Sprintf("user%02d", i) }
func peerName(i int) string { return fmt.Sprintf("peer%d", i) }
