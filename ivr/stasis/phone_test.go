package stasis

import (
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A phone is the caller of a test: it dials over SIP, sends and receives PCMU over RTP, and presses keys by RFC 4733. It
// knows when it heard what, which is what the tests are about.
type phone struct {
	t        testing.TB
	sip, rtp *net.UDPConn
	to, tag  string // of the dialogue
	id       string
	number   string
	cseq     int
	answered time.Time

	mu    sync.Mutex
	heard []packet
	pitch float64 // of what is spoken, 0 for silence
	keys  []byte  // to be pressed
	ended chan struct{}
	done  chan struct{}
	wg    sync.WaitGroup
}

// A packet is 20 ms of sound as it was received.
type packet struct {
	at   time.Time
	loud float64 // mean amplitude, 0 to 32767
	hz   float64
}

const frame = 20 * time.Millisecond

// dial calls a number and returns when it is answered, or fails the test.
func dial(t testing.TB, address, number, from string) *phone {
	t.Helper()
	p, status := tryDial(t, address, number, from)
	if status != "200" {
		t.Fatalf("calling %s: %s", number, status)
	}
	return p
}

// tryDial calls a number and returns the final status; the phone is nil when that is not 200.
func tryDial(t testing.TB, address, number, from string) (*phone, string) {
	t.Helper()
	p := &phone{t: t, number: number, cseq: 1, ended: make(chan struct{}), done: make(chan struct{})}
	p.sip, p.rtp = udp(t, address), udp(t, "")
	p.id = p.sip.LocalAddr().String()
	sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n", p.rtp.LocalAddr().(*net.UDPAddr).Port)
	invite := p.request("INVITE", from, sdp)
	status, answer := p.await(invite)
	if status != "200" {
		p.sip.Close()
		p.rtp.Close()
		return nil, status
	}
	p.answered = time.Now()
	p.to = header(answer, "To")
	fmt.Fprint(p.sip, p.request("ACK", from, ""))
	_, after, _ := strings.Cut(answer, "m=audio ")
	port, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	remote := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	p.wg.Go(func() { p.speak(remote) })
	p.wg.Go(p.listen)
	p.wg.Go(func() { p.signal(from) })
	t.Cleanup(func() { p.close() })
	return p, status
}

func udp(t testing.TB, address string) *net.UDPConn {
	t.Helper()
	if address == "" {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.UDPConn)
}

func (p *phone) request(method, from, body string) string {
	own, remote := p.sip.LocalAddr().String(), p.sip.RemoteAddr().String()
	to := p.to
	if to == "" {
		to = fmt.Sprintf("<sip:%s@%s>", p.number, remote)
	}
	return fmt.Sprintf("%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s%d%s\r\nFrom: <sip:%s@%s>;tag=1\r\n"+
		"To: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:%s@%s>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"+
		"Content-Length: %d\r\n\r\n%s", method, p.number, remote, own, method, p.cseq, p.id, from, own, to, p.id, p.cseq, method,
		from, own, len(body), body)
}

// await sends a request until its final answer comes.
func (p *phone) await(request string) (status, answer string) {
	p.t.Helper()
	buf := make([]byte, 65536)
	for range 20 {
		fmt.Fprint(p.sip, request)
		p.sip.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		for {
			n, err := p.sip.Read(buf)
			if err != nil {
				break
			}
			answer = string(buf[:n])
			if status = strings.Fields(answer)[1]; strings.HasPrefix(answer, "SIP/2.0 ") && status[0] != '1' {
				p.sip.SetReadDeadline(time.Time{})
				return status, answer
			}
			if status[0] == '1' {
				p.sip.SetReadDeadline(time.Now().Add(10 * time.Second))
			}
		}
	}
	return "none", ""
}

func header(message, name string) string {
	for line := range strings.Lines(message) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// signal answers Asterisk's own requests, of which a BYE ends the call.
func (p *phone) signal(from string) {
	buf := make([]byte, 65536)
	for {
		n, err := p.sip.Read(buf)
		if err != nil {
			return
		}
		message := string(buf[:n])
		if strings.HasPrefix(message, "SIP/2.0 ") {
			if strings.HasPrefix(message, "SIP/2.0 200") && strings.HasSuffix(header(message, "CSeq"), "INVITE") {
				fmt.Fprint(p.sip, p.request("ACK", from, ""))
			}
			continue
		}
		var reply strings.Builder
		reply.WriteString("SIP/2.0 200 OK\r\n")
		for _, h := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
			fmt.Fprintf(&reply, "%s: %s\r\n", h, header(message, h))
		}
		reply.WriteString("Content-Length: 0\r\n\r\n")
		fmt.Fprint(p.sip, reply.String())
		if strings.HasPrefix(message, "BYE ") {
			p.over()
		}
	}
}

func (p *phone) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
	default:
		close(p.ended)
	}
}

// hangup ends the call from the caller's side.
func (p *phone) hangup() {
	p.cseq++
	fmt.Fprint(p.sip, p.request("BYE", "1", ""))
	p.over()
}

func (p *phone) close() {
	select {
	case <-p.ended:
	default:
		p.hangup()
	}
	close(p.done)
	p.sip.Close()
	p.rtp.Close()
	p.wg.Wait()
}

// press queues keys; each takes 100 ms and 60 ms of rest.
func (p *phone) press(keys string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, keys...)
}

// say speaks a tone from now on; 0 is silence.
func (p *phone) say(hz float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pitch = hz
}

// speak sends a packet every 20 ms.
func (p *phone) speak(remote *net.UDPAddr) {
	tick := time.NewTicker(frame)
	defer tick.Stop()
	s := sender{rtp: p.rtp, remote: remote}
	for {
		p.mu.Lock()
		pitch, keys := p.pitch, p.keys
		p.keys = nil
		p.mu.Unlock()
		for _, key := range keys {
			for i := range 5 {
				s.event(key, i, false)
				<-tick.C
			}
			for range 3 {
				s.event(key, 5, true)
			}
			s.time += 5 * 160
			for range 3 {
				s.sound(0)
				<-tick.C
			}
		}
		s.sound(pitch)
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
	}
}

// A sender makes RTP packets.
type sender struct {
	rtp    *net.UDPConn
	remote *net.UDPAddr
	seq    uint16
	time   uint32
}

func (s *sender) packet(kind byte, time uint32, payload []byte) {
	b := []byte{0x80, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}
	binary.BigEndian.PutUint16(b[2:], s.seq)
	binary.BigEndian.PutUint32(b[4:], time)
	s.seq++
	s.rtp.WriteToUDP(append(b, payload...), s.remote) // a call that has ended has nobody to write to
}

func (s *sender) sound(hz float64) {
	payload := make([]byte, 160)
	for i := range payload {
		payload[i] = 0xff
		if hz > 0 {
			payload[i] = toULaw(int(12000 * math.Sin(2*math.Pi*hz*float64(int(s.time)+i)/8000)))
		}
	}
	s.packet(0, s.time, payload)
	s.time += 160
}

func (s *sender) event(key byte, i int, end bool) {
	code := byte(strings.IndexByte("0123456789*#ABCD", key))
	flags := byte(10)
	if end {
		flags |= 0x80
	}
	kind := byte(101)
	if i == 0 {
		kind |= 0x80
	}
	s.packet(kind, s.time, []byte{code, flags, byte((i + 1) * 160 >> 8), byte((i + 1) * 160)})
}

// listen notes every packet of sound.
func (p *phone) listen() {
	buf := make([]byte, 2048)
	for {
		n, err := p.rtp.Read(buf)
		if err != nil {
			return
		}
		at := time.Now()
		if n < 12+80 || buf[1]&0x7f != 0 {
			continue
		}
		loud, hz := measure(buf[12:n])
		p.mu.Lock()
		p.heard = append(p.heard, packet{at, loud, hz})
		p.mu.Unlock()
	}
}

// measure is how loud and how high some PCMU sound is.
func measure(payload []byte) (loud, hz float64) {
	crossings, last := 0, 0
	for _, b := range payload {
		v := fromULaw(b)
		loud += math.Abs(float64(v))
		if v != 0 && (v > 0) != (last > 0) {
			crossings, last = crossings+1, v
		}
	}
	return loud / float64(len(payload)), float64(crossings) / 2 * 8000 / float64(len(payload))
}

// sounds is what was heard up to now.
func (p *phone) sounds() []packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]packet(nil), p.heard...)
}

// hears waits for a tone, and returns when it began.
func (p *phone) hears(hz float64, after time.Time) time.Time {
	p.t.Helper()
	var at time.Time
	eventually(p.t, fmt.Sprintf("a tone of %v Hz", hz), func() bool {
		for _, s := range p.sounds() {
			if s.at.After(after) && s.loud > 500 && math.Abs(s.hz-hz) < 60 {
				at = s.at
				return true
			}
		}
		return false
	})
	return at
}

// hungUp waits until Asterisk ends the call.
func (p *phone) hungUp() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		p.t.Fatal("the call was not hung up")
	}
}

// eventually waits until ok, asking often, and fails the test after 15 s.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(15 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("it did not come: %s", what)
		}
	}
}

// toULaw and fromULaw are G.711.
func toULaw(v int) byte {
	sign := byte(0)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, 32635) + 132
	exponent := 7
	for mask := 0x4000; exponent > 0 && v&mask == 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent)<<4 | byte(v>>(exponent+3))&0x0f)
}

func fromULaw(b byte) int {
	b = ^b
	v := (int(b&0x0f)<<3+132)<<(b>>4&7) - 132
	if b&0x80 != 0 {
		return -v
	}
	return v
}
