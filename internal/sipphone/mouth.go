package sipphone

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

const (
	tick         = 20 * time.Millisecond
	frameSamples = int(Rate * tick / time.Second)
	maxCatchUp   = 10 // ticks that are sent at once after the process was held up
)

// An utterance is something to send: sound, or keys.
type utterance struct {
	ctx   context.Context // breaks it off
	audio []byte
	keys  []byte
	step  int // ticks into the current key
	done  chan struct{}
}

// mouth sends RTP in real time. Only its own goroutine touches the fields below queue, once run has begun.
type mouth struct {
	queue chan *utterance

	conn    *net.UDPConn
	to      netip.AddrPort
	law     law
	quiet   bool
	keys    uint8 // payload type of telephone-event
	header  rtp.Header
	keyTime uint32       // the timestamp of the key that is held
	letGo   atomic.Int64 // when the last key was, in Unix nanoseconds
	current *utterance
	packet  [12 + frameSamples]byte
	frame   [frameSamples]byte
}

func newMouth(conn *net.UDPConn, l law, quiet bool) *mouth {
	return &mouth{
		queue: make(chan *utterance), conn: conn, law: l, quiet: quiet,
		header: rtp.Header{Version: 2, SSRC: rand.Uint32(), SequenceNumber: uint16(rand.Uint32()), Timestamp: rand.Uint32()},
	}
}

// connect tells where to send. It comes before run.
func (m *mouth) connect(to netip.AddrPort, keys uint8) { m.to, m.keys = to, keys }

// run sends until the call ends.
func (m *mouth) run(ctx context.Context) {
	m.header.Marker = true
	if m.quiet { // one packet, by which the other side knows that it is heard
		m.speakSilence()
	}
	for {
		if m.quiet && !m.await(ctx) {
			return
		}
		say := m.spurt
		if m.quiet && m.keying() {
			say = m.keysAlone
		}
		if !say(ctx) {
			return
		}
	}
}

// await waits for something to say, in silence; the timestamp goes on as the time does.
func (m *mouth) await(ctx context.Context) bool {
	from := time.Now()
	select {
	case m.current = <-m.queue:
		m.header.Timestamp += uint32(time.Since(from) / tick * time.Duration(frameSamples))
		m.header.Marker = true
		return true
	case <-ctx.Done():
		return false
	}
}

// keysAlone sends the keys of the current utterance, of each its beginning and its end, and sleeps between them. false
// says that the call is over.
func (m *mouth) keysAlone(ctx context.Context) bool {
	u := m.current
	for len(u.keys) > 0 && u.ctx.Err() == nil {
		key := u.keys[0]
		u.keys = u.keys[1:]
		if key == pauseEvent {
			if !m.sleep(ctx, pauseTicks) {
				return false
			}
			continue
		}
		m.keyTime, m.header.Marker = m.header.Timestamp, true
		m.sendKey(key, false, 1)
		if !m.sleep(ctx, keyHeld) {
			return false
		}
		m.letGo.Store(time.Now().UnixNano())
		m.sendKey(key, true, keyHeld)
		if !m.sleep(ctx, keyEnds+keyGap) {
			return false
		}
	}
	close(u.done)
	m.current = nil
	return true
}

// sleep lets so many ticks pass in silence.
func (m *mouth) sleep(ctx context.Context, ticks int) bool {
	timer := time.NewTimer(time.Duration(ticks) * tick)
	defer timer.Stop()
	m.header.Timestamp += uint32(ticks * frameSamples)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// spurt sends a packet each tick, until there is nothing more to say (when quiet) or the call ends.
func (m *mouth) spurt(ctx context.Context) bool {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for from, sent := time.Now(), 0; ; {
		for due := int(time.Since(from)/tick) + 1; sent < due; sent++ {
			if due-sent > maxCatchUp {
				sent = due - maxCatchUp
			}
			if m.keying() {
				sent = due - 1 // keys in a burst are lost: the switch needs to see the gaps between them
			}
			if !m.tick() && m.quiet {
				return true
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false
		}
	}
}

// keying tells whether keys are being sent.
func (m *mouth) keying() bool { return m.current != nil && len(m.current.keys) > 0 }

// tick sends what belongs to the next 20 ms, and tells whether it was more than silence.
func (m *mouth) tick() bool {
	defer func() { m.header.Timestamp += uint32(frameSamples) }()
	u := m.next()
	switch {
	case u == nil:
		m.silence()
		return false
	case len(u.keys) > 0:
		m.key(u)
	default:
		m.sound(u)
	}
	return true
}

// next is what is being said now, or nil.
func (m *mouth) next() *utterance {
	for {
		if m.current == nil {
			if m.quiet {
				return nil // await takes the next one
			}
			select {
			case m.current = <-m.queue:
			default:
				return nil
			}
		}
		u := m.current
		if (len(u.keys) > 0 || len(u.audio) > 0) && (u.ctx.Err() == nil || u.step > 0) {
			return u
		}
		close(u.done)
		m.current = nil
	}
}

func (m *mouth) silence() {
	if !m.quiet {
		m.speakSilence()
	}
}

func (m *mouth) speakSilence() {
	for i := range m.frame {
		m.frame[i] = m.law.silence
	}
	m.send(m.law.payload, m.header.Timestamp, m.frame[:])
}

func (m *mouth) sound(u *utterance) {
	n := copy(m.frame[:], u.audio)
	u.audio = u.audio[n:]
	for i := n; i < len(m.frame); i++ {
		m.frame[i] = m.law.silence
	}
	m.send(m.law.payload, m.header.Timestamp, m.frame[:])
}

// key sends the next packet of the key that is first in u.
func (m *mouth) key(u *utterance) {
	last := keyHeld + keyEnds + keyGap
	switch {
	case u.keys[0] == pauseEvent:
		m.silence()
		last = pauseTicks
	case u.step >= keyHeld+keyEnds:
		m.silence()
	default:
		if u.step == 0 {
			m.keyTime, m.header.Marker = m.header.Timestamp, true
		}
		if u.step == keyHeld {
			m.letGo.Store(time.Now().UnixNano())
		}
		m.sendKey(u.keys[0], u.step >= keyHeld, min(u.step+1, keyHeld))
	}
	if u.step++; u.step == last {
		u.keys, u.step = u.keys[1:], 0
	}
}

// sendKey sends one packet of a key that is held, or ends, after so many ticks.
func (m *mouth) sendKey(key byte, end bool, held int) {
	keyEvent(m.frame[:], key, end, uint16(held*frameSamples))
	m.send(m.keys, m.keyTime, m.frame[:4])
}

// send sends one packet. An error is the network's matter: the other side sees a lost packet.
func (m *mouth) send(payload uint8, timestamp uint32, body []byte) {
	h := m.header
	h.PayloadType, h.Timestamp = payload, timestamp
	n, err := h.MarshalTo(m.packet[:])
	if err != nil {
		return
	}
	n += copy(m.packet[n:], body)
	_, _ = m.conn.WriteToUDPAddrPort(m.packet[:n], m.to)
	m.header.SequenceNumber++
	m.header.Marker = false
}
