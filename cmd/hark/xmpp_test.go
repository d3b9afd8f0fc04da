package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mellium.im/xmpp/stanza"

	"hark/db"
	"hark/db/dbtest"
	"hark/im"
	"hark/internal/testbed"
	"hark/internal/xmpppeer"
	"hark/presence"
	"hark/presence/wire"
	"hark/sessions"
)

var restarts = flag.Int("restarts", 1, "how often TestXMPPServerRestarts restarts the XMPP server; the promise (F7) is about a hundred")

// onXMPPServers runs a test on XMPP servers, with Ana and Ben as friends. Only Prosody keeps
// the order in which messages were sent: ejabberd's threads archive each for itself.
func onXMPPServers(t *testing.T, names []string, test func(t *testing.T, server *testbed.XMPPServer, ordered bool)) {
	users, friends := map[string]string{"ana": "secret-ana", "ben": "secret-ben"}, [][2]string{{"ana", "ben"}}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == ejabberd {
				test(t, &testbed.EjabberdFor(t, testbed.EjabberdOptions{Users: users, Friends: friends}).XMPPServer, false)
			} else {
				test(t, &testbed.ProsodyFor(t, testbed.ProsodyOptions{Users: users, Friends: friends}).XMPPServer, true)
			}
		})
	}
}

// The XMPP servers that Hark is shown on.
const (
	prosody  = "prosody"
	ejabberd = "ejabberd"
)

// join makes an account with a login at the XMPP server.
func (n *nodePlace) join(server *testbed.XMPPServer, user string) (a account) {
	n.t.Helper()
	if err := json.Unmarshal([]byte(n.must("", "account", "add", "--name", user, "--json")), &a); err != nil {
		n.t.Fatal(err)
	}
	n.must("secret-"+user+"\n", "account", "network", "set", a.Number, "xmpp", user+"@localhost", "--server", server.Addr)
	return a
}

// logIn opens a session, which is online at the XMPP server when logIn returns.
func (n *nodePlace) logIn(a account) *presence.Client {
	n.t.Helper()
	var client *presence.Client
	n.until("logged in", func() bool {
		var err error
		client, _, err = n.dialer().Login(n.t.Context(), wire.LoginRequest{User: a.Number, PIN: a.PIN})
		return err == nil && client.Hello().Node == n.name
	})
	n.t.Cleanup(func() { client.Close() })
	n.until("online", func() bool { return strings.Contains(n.show(a.Number).networks(), "xmpp online") })
	return client
}

// awaitAll waits until the user has got as many messages, and compares them. It returns those that the user wrote.
func awaitAll(n *nodePlace, client *presence.Client, want []string, ordered bool) (written []string) {
	n.t.Helper()
	var got []string
	after := int64(0)
	n.until("all is there", func() bool {
		reply, err := client.Fetch(n.t.Context(), wire.FetchRequest{After: after})
		if err != nil {
			n.t.Fatal(err)
		}
		for _, m := range reply.Messages {
			after = m.Seq
			if m.Outgoing {
				written = append(written, m.Body)
			} else {
				got = append(got, m.Body)
			}
		}
		return len(got) >= len(want)
	})
	if !ordered {
		slices.Sort(got)
		want = slices.Sorted(slices.Values(want))
	}
	if !slices.Equal(got, want) {
		n.t.Errorf("of %d messages %d came: %q", len(want), len(got), got)
	}
	return written
}

// TestXMPPServerRestarts restarts the XMPP server while Ana writes to Ben, before, meanwhile and afterwards: when Ben comes,
// each message waits for him once, in order (F7).
func TestXMPPServerRestarts(t *testing.T) {
	t.Parallel()
	names := []string{prosody}
	if *restarts > 1 {
		names = append(names, ejabberd) // which takes nine seconds for each
	}
	onXMPPServers(t, names, serverRestarts)
}

func serverRestarts(t *testing.T, server *testbed.XMPPServer, ordered bool) {
	dir := t.TempDir()
	n := layNode(t, dir, filepath.Join(dir, "hark.db"), server.CAFile)
	ana, ben := n.join(server, "ana"), n.join(server, "ben")
	n.serve()
	writer := n.logIn(ana)
	var sent []string
	write := func() {
		t.Helper()
		id := fmt.Sprintf("m%04d", len(sent))
		n.until("sent, as fast as a user may", func() bool {
			_, err := writer.Send(t.Context(), wire.SendRequest{ID: id, To: im.Address{Network: im.XMPP, ID: "ben@localhost"}, Body: id})
			if err != nil && !presence.HasCode(err, wire.Limit) {
				t.Fatal(err)
			}
			return err == nil
		})
		sent = append(sent, id)
	}
	for range *restarts {
		write()
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		write()
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		write()
	}
	n.until("all has gone out", func() bool { return n.show(ana.Number).Queued == 0 })
	awaitAll(n, n.logIn(ben), sent, ordered)
	t.Logf("%d restarts, %d messages", *restarts, len(sent))
}

// TestMain is the tests or, in a process that they start, Hark itself, so that it can be killed.
func TestMain(m *testing.M) {
	if os.Getenv(isHark) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const isHark = "HARK_TEST_PROCESS"

// spawn runs the node as a process of its own until it is killed or told to stop.
func (n *nodePlace) spawn() *exec.Cmd {
	n.t.Helper()
	from := len(n.log.String())
	c := exec.Command(os.Args[0], "-c", n.config, "serve")
	c.Env = append(os.Environ(), isHark+"=1")
	c.Stderr = &n.log
	if err := c.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { end(c, os.Kill) })
	n.until("ready", func() bool { return strings.Contains(n.log.String()[from:], "msg=ready") })
	return c
}

// end ends a process by a signal. It may have ended before.
func end(c *exec.Cmd, by os.Signal) {
	_ = c.Process.Signal(by)
	_ = c.Wait()
}

// logins counts the logins at the XMPP server, and those of them that took up the login before.
func (n *nodePlace) logins() (all, resumed int) {
	return strings.Count(n.log.String(), "xmpp: logged in"), strings.Count(n.log.String(), "resumed=true")
}

// TestLoginOutlivesHark stops Hark, kills it, and kills it for good, while somebody writes to Ana: Hark, and then
// another node, takes up the same login at the XMPP server. Her friend does not see her go away, and each message is
// there once; also when in the end the server's archive brings nearly all of them again (F15).
func TestLoginOutlivesHark(t *testing.T) {
	t.Parallel()
	postgres := dbtest.Postgres(t)
	onXMPPServers(t, []string{prosody, ejabberd}, func(t *testing.T, server *testbed.XMPPServer, ordered bool) {
		loginOutlivesHark(t, server, ordered, postgres.Fresh(t))
	})
}

func loginOutlivesHark(t *testing.T, server *testbed.XMPPServer, ordered bool, database string) {
	dir := t.TempDir()
	a, b := layNode(t, dir, database, server.CAFile), layNode(t, dir, database, server.CAFile)
	ana := a.join(server, "ana")
	ben := startFriend(t, server)
	var said []string
	say := func() {
		t.Helper()
		id := fmt.Sprint("m", len(said))
		if err := ben.Say(t.Context(), "ana@localhost", id, id); err != nil {
			t.Fatal(err)
		}
		said = append(said, id)
	}

	hark := a.spawn()
	client := a.logIn(ana)
	a.until("seen by her friend", func() bool { return ben.came.Load() > 0 })
	var early im.Resume
	for i, signal := range []os.Signal{os.Interrupt, os.Kill} {
		say()
		if _, err := client.Send(t.Context(), wire.SendRequest{ID: signal.String(), To: im.Address{Network: im.XMPP, ID: "ben@localhost"}, Body: signal.String()}); err != nil {
			t.Fatal(err)
		}
		end(hark, signal)
		if early == nil {
			early = resumeState(t, database, ana.Number)
		}
		say()
		hark = a.spawn()
		a.until(fmt.Sprint("resumed after ", signal), func() bool { _, n := a.logins(); return n > i })
		client = a.logIn(ana)
	}
	other := b.spawn()
	say()
	end(hark, os.Kill)
	say()
	awaitAll(b, b.logIn(ana), said, ordered)
	b.until("let in", func() bool { n, _ := b.logins(); return n > 0 })
	if all, resumed := b.logins(); all != resumed {
		t.Errorf("of the other node's %d logins only %d were resumed", all, resumed)
	}
	if n := ben.gone.Load(); n != 0 {
		t.Errorf("her friend saw her go away %d times", n)
	}

	end(other, os.Interrupt)
	goBack(t, database, ana.Number, early)
	b.spawn()
	b.until("logged in anew", func() bool { all, resumed := b.logins(); return all > resumed })
	client = b.logIn(ana)
	say()
	if written := awaitAll(b, client, said, ordered); len(written) != 2 {
		t.Errorf("of the two messages that she wrote %d are there: %q", len(written), written)
	}
}

// withStore has the session store of nodes that do not run.
func withStore(t *testing.T, source string, use func(sessions.Store) error) {
	t.Helper()
	database, err := db.Open(t.Context(), db.Options{Source: source, Mode: db.Admin})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	store := sessions.Open(database, nil)
	defer store.Close()
	if err := use(store); err != nil {
		t.Fatal(err)
	}
}

// resumeState is from where a user's login at the XMPP server goes on.
func resumeState(t *testing.T, source, user string) (state im.Resume) {
	t.Helper()
	withStore(t, source, func(store sessions.Store) (err error) {
		state, err = store.ResumeState(t.Context(), user, im.XMPP)
		return err
	})
	return state
}

// goBack has a user's login go on from an earlier state, as if nothing had been kept since, and not as the same stream,
// whose messages the server has not kept.
func goBack(t *testing.T, source, user string, to im.Resume) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(to, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "sm")
	state, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	withStore(t, source, func(store sessions.Store) error {
		record, err := store.Lookup(t.Context(), user)
		if err != nil {
			return err
		}
		return store.SetResume(t.Context(), user, record.Epoch, im.XMPP, state)
	})
}

// A friend is Ben, with a client of his own that shows him Ana.
type friend struct {
	*xmpppeer.Peer
	came, gone atomic.Int32 // how often he saw her appear, and disappear after that
}

func startFriend(t *testing.T, server *testbed.XMPPServer) *friend {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	peer, err := xmpppeer.Login(ctx, server.Addr, "ben@localhost", "secret-ben")
	if err != nil {
		t.Fatal(err)
	}
	f := &friend{Peer: peer}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.watch()
	}()
	t.Cleanup(func() { peer.Close(); <-done })
	return f
}

func (f *friend) watch() {
	for p := range f.Presences() {
		switch {
		case p.From.Localpart() != "ana":
		case p.Type == stanza.AvailablePresence:
			f.came.Add(1)
		case p.Type == stanza.UnavailablePresence && f.came.Load() > 0: // before, it only answers his own login
			f.gone.Add(1)
		}
	}
}
