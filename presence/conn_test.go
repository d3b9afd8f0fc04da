package presence_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// TestConversations plays testdata/wire/*.txt: lines "C: " are sent, lines "S: " are awaited, "S: closed" is the end of
// the connection, "N: from | text" has somebody write to Ana. In an awaited line <…> stands for anything, and <name>
// remembered from it stands for the same in later lines that the client sends. SERVICE events are passed over.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d conversations, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			play(t, string(script))
		})
	}
}

func play(t *testing.T, script string) {
	b := presencetest.New(t)
	conn, err := b.Server.Pipe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	reader := bufio.NewReader(conn)
	known := map[string]string{}
	for n, line := range strings.Split(script, "\n") {
		what, rest, _ := strings.Cut(line, ": ")
		switch what {
		case "C":
			for name, value := range known {
				rest = strings.ReplaceAll(rest, "<"+name+">", value)
			}
			if strings.HasPrefix(rest, "long ") {
				rest += strings.Repeat("x", wire.MaxFrame)
			}
			if _, err := conn.Write([]byte(rest + "\r\n")); err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
		case "N":
			from, text, _ := strings.Cut(rest, " | ")
			b.Online(1)
			b.XMPP.Deliver(from, presencetest.AnaID, text)
		case "S":
			match(t, n+1, rest, nextLine(reader), known)
		default:
			if strings.Trim(line, " ") != "" && !strings.HasPrefix(line, "#") {
				t.Fatalf("line %d: what is %q?", n+1, line)
			}
		}
	}
}

// nextLine is the server's next line but for SERVICE, whose time is the network's.
func nextLine(reader *bufio.Reader) string {
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return "closed"
		}
		if !strings.HasPrefix(line, "* SERVICE ") {
			return strings.TrimSuffix(line, "\r\n")
		}
	}
}

var placeholder = regexp.MustCompile(`<[a-z…]+>`)

// match compares a line with a pattern and remembers what the names in it stand for.
func match(t *testing.T, n int, pattern, got string, known map[string]string) {
	t.Helper()
	var names []string
	expr := "^"
	for {
		at := placeholder.FindStringIndex(pattern)
		if at == nil {
			break
		}
		expr += regexp.QuoteMeta(pattern[:at[0]]) + "(.*?)"
		names = append(names, strings.Trim(pattern[at[0]:at[1]], "<>"))
		pattern = pattern[at[1]:]
	}
	values := regexp.MustCompile(expr + regexp.QuoteMeta(pattern) + "$").FindStringSubmatch(got)
	if values == nil {
		t.Fatalf("line %d: the server said %q", n, got)
	}
	for i, name := range names {
		known[name] = values[i+1]
	}
}

// raw connects without a Client.
func raw(t testing.TB, s *presence.Server) net.Conn {
	t.Helper()
	conn, err := s.Pipe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// A silent client is asked for a sign of life after 30 s, and is gone after 90 s; its session stays. A Client gives
// the sign.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		lively, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		conn := raw(t, b.Server)
		begun := time.Now()
		reader := wire.NewReader(conn)
		var asked []time.Duration
		for {
			line, err := reader.Line()
			if err != nil {
				break
			}
			switch {
			case strings.HasPrefix(string(line), "* PING"):
				asked = append(asked, time.Since(begun))
			case strings.HasPrefix(string(line), "* HELLO"):
				fmt.Fprintf(conn, "a LOGIN {\"user\":%q,\"pin\":%q}\r\n", presencetest.Ben, presencetest.BenPIN)
			}
		}
		if len(asked) < 2 || asked[0] != 30*time.Second || asked[1] != 60*time.Second {
			t.Errorf("asked after %s", asked)
		}
		if gone := time.Since(begun); gone != 90*time.Second {
			t.Errorf("gone after %s", gone)
		}
		time.Sleep(24 * time.Hour)
		if err := lively.Ping(t.Context()); err != nil {
			t.Errorf("the one that answers: %v", err)
		}
		if s := b.Server.Stats(); s.Sessions != 2 || s.Clients != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A hundred clients that do not read are detached 10 s after their queues are full, and nobody is slowed by them (F12).
func TestClientsThatDoNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		reading, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		const deaf = 100
		for range deaf {
			logInDeaf(t, b)
		}
		b.XMPP.Tell(presencetest.AnaID, im.Presence{From: xmpp("ben@x"), Show: im.Away})
		synctest.Wait()
		begun := time.Now()
		text := strings.Repeat("x", 400)
		for range 1000 {
			b.XMPP.Tell(presencetest.AnaID, im.Presence{From: xmpp("ben@x"), Show: im.Busy, Text: text})
			b.XMPP.Deliver("ben@x", presencetest.AnaID, "hello")
		}
		waitFor(t, reading, 1000)
		if n := b.Server.Stats().Clients; n != 1+deaf || time.Since(begun) != 0 {
			t.Errorf("after %s there are %d clients", time.Since(begun), n)
		}
		time.Sleep(10*time.Second - time.Millisecond)
		if n := b.Server.Stats().Clients; n != 1+deaf {
			t.Errorf("%d clients before the time", n)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if n := b.Server.Stats().Clients; n != 1 {
			t.Errorf("%d clients after it", n)
		}
		if err := reading.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// logInDeaf logs Ana in on a connection from which nobody reads afterwards.
func logInDeaf(t testing.TB, b *presencetest.Bed) {
	t.Helper()
	conn := raw(t, b.Server)
	reader := wire.NewReader(conn)
	if _, err := reader.Line(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "a LOGIN {\"user\":%q,\"pin\":%q}\r\n", presencetest.Ana, presencetest.AnaPIN)
	for line := []byte(nil); !strings.HasPrefix(string(line), "a OK"); {
		var err error
		if line, err = reader.Line(); err != nil {
			t.Fatal(err)
		}
	}
}

// A hundred clients come and go, some in the middle of a line; none of their goroutines stays (TestMain looks).
func TestHundredConnects(t *testing.T) {
	b := presencetest.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Server.Serve(t.Context(), l) }()
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			switch i % 4 {
			case 0:
			case 1:
				conn.Write([]byte("a1 LOGIN {\"user"))
			case 2:
				conn.Write([]byte("a1 PING\r\na2 PING\r\n"))
			case 3:
				fmt.Fprintf(conn, "a LOGIN {\"user\":%q,\"pin\":%q}\r\n", presencetest.Ana, presencetest.AnaPIN)
				bufio.NewReader(conn).ReadString('\n')
			}
		})
	}
	all.Wait()
	b.Until("all gone", func() bool { return b.Server.Stats().Clients == 0 })
	b.Stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// So many clients of other processes are served at once; however many there are, the doors of this process are served.
func TestTooManyConnections(t *testing.T) {
	b := presencetest.Prepare(t)
	b.Adjust = func(s *presence.Server) { s.MaxClients = 1 }
	b.Start()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go b.Server.Serve(t.Context(), l)
	dial := func() (*presence.Client, error) {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return presence.NewClient(conn, nil)
	}
	first, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(); !presence.HasCode(err, wire.TryLater) {
		t.Errorf("the second of other processes: %v", err)
	}
	b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	first.Close()
	b.Until("another one is served", func() bool {
		next, err := dial()
		if err == nil {
			next.Close()
		}
		return err == nil
	})
}

// A listener that fails is told about.
func TestServeFails(t *testing.T) {
	b := presencetest.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := b.Server.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}
