package presence_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// quiet makes a Bed for measuring.
func quiet(b *testing.B) *presencetest.Bed {
	bed := presencetest.Prepare(b)
	bed.Adjust = func(s *presence.Server) { s.Log = slog.New(slog.DiscardHandler) }
	bed.Start()
	return bed
}

// BenchmarkLogin is connecting, HELLO, LOGIN into a session that is open, and closing.
func BenchmarkLogin(b *testing.B) {
	bed := quiet(b)
	bed.Login(presencetest.Ana, presencetest.AnaPIN, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- bed.Server.Serve(b.Context(), l) }()
	for name, dialer := range map[string]*presence.Dialer{
		"pipe": bed.Dialer(), "tcp": {Home: "hark://" + l.Addr().String()},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				client, _, err := dialer.Login(b.Context(), wire.LoginRequest{User: presencetest.Ana, PIN: presencetest.AnaPIN})
				if err != nil {
					b.Fatal(err)
				}
				client.Close()
			}
		})
	}
	bed.Stop()
	<-served
}

// BenchmarkPing is one round trip on an open connection.
func BenchmarkPing(b *testing.B) {
	bed := quiet(b)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- bed.Server.Serve(b.Context(), l) }()
	for name, dial := range map[string]func(context.Context) (net.Conn, error){
		"pipe": bed.Server.Pipe,
		"tcp":  func(context.Context) (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) },
	} {
		b.Run(name, func(b *testing.B) {
			conn, err := dial(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			client, err := presence.NewClient(conn, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			for b.Loop() {
				if err := client.Ping(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bed.Stop()
	<-served
}

// BenchmarkExists is from the network's event to EXISTS at the client, the durable write in between.
func BenchmarkExists(b *testing.B) {
	bed := quiet(b)
	client, _ := bed.Login(presencetest.Ana, presencetest.AnaPIN, "")
	bed.Online(1)
	n := 0
	for b.Loop() {
		n++
		bed.XMPP.Deliver("ben@x", presencetest.AnaID, "hello")
		for next[wire.ExistsEvent](b, client, wire.Exists).Waiting < n {
		}
	}
}

// BenchmarkSessionMemory is the memory of one session object with one external login, without what the network's own
// connection takes.
func BenchmarkSessionMemory(b *testing.B) {
	for b.Loop() {
		const sessions = 1000
		bed := quiet(b)
		silent := &nothing{}
		bed.Server.Services[im.XMPP] = silent
		delete(bed.Server.Services, im.Hark)
		bed.Client()
		heap, stacks := memory()
		for i := range sessions {
			user := fmt.Sprint(5000000 + i)
			bed.Accounts.Set(user, presencetest.User{PIN: "1", Logins: []im.Account{{Network: im.XMPP, ID: user}}})
			c, _, err := bed.Dialer().Login(b.Context(), wire.LoginRequest{User: user, PIN: "1"})
			if err != nil {
				b.Fatal(err)
			}
			c.Close()
		}
		bed.Until("quiet", func() bool { return bed.Server.Stats() == presence.Stats{Clients: 1, Sessions: sessions} })
		nowHeap, nowStacks := memory()
		b.ReportMetric(float64(nowHeap-heap)/sessions, "heapB/session")
		b.ReportMetric(float64(nowStacks-stacks)/sessions, "stackB/session")
		bed.Stop()
	}
}

// memory is what is in use when the collector has shrunk what it can.
func memory() (heap, stacks uint64) {
	for range 10 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

// nothing is a network on which nothing happens.
type nothing struct{}

func (*nothing) Network() string { return im.XMPP }

func (n *nothing) Open(_ context.Context, _ im.Account, _ im.Resume, sink im.Sink) (im.Conn, error) {
	sink.Event(im.Event{Pos: 1, Body: im.Synced{}})
	return n, nil
}
func (*nothing) Send(context.Context, im.Outgoing) error        { return nil }
func (*nothing) SetPresence(context.Context, im.Presence) error { return nil }
func (*nothing) Ack(im.Position)                                {}
func (*nothing) Close(context.Context, im.CloseMode) error      { return nil }
func (*nothing) Resume() im.Resume                              { return nil }

// BenchmarkDeafClients is how long another client of the session waits for an answer while the session has much to tell,
// alone and beside a hundred clients that do not read (promise F12: p99 less than twice as long).
//
//	go test -run - -bench DeafClients -benchtime 2000x ./presence
func BenchmarkDeafClients(b *testing.B) {
	for _, deaf := range []int{0, 100} {
		b.Run(fmt.Sprint(deaf), func(b *testing.B) {
			bed := quiet(b)
			client, _ := bed.Login(presencetest.Ana, presencetest.AnaPIN, "")
			bed.Online(1)
			for range deaf {
				logInDeaf(b, bed)
			}
			text := strings.Repeat("x", 400)
			var took []time.Duration
			for b.Loop() {
				bed.XMPP.Tell(presencetest.AnaID, im.Presence{From: xmpp("ben@x"), Show: im.Busy, Text: text})
				begun := time.Now()
				if err := client.Ping(b.Context()); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			bed.Stop()
		})
	}
}
