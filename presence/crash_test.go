package presence_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
	"hark/sessions"
)

// points are where a server dies: before or after it has written something for good, and before or after something
// leaves it on the wire.
var points = []string{
	"before journal", "after journal", "before send", "after send", "before settle", "after settle",
	"before append", "while visible", "after append", "before ack", "after ack", "before advance", "after advance",
	"before resume state", "after resume state",
}

// TestCrashes kills the server a thousand times, at every point around journal, commit, acknowledgement and wire, while
// messages go in and out. What a client was told is kept is sent, once and in order; what the network was told is kept
// is read, once and in order; what the client has acknowledged is never offered again (F4, F15).
func TestCrashes(t *testing.T) {
	wanted := 1000
	if testing.Short() {
		wanted = 100
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		w := newCrashWorld(t, rand.New(rand.NewPCG(seed, 0)))
		defer func() { w.stop() }()
		crashes := map[string]int{}
		for total := 0; total < wanted; w.round++ {
			if w.round > 4*wanted {
				t.Fatalf("only %d crashes in %d rounds: %v", total, w.round, crashes)
			}
			point := points[w.random.IntN(len(points))]
			if w.play(point, 1+w.random.IntN(3)) {
				crashes[point]++
				total++
			}
		}
		w.judge()
		t.Logf("%d rounds, crashes: %v; %d messages out, %d in; sent again with the same id: %d",
			w.round, crashes, len(w.kept), len(w.written), w.XMPP.Counts().Repeated)
		for _, p := range points {
			if crashes[p] == 0 && !testing.Short() { // of a hundred, chance may leave one out
				t.Errorf("no crash %s", p)
			}
		}
	})
}

// A crashWorld is a server that dies again and again, one user's client, and what both sides were promised.
type crashWorld struct {
	*presencetest.Bed
	random *rand.Rand
	round  int
	life   *life
	stop   func() // ends the running server
	server *presence.Server
	token  string

	kept    []string // ids that SEND said OK to, in order
	written []string // bodies that were written to the user
	read    []string // bodies that were fetched
	seen    int64    // number of the last of them
	acked   int64    // up to where ACK said OK
}

func newCrashWorld(t *testing.T, random *rand.Rand) *crashWorld {
	w := &crashWorld{Bed: presencetest.Prepare(t), random: random, stop: func() {}}
	w.start("", 0)
	client := w.connect()
	reply, err := client.Login(t.Context(), wire.LoginRequest{User: presencetest.Ana, PIN: presencetest.AnaPIN})
	if err != nil {
		t.Fatal(err)
	}
	w.token = reply.Session
	w.Online(1)
	client.Close()
	return w
}

// start begins a server that dies at the nth time it comes to the point; the one before is gone first.
func (w *crashWorld) start(point string, nth int) {
	w.stop()
	w.life = &life{point: point, left: nth, died: make(chan struct{})}
	w.server = &presence.Server{
		Name: "ps1", Addr: "hark://127.0.0.1:7778", Sessions: mortalStore{w.Store, w.life}, Accounts: w.Accounts,
		Services: map[string]im.Service{im.XMPP: mortalService{w.XMPP, w.life}, im.Hark: &presencetest.Local{Store: w.Store, Accounts: w.Accounts}},
		Secret:   []byte("shared"), SendEvery: -1, Retention: sessions.Retention{Count: 1_000_000, Bytes: 1 << 40},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	server := w.server
	go func() { defer close(done); _ = server.Run(ctx) }() // a dead one ends with errors
	w.stop = func() { cancel(); <-done }
}

// play is one round: messages come, the client reads and acknowledges them, and sends some; whatever fails is done
// again, at the next server if this one died. It tells whether it did.
func (w *crashWorld) play(point string, nth int) bool {
	w.start(point, nth)
	first := w.life
	for i := range 3 {
		body := fmt.Sprintf("in-%05d-%d", w.round, i)
		w.written = append(w.written, body)
		w.XMPP.Deliver("ben@x", presencetest.AnaID, body)
		w.sendUntilKept(fmt.Sprintf("out-%05d-%d", w.round, i))
		w.readOn()
	}
	return first.isDead()
}

// sendUntilKept sends a message until the server says that it is kept.
func (w *crashWorld) sendUntilKept(id string) {
	w.untilOK("SEND", func(c *presence.Client) error {
		_, err := c.Send(w.Context(), wire.SendRequest{ID: id, To: xmpp("ben@x"), Body: "text of " + id})
		return err
	})
	w.kept = append(w.kept, id)
}

// readOn reads and acknowledges what is new.
func (w *crashWorld) readOn() {
	w.untilOK("FETCH and ACK", func(c *presence.Client) error {
		reply, err := c.Fetch(w.Context(), wire.FetchRequest{New: true, Max: 100})
		if err != nil || len(reply.Messages) == 0 {
			return err
		}
		if first := reply.Messages[0].Seq; first <= w.acked {
			w.Fatalf("round %d: message %d is offered again though %d was acknowledged", w.round, first, w.acked)
		}
		for _, m := range reply.Messages {
			if m.Seq > w.seen { // else it was read, and its acknowledgement did not arrive
				w.seen = m.Seq
				w.read = append(w.read, m.Body)
			}
		}
		if err := c.Ack(w.Context(), w.seen); err != nil {
			return err
		}
		w.acked = w.seen
		return nil
	})
}

// untilOK does something in the session, with a new connection and if need be a new server each time it fails.
func (w *crashWorld) untilOK(what string, do func(*presence.Client) error) {
	for range 200 {
		err := w.once(do)
		if err == nil {
			return
		}
		if w.life.isDead() {
			w.start("dead before", 0)
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.Fatalf("round %d: %s never succeeds", w.round, what)
}

func (w *crashWorld) once(do func(*presence.Client) error) error {
	client := w.connect()
	if client == nil {
		return errDead
	}
	defer client.Close()
	if _, err := client.Resume(w.Context(), wire.ResumeRequest{Session: w.token}); err != nil {
		return err
	}
	return do(client)
}

// connect connects to the running server; the connection ends with the server's life. nil when it is dead.
func (w *crashWorld) connect() *presence.Client {
	conn, err := w.server.Pipe(w.Context())
	if err != nil {
		return nil
	}
	w.life.cutAtDeath(conn)
	client, err := presence.NewClient(conn, nil)
	if err != nil {
		return nil
	}
	return client
}

// judge compares both sides' promises with what became of them.
func (w *crashWorld) judge() {
	w.start("", 0)
	w.Until("everything is sent", func() bool { return len(w.XMPP.Received()) >= len(w.kept) })
	w.Until("everything is acknowledged at the network", func() bool { return w.XMPP.Counts().Unacked == 0 })
	w.readOn()
	var sent []string
	for _, m := range w.XMPP.Received() {
		sent = append(sent, m.ID)
	}
	if !slices.Equal(sent, w.kept) {
		w.Errorf("kept %d messages, the network has %d: %v", len(w.kept), len(sent), firstDifference(w.kept, sent))
	}
	if !slices.Equal(w.read, w.written) {
		w.Errorf("written %d messages, read %d: %v", len(w.written), len(w.read), firstDifference(w.written, w.read))
	}
}

func firstDifference(want, got []string) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("at %d: want %s, got %s", i, want[i], got[i])
		}
	}
	return "one is longer"
}

// errDead is what everything fails with in a server that has died: it can do nothing any more. It is the store's fence,
// which makes what is left of the server go away.
var errDead = fmt.Errorf("dead: %w", sessions.ErrFenced)

// A life ends at a point; from then on nothing that the server does has any effect.
type life struct {
	point string
	died  chan struct{}

	mu    sync.Mutex
	left  int
	dead  bool
	conns []net.Conn
}

// at is called wherever the server comes to a point.
func (l *life) at(point string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dead && point == l.point {
		if l.left--; l.left == 0 {
			l.dead = true
			close(l.died)
			for _, c := range l.conns {
				c.Close()
			}
		}
	}
	if l.dead {
		return errDead
	}
	return nil
}

func (l *life) isDead() bool { return l.at("") != nil }

func (l *life) cutAtDeath(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c)
	if l.dead {
		c.Close()
	}
}

// around does something between two points.
func (l *life) around(what string, do func() error) error {
	if err := l.at("before " + what); err != nil {
		return err
	}
	return errors.Join(do(), l.at("after "+what))
}
