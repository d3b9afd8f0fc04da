package xmpp_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"hark/im"
	"hark/im/imtest"
	"hark/im/xmpp"
	"hark/internal/testbed"
)

// A realm is a real XMPP server with pairs of friends, each pair for one case.
type realm struct {
	*testbed.XMPPServer
	pairs, used int
}

// servers are the XMPP servers that everything is shown on.
var servers = map[string]func(t testing.TB, users map[string]string, friends [][2]string) *testbed.XMPPServer{
	"prosody": func(t testing.TB, users map[string]string, friends [][2]string) *testbed.XMPPServer {
		return &testbed.ProsodyFor(t, testbed.ProsodyOptions{Users: users, Friends: friends}).XMPPServer
	},
	"ejabberd": func(t testing.TB, users map[string]string, friends [][2]string) *testbed.XMPPServer {
		return &testbed.EjabberdFor(t, testbed.EjabberdOptions{Users: users, Friends: friends}).XMPPServer
	},
}

// onEach runs a test on each server, with a pair of friends.
func onEach(t *testing.T, test func(t *testing.T, r *realm)) {
	for name := range servers {
		t.Run(name, func(t *testing.T) { test(t, startRealmOn(t, name, 1)) })
	}
}

func onEjabberd(t *testing.T) bool { return strings.HasSuffix(t.Name(), "/ejabberd") }

// startRealm starts a Prosody.
func startRealm(t testing.TB, pairs int) *realm { return startRealmOn(t, "prosody", pairs) }

func startRealmOn(t testing.TB, server string, pairs int) *realm {
	users := map[string]string{}
	var friends [][2]string
	for i := range pairs {
		user, friend := fmt.Sprintf("user%d", i), fmt.Sprintf("friend%d", i)
		users[user], users[friend] = "secret", "secret"
		friends = append(friends, [2]string{user, friend})
	}
	return &realm{XMPPServer: servers[server](t, users, friends), pairs: pairs}
}

func (r *realm) service() *xmpp.Service {
	return &xmpp.Service{TLS: &tls.Config{RootCAs: r.Roots}}
}

// pair hands out the next pair of friends.
func (r *realm) pair(t *testing.T) (im.Account, *peer) {
	t.Helper()
	if r.used == r.pairs {
		t.Fatal("the realm has no more users")
	}
	account, friend := r.account(r.used), fmt.Sprintf("friend%d@localhost", r.used)
	r.used++
	return account, startPeer(t, r.Addr, r.Roots, friend, account.ID)
}

// account is the user of pair i.
func (r *realm) account(i int) im.Account {
	id := fmt.Sprintf("user%d@localhost", i)
	return im.Account{User: "4711001", Network: im.XMPP, ID: id, Password: "secret", Server: r.Addr}
}

func TestSuite(t *testing.T) {
	for name := range servers {
		t.Run(name, func(t *testing.T) { suiteOn(t, startRealmOn(t, name, 60)) })
	}
}

func suiteOn(t *testing.T, r *realm) {
	silent := listen(t)
	away := listen(t)
	away.Close()
	imtest.Run(t, imtest.Harness{
		Disorder: onEjabberd(t), // its threads archive and route each for itself
		Can: imtest.Abilities{Credentials: true, Servers: true, Sent: true, Receipts: true, Read: true, Typing: true,
			Contacts: true, Resume: true},
		New: func(t *testing.T) imtest.Pair {
			account, peer := r.pair(t)
			p := startProxy(t, r.Addr)
			account.Server = p.Addr
			pair := imtest.Pair{
				Service: r.service(), Account: account, Peer: peer, Nobody: xmppAddress("nobody@localhost"),
				Wrong: account, Away: account, Silent: account, Cut: p.cut,
				Foreign: []goleak.Option{goleak.IgnoreAnyFunction("hark/internal/testbed.(*process).wait")},
				Restart: func() {
					if err := r.Restart(t.Context()); err != nil {
						t.Fatal(err)
					}
					peer.awaitOnline(t)
				},
			}
			pair.Wrong.Password = "guess"
			pair.Away.Server = away.Addr().String()
			pair.Silent.Server = silent.Addr().String()
			return pair
		},
	})
}

// listen takes connections and says nothing: the kernel accepts them.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
