package fastagi

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hark/internal/wav"
	"hark/ivr/linetest"
)

// A peer plays Asterisk's part of AGI on a pipe, with Asterisk's ways: one command at a time; keys are dropped while none
// runs; another command ends STREAM FILE without a reply; a reply comes before the file is closed.
type peer struct {
	conn   net.Conn
	in     chan string        // commands, as they arrive
	events chan string        // "5": a key; "hangup", "silence", "limit"
	over   chan struct{}      // closed when the connection has ended
	length map[string]float64 // of the files that are there, in seconds
	spoken time.Duration      // what goes into a recording
	silent bool               // it does not answer any more
	ahead  int                // how many commands it reads without noticing them while it plays
	unseen []string           // those
	odd    map[string]string  // replies in place of the right ones, by the first word

	mu       sync.Mutex
	commands []string
}

// dialPeer makes a call whose environment says what is given, and more.
func (h *hall) dialPeer(environment ...string) *peer {
	near, far := net.Pipe()
	p := &peer{
		conn: far, in: make(chan string), events: make(chan string), over: make(chan struct{}),
		length: map[string]float64{"/s/one": 1, "/s/two": 2}, spoken: 3 * time.Second, odd: map[string]string{},
	}
	go p.read()
	go p.run(environment)
	h.incoming <- near
	return p
}

func (p *peer) read() {
	lines := bufio.NewScanner(p.conn)
	for lines.Scan() {
		p.mu.Lock()
		p.commands = append(p.commands, lines.Text())
		p.mu.Unlock()
		p.in <- lines.Text()
	}
	close(p.over)
}

// asked are the commands so far that begin with a word.
func (p *peer) asked(word string) (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.commands {
		if strings.HasPrefix(c, word) {
			list = append(list, c)
		}
	}
	return list
}

func (p *peer) say(format string, args ...any) { fmt.Fprintf(p.conn, format, args...) }

func (p *peer) run(environment []string) {
	p.say("agi_network: yes\nagi_uniqueid: 1.2\nagi_callerid: 5551234\nagi_extension: 7000\n%s\n\n", strings.Join(environment, "\n"))
	for {
		select {
		case line := <-p.in:
			p.command(line)
		case e := <-p.events:
			if e == "hangup" {
				p.say("HANGUP\n")
			}
		case <-p.over:
			return
		}
	}
}

// command does what a line says, and before it what was read without being noticed.
func (p *peer) command(line string) {
	for len(p.unseen) > 0 {
		first := p.unseen[0]
		p.unseen = p.unseen[1:]
		p.command(first)
	}
	word, _, _ := strings.Cut(line, " ")
	if reply, ok := p.odd[word]; ok {
		p.say("%s", reply)
		return
	}
	switch {
	case p.silent:
	case word == "STREAM":
		p.stream(line)
	case word == "RECORD":
		p.record(line)
	case strings.HasPrefix(line, "GET FULL VARIABLE "):
		p.say("200 result=1 (%s)\n", line[len("GET FULL VARIABLE "):])
	case word == "GET":
		p.say("200 result=0\n")
	case word == "HANGUP":
		p.say("200 result=1\nHANGUP\n") // in one segment
	case word == "CHANNEL":
		p.say("200 result=6\n")
	default:
		p.say("200 result=0\n")
	}
}

func (p *peer) stream(line string) {
	words := strings.Fields(line)
	path, keys := strings.Trim(words[2], `"`), strings.Trim(words[3], `"`)
	from, _ := strconv.Atoi(words[4])
	seconds, there := p.length[path]
	if strings.HasSuffix(path, "/hark-silence") {
		seconds, there = silenceLength.Seconds(), true
	}
	if !there {
		p.say("200 result=-1 endpos=0\n")
		return
	}
	began, all := time.Now(), int(seconds*samplesPerSecond)
	at := func() int { return min(all, from+int(time.Since(began)*samplesPerSecond/time.Second)) }
	end := time.After(time.Duration(all-from) * time.Second / samplesPerSecond)
	var ahead []string
	for {
		select {
		case next := <-p.in:
			if ahead = append(ahead, next); len(ahead) <= p.ahead {
				continue
			}
			p.unseen = ahead[:len(ahead)-1]
			p.command(next)
			return
		case e := <-p.events:
			switch {
			case e == "hangup":
				p.say("200 result=-1 endpos=%d\nHANGUP\n", at())
				return
			case strings.Contains(keys, e):
				p.say("200 result=%d endpos=%d\n", e[0], at())
				return
			}
		case <-end:
			p.unseen = ahead
			p.say("200 result=0 endpos=%d\n", all)
			return
		case <-p.over:
			return
		}
	}
}

func (p *peer) record(line string) {
	words := strings.Fields(line)
	path, ends := strings.Trim(words[2], `"`)+".wav", strings.Trim(words[4], `"`)
	file := wav.Encode(wav.Sound{Rate: 8000, Samples: make([]int16, samplesIn(p.spoken))})
	closed := file
	open := append([]byte(nil), file...)
	copy(open[40:44], []byte{0, 0, 0, 0}) // as long as it is written to
	os.WriteFile(path, open, 0o600)
	for {
		select {
		case e := <-p.events:
			switch {
			case e == "hangup":
				p.say("200 result=-1 (hangup) endpos=1\n")
				os.WriteFile(path, closed, 0o600)
				p.say("HANGUP\n")
				return
			case e == "silence", e == "limit":
				p.say("200 result=15 (timeout) endpos=1\n")
			case strings.Contains(ends, e):
				p.say("200 result=%d (dtmf) endpos=1\n", e[0])
			default:
				continue
			}
			os.WriteFile(path, closed, 0o600)
			return
		case <-p.over:
			return
		}
	}
}

// press presses keys a tenth of a second after each other.
func (p *peer) press(keys string) {
	for _, key := range keys {
		time.Sleep(100 * time.Millisecond)
		p.events <- string(key)
	}
}

// A hall is a Server on which peers call, in virtual time.
type hall struct {
	*testing.T
	server   *Server
	incoming chan net.Conn
	lines    chan *call
	stop     context.CancelFunc
	stopped  chan error
}

// inHall runs a test with a Server whose calls are given to it.
func inHall(t *testing.T, f func(h *hall)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &hall{T: t, incoming: make(chan net.Conn), stopped: make(chan error, 1)}
		site := &site{calls: make(chan *call)}
		h.lines = site.calls
		h.server = &Server{Nonce: theNonce, Listener: pipes{h.incoming, make(chan struct{}), &sync.Once{}}, Recordings: t.TempDir(), TempDir: t.TempDir(), Handle: site.handle}
		ctx, stop := context.WithCancel(t.Context())
		h.stop = stop
		go func() { h.stopped <- h.server.Run(ctx) }()
		f(h)
		stop()
		if err := <-h.stopped; err != nil {
			t.Error(err)
		}
		h.stopped <- nil
	})
}

// call makes a call that is answered.
func (h *hall) call() (*peer, *call) {
	h.Helper()
	p := h.dialPeer("agi_arg_1: " + theNonce)
	c := <-h.lines
	if _, err := linetest.Later(c.Jobs, func() (int, error) { return 0, c.Answer(c.ctx) })(); err != nil {
		h.Fatal(err)
	}
	return p, c
}

// pipes is a listener for connections in memory.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
	once     *sync.Once
}

func (l pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-l.incoming:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
