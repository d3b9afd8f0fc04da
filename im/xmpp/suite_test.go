package xmpp_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"

	"go.uber.org/goleak"

	"hark/im"
	"hark/im/imtest"
	"hark/im/xmpp"
	"hark/internal/testbed"
)

// A realm is a real Prosody with pairs of friends, each pair for one case.
type realm struct {
	*testbed.Prosody
	pairs, used int
}

func startRealm(t testing.TB, pairs int) *realm {
	o := testbed.ProsodyOptions{Users: map[string]string{}}
	for i := range pairs {
		user, friend := fmt.Sprintf("user%d", i), fmt.Sprintf("friend%d", i)
		o.Users[user], o.Users[friend] = "secret", "secret"
		o.Friends = append(o.Friends, [2]string{user, friend})
	}
	return &realm{Prosody: testbed.ProsodyFor(t, o), pairs: pairs}
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
	r := startRealm(t, 60)
	silent := listen(t)
	away := listen(t)
	away.Close()
	imtest.Run(t, imtest.Harness{
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
