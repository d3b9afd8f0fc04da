package sipphone

import (
	"encoding/binary"
	"net"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// reanchor is how far the sender's clock may be from ours before its timestamps are counted anew.
const reanchor = 400 * time.Millisecond

// ear receives RTP and lays each packet where it belongs in time.
type ear struct {
	law  law
	deaf bool
	max  int // samples

	mu      sync.Mutex // guards what follows
	zero    time.Time  // the start of the call
	keys    uint8      // payload type of telephone-event
	heard   []int16
	stats   CallStats
	answer  time.Time // of the call
	last    time.Time // arrival of the last sound packet
	ssrc    uint32
	seq     uint16 // of the newest packet
	base    int    // position of the packet with timestamp baseTS
	baseTS  uint32
	begun   bool
	pressd  []byte
	keyTime uint32
	keySSRC uint32
}

func newEar(l law, o Options) *ear {
	return &ear{law: l, deaf: o.Deaf, max: int(o.MaxHeard * Rate / time.Second), stats: CallStats{FirstRTP: -1}, keys: keyPayload}
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

func (e *ear) setKeyPayload(n uint8) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = n
}

// listen reads until the socket is closed.
func (e *ear) listen(conn *net.UDPConn) {
	buf := make([]byte, 2048)
	var p rtp.Packet
	for {
		n, _, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if p.Unmarshal(buf[:n]) == nil {
			e.packet(time.Now(), &p)
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
	e.count(now, p)
	at := e.position(now, p)
	if e.deaf || at < 0 || at+len(p.Payload) > e.max {
		return
	}
	for more := at + len(p.Payload) - len(e.heard); more > 0; more-- {
		e.heard = append(e.heard, 0)
	}
	for i, b := range p.Payload {
		e.heard[at+i] = e.law.decoded[b]
	}
}

// count keeps the gap statistics. A packet that comes late fills its hole again.
func (e *ear) count(now time.Time, p *rtp.Packet) {
	ahead := int(int16(p.SequenceNumber - e.seq))
	switch {
	case !e.begun || p.SSRC != e.ssrc:
	case ahead <= 0:
		e.stats.Lost = max(0, e.stats.Lost-1)
		return
	case ahead < 1000:
		e.stats.Lost += ahead - 1
		if gap := now.Sub(e.last); !p.Marker {
			e.stats.LargestGap = max(e.stats.LargestGap, gap)
		}
	}
	e.seq, e.last = p.SequenceNumber, now
}

// position is where the packet belongs, in samples since the start. Timestamps tell, as long as they go with the clock.
func (e *ear) position(now time.Time, p *rtp.Packet) int {
	arrived := int(now.Sub(e.zero) * Rate / time.Second)
	at := e.base + int(int32(p.Timestamp-e.baseTS))
	limit := int(reanchor * Rate / time.Second)
	if !e.begun || p.SSRC != e.ssrc || at < arrived-limit || at > arrived+limit {
		e.begun, e.ssrc, e.base, e.baseTS = true, p.SSRC, arrived, p.Timestamp
		return arrived
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

// since returns a copy of what was heard from a position on.
func (e *ear) since(at int) []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]int16(nil), e.heard[min(at, len(e.heard)):]...)
}

// length is how many samples were heard.
func (e *ear) length() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.heard)
}
