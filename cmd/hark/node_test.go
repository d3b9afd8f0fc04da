package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/db/dbtest"
	"hark/internal/testbed"
	"hark/presence"
	"hark/presence/wire"
)

// A nodePlace is one configuration of several that share a database and a key file.
type nodePlace struct {
	t            *testing.T
	name, config string
	log          buffer
}

// layNode writes the configuration of a node without telephone and web; db is a file or a URL.
func layNode(t *testing.T, dir, db, ca string) *nodePlace {
	t.Helper()
	n := &nodePlace{t: t, name: freeAddress(t)}
	n.config = filepath.Join(dir, strings.ReplaceAll(n.name, ":", "-")+".toml")
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = dir
	}
	text := fmt.Sprintf("name = %q\ndb = %q\ndata = %q\nkeys = %q\n[listen]\nweb = \"\"\npresence = \"tls://%s\"\n[prompts]\ncache = %q\n"+
		"[audio]\ndir = %q\nurl = \"http://127.0.0.1:9/a/\"\n[xmpp]\nca = %q\nallow_private = true\n[node]\nlease = \"4s\"\n",
		n.name, db, strings.TrimSuffix(n.config, ".toml"), filepath.Join(dir, "hark.keys"), n.name, filepath.Join(cache, "hark", "speech"), filepath.Join(dir, "audio"), ca)
	if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return n
}

// run executes a command line to its end and returns what it printed.
func (n *nodePlace) run(input string, args ...string) (string, error) {
	var out bytes.Buffer
	p := &program{in: strings.NewReader(input), out: &out, errOut: io.Discard}
	err := p.run(n.t.Context(), append([]string{"-c", n.config}, args...))
	return out.String(), err
}

func (n *nodePlace) must(input string, args ...string) string {
	n.t.Helper()
	out, err := n.run(input, args...)
	if err != nil {
		n.t.Fatalf("hark %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// serve runs the node until the test ends.
func (n *nodePlace) serve() {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- (&program{in: strings.NewReader(""), out: io.Discard, errOut: &n.log}).run(ctx, []string{"-c", n.config, "serve"})
	}()
	n.t.Cleanup(sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			n.t.Errorf("serve ended with %v", err)
		}
	}))
	n.until("ready", func() bool { return strings.Contains(n.log.String(), "msg=ready") })
}

func (n *nodePlace) until(what string, holds func() bool) {
	n.t.Helper()
	for deadline := time.Now().Add(6 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatalf("not in time: %s\n%s", what, n.log.String())
		}
	}
}

// dialer finds the node, trusting what "hark node ca" prints.
func (n *nodePlace) dialer() *presence.Dialer {
	n.t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(n.must("", "node", "ca"))) {
		n.t.Fatal("node ca prints no certificate")
	}
	return &presence.Dialer{Home: "harks://" + n.name, TLS: &tls.Config{RootCAs: roots}}
}

// show is what "session show" says.
func (n *nodePlace) show(user string) (row sessionRow) {
	n.t.Helper()
	if err := json.Unmarshal([]byte(n.must("", "session", "show", user, "--json")), &row); err != nil {
		n.t.Fatal(err)
	}
	return row
}

// TestTwoNodes outgrows one machine: a user's account moves from SQLite to PostgreSQL, two nodes serve it over TLS, and
// the session goes from one to the other and is shown to the operator.
func TestTwoNodes(t *testing.T) {
	server := dbtest.Postgres(t)
	prosody := testbed.ProsodyFor(t, testbed.ProsodyOptions{Users: map[string]string{"ana": "secret-ana"}})
	dir, source := t.TempDir(), server.Fresh(t)
	small := layNode(t, dir, filepath.Join(dir, "hark.db"), prosody.CAFile)
	var ana account
	if err := json.Unmarshal([]byte(small.must("", "account", "add", "--name", "Ana", "--json")), &ana); err != nil {
		t.Fatal(err)
	}
	small.must("secret-ana\n", "account", "network", "set", ana.Number, "xmpp", "ana@localhost", "--server", prosody.Addr)
	moved := small.must("", "db", "move", source)
	for _, want := range []string{"account ", "login ", "1 rows, all equal", "rows moved and compared"} {
		if !strings.Contains(moved, want) {
			t.Errorf("db move does not say %q:\n%s", want, moved)
		}
	}
	if _, err := small.run("", "db", "move", source); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("moving a second time: %v", err)
	}

	a, b := layNode(t, dir, source, prosody.CAFile), layNode(t, dir, source, prosody.CAFile)
	if _, err := a.run("", "db", "move", source); err == nil {
		t.Error("PostgreSQL was moved to PostgreSQL")
	}
	a.serve()
	b.serve()
	client, _, err := a.dialer().Login(t.Context(), wire.LoginRequest{User: ana.Number, PIN: ana.PIN})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, _, err := (&presence.Dialer{Home: "harks://" + a.name}).Login(t.Context(), wire.LoginRequest{}); err == nil {
		t.Error("a stranger's certificate was believed")
	}
	a.until("shown online with its client", func() bool {
		row := a.show(ana.Number)
		return row.Node == a.name && row.Alive && row.Clients["phone"] == 1 && strings.Contains(row.networks(), "xmpp online")
	})
	table := a.must("", "session", "list")
	if !strings.Contains(table, "phone 1") || !strings.Contains(table, "xmpp online") {
		t.Errorf("session list:\n%s", table)
	}
	drained(t, a, b, ana, client)
}

// drained moves the session from a to b, and back without an answer.
func drained(t *testing.T, a, b *nodePlace, ana account, client *presence.Client) {
	a.must("", "node", "drain", a.name)
	for e := range client.Events() {
		bye, ok := e.Body.(wire.ByeEvent)
		if !ok {
			continue
		}
		there, reply, err := a.dialer().Follow(t.Context(), bye, "phone", "")
		if err != nil || there.Hello().Node != b.name || reply.Epoch != 2 {
			t.Fatalf("after BYE [%s]: %+v, %v", bye.Code, reply, err)
		}
		there.Close()
		client.Close()
		break
	}
	if row := b.show(ana.Number); row.Node != b.name || row.Epoch != 2 {
		t.Errorf("%+v", row)
	}
	if _, err := b.run("", "node", "drain", b.name); err == nil || !strings.Contains(err.Error(), "no other node") {
		t.Errorf("draining the last one: %v", err)
	}
	b.must("", "node", "resume", b.name)
	b.must("", "node", "resume", a.name)
	var nodes []nodeRow
	if err := json.Unmarshal([]byte(a.must("", "node", "list", "--json")), &nodes); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if !n.Alive || n.Draining {
			t.Errorf("%+v", n)
		}
	}
	if len(nodes) != 2 {
		t.Errorf("%d nodes", len(nodes))
	}
	if _, err := a.run("", "node", "dead", "nobody:1"); err == nil || !strings.Contains(err.Error(), "there is no node nobody:1") {
		t.Errorf("an unknown node: %v", err)
	}
	// It is not true that b is dead: it notices, and the session is somewhere again.
	b.must("", "node", "dead", b.name)
	b.until("let go", func() bool { return strings.Contains(b.log.String(), "lease is lost") })
	if !strings.Contains(b.log.String(), "the node was said to be dead") {
		t.Errorf("it does not say why:\n%s", &b.log)
	}
	b.until("owned again", func() bool {
		row := b.show(ana.Number)
		return row.Alive && row.Epoch == 3
	})
}
