package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"hark/accounts"
	"hark/db"
	"hark/db/dbtest"
	"hark/im"
	"hark/internal/testbed"
	"hark/presence"
	"hark/sessions"
)

// A cluster is three nodes of Hark with all that they need. The lab looks into their database on its own.
type cluster struct {
	clusterPlan
	program  string
	dir      string
	temp     bool
	out      io.Writer
	begun    time.Time
	postgres *dbtest.Server
	standby  *dbtest.Server
	url      string // of the database, wherever it is
	prosody  *testbed.Prosody
	asterisk *testbed.Asterisk
	nodes    []*clusterNode
	members  []*member
	tls      *tls.Config // trusts the nodes

	database *db.DB
	accounts *accounts.DB
	sessions *sessions.SQL
}

// A clusterNode is one process of Hark.
type clusterNode struct {
	number int
	name   string // host:port
	config string
	log    string
	cmd    *exec.Cmd
	gone   chan struct{} // closed when the process has ended
}

// start brings everything up.
func (c *cluster) start(ctx context.Context) (err error) {
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "hark-cluster-"); err != nil {
			return err
		}
		c.temp = true
	}
	for _, step := range []func(context.Context) error{c.startDatabase, c.startProsody, c.startAsterisk, c.openDatabase, c.addMembers, c.startNodes, c.trustNodes} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) startDatabase(context.Context) (err error) {
	if c.postgres, err = dbtest.Run(true); err != nil {
		return err
	}
	url, err := c.postgres.Create()
	if err != nil {
		return err
	}
	if c.standby, err = c.postgres.Standby(); err != nil {
		return err
	}
	c.url = c.postgres.Either(c.standby, url)
	return nil
}

// openDatabase opens the nodes' database for the lab itself: to make users, and to watch who owns what.
func (c *cluster) openDatabase(ctx context.Context) (err error) {
	if c.database, err = db.Open(ctx, db.Options{Source: c.url, Mode: db.Admin}); err != nil {
		return err
	}
	keys, err := accounts.LoadKeys(c.keys())
	if err != nil {
		return err
	}
	c.sessions = sessions.Open(c.database, nil)
	c.accounts, err = accounts.Open(ctx, c.database, keys, accounts.Options{})
	return err
}

func (c *cluster) keys() string { return filepath.Join(c.dir, "hark.keys") }

// addMembers makes a Hark account for every user, with a login at the XMPP server.
func (c *cluster) addMembers(ctx context.Context) error {
	for i := range c.users {
		u, pin, err := c.accounts.Add(ctx, accounts.NewUser{Name: userName(i), Language: "en"})
		if err != nil {
			return err
		}
		m := &member{number: u.Number, pin: pin, jid: userName(i) + "@localhost"}
		err = c.accounts.SetLogin(ctx, im.Account{User: m.number, Network: im.XMPP, ID: m.jid, Password: xmppPassword, Server: c.prosody.Addr})
		if err != nil {
			return err
		}
		c.members = append(c.members, m)
	}
	return nil
}

// startNodes starts the first node and, once it has rendered what is said on the telephone, the others.
func (c *cluster) startNodes(ctx context.Context) error {
	for i := range 3 {
		n, err := c.layNode(i + 1)
		if err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
		if err := c.startNode(ctx, n); err != nil {
			return err
		}
		c.tell("node %d is %s, process %d", n.number, n.name, n.cmd.Process.Pid)
	}
	return nil
}

// layNode chooses a port and writes a configuration.
func (c *cluster) layNode(number int) (*clusterNode, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	name := listener.Addr().String()
	listener.Close()
	dir := filepath.Join(c.dir, fmt.Sprintf("node%d", number))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`name = %q
db = %q
data = %q
keys = %q
[listen]
web = ""
presence = "tls://%s"
[prompts]
cache = %q
[audio]
url = "http://127.0.0.1:9/a/"
[xmpp]
ca = %q
allow_private = true
[node]
lease = %q
`, name, c.url, dir, c.keys(), name, speechCache(c.dir), c.prosody.CAFile, c.lease)
	if number == 1 && c.call {
		text += c.telephone()
	}
	n := &clusterNode{number: number, name: name, config: filepath.Join(dir, "hark.toml"), log: filepath.Join(dir, "hark.log")}
	return n, os.WriteFile(n.config, []byte(text), 0o600)
}

// startNode starts the process and waits until it is ready.
func (c *cluster) startNode(ctx context.Context, n *clusterNode) error {
	file, err := os.OpenFile(n.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	n.cmd = exec.Command(c.program, "serve", "-c", n.config)
	n.cmd.Stdout, n.cmd.Stderr = file, file
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	n.gone = make(chan struct{})
	go func() { n.cmd.Wait(); close(n.gone) }()
	return c.waitFor(ctx, fmt.Sprintf("node %d is ready", n.number), 2*time.Minute, func() (bool, error) {
		select {
		case <-n.gone:
			return false, fmt.Errorf("node %d ended at its start; see %s", n.number, n.log)
		default:
		}
		text, err := os.ReadFile(n.log)
		return bytes.Contains(text[min(int(info.Size()), len(text)):], []byte("msg=ready")), err
	})
}

// trustNodes asks hark for the certificate authority of its nodes.
func (c *cluster) trustNodes(ctx context.Context) error {
	pem, err := c.admin(ctx, "node", "ca")
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("hark node ca printed no certificate")
	}
	c.tls = &tls.Config{RootCAs: roots}
	return nil
}

// admin runs a subcommand of hark.
func (c *cluster) admin(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.program, append([]string{"-c", c.nodes[0].config}, args...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("hark %v: %w: %s", args, err, complaint.Bytes())
	}
	return out, nil
}

// dialer begins at a node, over TLS.
func (c *cluster) dialer(home *clusterNode) *presence.Dialer {
	return &presence.Dialer{Home: "harks://" + home.name, TLS: c.tls}
}

// waitFor polls until a condition holds.
func (c *cluster) waitFor(ctx context.Context, what string, limit time.Duration, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still not after %v: %s", limit, what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// kill ends a process as a crash would.
func (n *clusterNode) kill() error {
	if err := n.cmd.Process.Kill(); err != nil {
		return err
	}
	<-n.gone
	return nil
}

// end ends a process as an operator would.
func (n *clusterNode) end() error {
	if n.gone == nil {
		return nil
	}
	_ = n.cmd.Process.Signal(syscall.SIGCONT) // it may have been stopped, or have ended
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-n.gone:
		return nil
	case <-time.After(30 * time.Second):
		return errors.Join(fmt.Errorf("node %d did not stop within 30 s of SIGTERM", n.number), n.kill())
	}
}

// stop ends everything, and removes what should not stay.
func (c *cluster) stop() (err error) {
	for _, n := range c.nodes {
		err = errors.Join(err, n.end())
	}
	if c.sessions != nil {
		err = errors.Join(err, c.sessions.Close())
	}
	if c.database != nil {
		err = errors.Join(err, c.database.Close())
	}
	if c.prosody != nil {
		err = errors.Join(err, c.prosody.Discard())
	}
	if c.asterisk != nil {
		err = errors.Join(err, c.asterisk.Discard())
	}
	if c.standby != nil {
		err = errors.Join(err, c.standby.Close())
	}
	if c.postgres != nil {
		err = errors.Join(err, c.postgres.Close())
	}
	if c.temp {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}
