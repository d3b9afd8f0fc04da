package sipphone

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"
	"golang.org/x/net/ipv4"
)

// reanchor is how far the sender's clock may be from ours before its timestamps are counted anew.
const reanchor = 400 * time.Millisecond

// maxLost is how many missing packets are believed; a larger jump of the numbers is a new beginning.
const maxLost = 250

// ear receives RTP. What it hears is kept as one flow of packets, in the order of their numbers and without the pauses
// of the sender, so that a clip is in one piece even when the sender hesitated in the middle of it; and beside it, where
// in time each run of the flow belongs.
type ear struct {
	law  law
	deaf bool
	lazy bool
	max  int                                 // samples
	tell func(at time.Time, samples []int16) // may be nil

	mu      sync.Mutex // guards what follows
	zero    time.Time  // the start of the call
	keys    uint8      // payload type of telephone-event
	flow    []int16
	runs    []run
	holes   map[uint16]int // lost packets, by number: where in the flow they belong
	stats   CallStats
	answer  time.Time // of the call
	last    time.Time // arrival of the last packet
	begun   bool
	ssrc    uint32
	seq     uint16 // of the newest packet
	base    int    // time of the packet with timestamp baseTS, in samples
	baseTS  uint32
	pressd  []byte
	keyTime uint32
	keySSRC uint32
}

// A run is a part of the flow without a pause: where it begins in the flow and in time, both in samples.
type run struct{ flow, time int }

func newEar(l law, o Options) *ear {
	return &ear{law: l, deaf: o.Deaf, lazy: o.Lazy, tell: o.Sound, max: int(o.MaxHeard * Rate / time.Second), stats: CallStats{FirstRTP: -1},
		keys: keyPayload, holes: map[uint16]int{}}
}

// begin sets the start of the call, unless a packet came before.
func (e *ear) begin(at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = at
	if e.zero.IsZero() {
		e.zero = at
	} else {
		e.stats.FirstRTP = 0
	}
}

func (e *ear) began() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.zero
}

func (e *ear) setKeyPayload(n uint8) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = n
}

// listen reads until the socket is closed.
func (e *ear) listen(conn *net.UDPConn) {
	buf := make([]byte, maxPacket)
	var p rtp.Packet
	for !e.lazy || e.counted().FirstRTP < 0 {
		n, _, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if p.Unmarshal(buf[:n]) == nil {
			e.packet(time.Now(), &p)
		}
	}
	e.listenLazily(conn)
}

const (
	maxPacket = 2048
	// lazyTime is how long a lazy ear lets packets wait in the socket, and lazyPackets how many it takes at once.
	lazyTime    = 160 * time.Millisecond
	lazyPackets = int(lazyTime / tick)
)

// listenLazily reads a few packets at a time. The sleep is short enough for the packets' timestamps to be believed.
func (e *ear) listenLazily(conn *net.UDPConn) {
	many := ipv4.NewPacketConn(conn)
	messages := make([]ipv4.Message, lazyPackets)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, 2*frameSamples)}
	}
	var p rtp.Packet
	for {
		n, err := many.ReadBatch(messages, 0)
		if err != nil {
			return
		}
		now := time.Now()
		for _, m := range messages[:n] {
			if p.Unmarshal(m.Buffers[0][:m.N]) == nil {
				e.packet(now, &p)
			}
		}
		if n < len(messages) {
			time.Sleep(lazyTime)
		}
	}
}

// packet takes one packet.
func (e *ear) packet(now time.Time, p *rtp.Packet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch p.PayloadType {
	case e.law.payload:
		e.sound(now, p)
	case e.keys:
		e.key(p)
		e.count(now, p)
	}
}

// sound counts a packet and keeps its samples.
func (e *ear) sound(now time.Time, p *rtp.Packet) {
	if e.zero.IsZero() {
		e.zero = now
	}
	if e.stats.FirstRTP < 0 && !e.answer.IsZero() {
		e.stats.FirstRTP = now.Sub(e.answer)
	}
	e.stats.Packets++
	time := e.time(now, p)
	lost := e.count(now, p)
	switch {
	case e.deaf:
	case lost < 0:
		e.fill(p)
	default:
		e.keep(p, time, lost)
	}
	if e.tell != nil && !e.deaf {
		samples := make([]int16, len(p.Payload))
		e.decode(samples, p.Payload)
		e.tell(now, samples)
	}
}

// count keeps the statistics. It returns how many packets are missing before this one, or -1 when it comes late.
func (e *ear) count(now time.Time, p *rtp.Packet) int {
	lost := int(int16(p.SequenceNumber-e.seq)) - 1
	switch {
	case !e.begun || p.SSRC != e.ssrc || lost > maxLost || lost < -maxLost:
		e.begun, e.ssrc, lost = true, p.SSRC, 0
		clear(e.holes)
	case lost < 0:
		return -1
	case !p.Marker && !e.lazy:
		e.stats.LargestGap = max(e.stats.LargestGap, now.Sub(e.last))
	}
	e.stats.Lost += lost
	e.seq, e.last = p.SequenceNumber, now
	return lost
}

// fill puts a late packet into its hole. One that has none came twice.
func (e *ear) fill(p *rtp.Packet) {
	at, ok := e.holes[p.SequenceNumber]
	if !ok {
		return
	}
	delete(e.holes, p.SequenceNumber)
	e.stats.Lost--
	e.decode(e.flow[at:min(at+len(p.Payload), len(e.flow))], p.Payload)
}

// keep appends a packet to the flow, behind silence for those that are missing.
func (e *ear) keep(p *rtp.Packet, time, lost int) {
	size := len(p.Payload)
	if len(e.flow)+(lost+1)*size > e.max {
		return
	}
	for n := lost; n > 0; n-- {
		e.holes[p.SequenceNumber-uint16(n)] = len(e.flow)
		e.flow = append(e.flow, make([]int16, size)...)
	}
	at := len(e.flow)
	if late := time - e.timeOf(at); late > 0 || len(e.runs) == 0 {
		e.runs = append(e.runs, run{at, max(time, 0)})
	}
	e.flow = slices.Grow(e.flow, size)[:at+size]
	e.decode(e.flow[at:], p.Payload)
}

func (e *ear) decode(out []int16, payload []byte) {
	for i := range out {
		out[i] = e.law.decoded[payload[i]]
	}
}

// time is when the packet is to be heard, in samples since the start. Timestamps tell, as long as they go with the clock.
func (e *ear) time(now time.Time, p *rtp.Packet) int {
	arrived := int(now.Sub(e.zero) * Rate / time.Second)
	at := e.base + int(int32(p.Timestamp-e.baseTS))
	limit := int(reanchor * Rate / time.Second)
	if !e.begun || p.SSRC != e.ssrc || at < arrived-limit || at > arrived+limit {
		e.base, e.baseTS = arrived, p.Timestamp
		return arrived
	}
	return at
}

// timeOf is when a place of the flow is to be heard, in samples since the start.
func (e *ear) timeOf(at int) int {
	for _, r := range slices.Backward(e.runs) {
		if r.flow <= at {
			return r.time + at - r.flow
		}
	}
	return at
}

// key takes an event packet. Packets of the same key have the same timestamp.
func (e *ear) key(p *rtp.Packet) {
	if len(p.Payload) < 4 || int(p.Payload[0]) >= len(keyNames) {
		return
	}
	if len(e.pressd) > 0 && p.Timestamp == e.keyTime && p.SSRC == e.keySSRC {
		return
	}
	if binary.BigEndian.Uint16(p.Payload[2:]) == 0 && p.Payload[1]&0x80 != 0 {
		return // an end without a beginning
	}
	e.keyTime, e.keySSRC = p.Timestamp, p.SSRC
	e.pressd = append(e.pressd, keyNames[p.Payload[0]])
}

func (e *ear) pressed() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return string(e.pressd)
}

func (e *ear) counted() CallStats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

// since returns a copy of the flow from a place on.
func (e *ear) since(at int) []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.flow[min(at, len(e.flow)):])
}

// when is the time at which a place of the flow was to be heard.
func (e *ear) when(at int) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Duration(e.timeOf(at)) * time.Second / Rate
}

// heard lays the flow out in time, with silence where nothing came in.
func (e *ear) heard() []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.runs) == 0 {
		return nil
	}
	out := make([]int16, min(e.max, e.timeOf(len(e.flow))))
	for i, r := range e.runs {
		end := len(e.flow)
		if i+1 < len(e.runs) {
			end = e.runs[i+1].flow
		}
		copy(out[min(r.time, len(out)):], e.flow[r.flow:end])
	}
	return out
}
