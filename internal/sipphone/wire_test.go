package sipphone

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
)

func TestSDP(t *testing.T) {
	for _, addr := range []string{"192.0.2.7:4000", "[2001:db8::1]:65000"} {
		d, err := parseSDP(sdpText(netip.MustParseAddrPort(addr), payloadPCMA, 101))
		if err != nil || d != (description{addr: netip.MustParseAddrPort(addr), payload: payloadPCMA, keys: 101}) {
			t.Errorf("%+v, %v", d, err)
		}
	}
	tests := []struct {
		name, in string
		want     description
		bad      bool
	}{
		{name: "address of the media", in: "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 3 8 0 96\nc=IN IP4 192.0.2.2\na=rtpmap:96 Telephone-Event/8000\nm=video 1 RTP/AVP 0\nc=IN IP4 192.0.2.3",
			want: description{netip.MustParseAddrPort("192.0.2.2:4000"), payloadPCMA, 96}},
		{name: "no keys", in: "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0", want: description{netip.MustParseAddrPort("192.0.2.1:4000"), payloadPCMU, 0}},
		{name: "empty", bad: true},
		{name: "no audio", in: "c=IN IP4 192.0.2.1\nm=video 4000 RTP/AVP 0", bad: true},
		{name: "refused", in: "c=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0", bad: true},
		{name: "no codec", in: "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 9 101", bad: true},
		{name: "short", in: "c=IN IP4 192.0.2.1\nm=audio 4000", bad: true},
		{name: "no address", in: "m=audio 4000 RTP/AVP 0", bad: true},
		{name: "a name", in: "c=IN IP4 example.org\nm=audio 4000 RTP/AVP 0", bad: true},
		{name: "map", in: "c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=rtpmap:999 telephone-event/8000", bad: true},
	}
	for _, tt := range tests {
		d, err := parseSDP([]byte(strings.ReplaceAll(tt.in, "\n", "\r\n")))
		if (err != nil) != tt.bad || (!tt.bad && d != tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, d, err)
		}
	}
}

func FuzzSDP(f *testing.F) {
	f.Add(sdpText(netip.MustParseAddrPort("192.0.2.7:4000"), payloadPCMU, 101))
	f.Add([]byte("c=IN IP6 ::1\nm=audio 4000 RTP/AVP 8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseSDP(b)
		if err != nil {
			return
		}
		again, err := parseSDP(sdpText(d.addr, d.payload, d.keys))
		if err != nil || again != d {
			t.Errorf("%+v became %+v, %v", d, again, err)
		}
	})
}

// heardPacket is one packet of a test stream: its number, timestamp and when it comes, in ticks.
type heardPacket struct {
	seq, ts, at int
	marker      bool
	ssrc        uint32
}

// TestEar lays packets out in time. Packet n is full of the sample value that A-law knows as number n.
func TestEar(t *testing.T) {
	tests := []struct {
		name    string
		packets []heardPacket
		want    []int // which packet is heard in each tick; -1 is silence
		lost    int
		gap     int // ticks
	}{
		{"in order", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 1, ts: 1, at: 1}, {seq: 2, ts: 2, at: 2}}, []int{0, 1, 2}, 0, 1},
		{"swapped", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 2, ts: 2, at: 2}, {seq: 1, ts: 1, at: 3}}, []int{0, 1, 2}, 0, 2},
		{"twice", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 0, ts: 0, at: 0}, {seq: 1, ts: 1, at: 1}}, []int{0, 1}, 0, 1},
		{"lost", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 2, ts: 2, at: 2}}, []int{0, -1, 2}, 1, 2},
		{"jitter", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 1, ts: 1, at: 5}, {seq: 2, ts: 2, at: 5}}, []int{0, 1, 2}, 0, 5},
		{"wrap", []heardPacket{{seq: 65535, ts: -1, at: 0}, {seq: 65536, ts: 0, at: 1}}, []int{65535, 65536}, 0, 1},
		{"pause of the sender", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 1, ts: 3, at: 3, marker: true}}, []int{0, -1, -1, 1}, 0, 0},
		{"clock stands in a pause", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 1, ts: 1, at: 30, marker: true}},
			append(append([]int{0}, slices.Repeat([]int{-1}, 29)...), 1), 0, 0},
		{"hesitation", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 1, ts: 5, at: 5, marker: true}, {seq: 2, ts: 6, at: 6}}, []int{0, -1, -1, -1, -1, 1, 2}, 0, 1},
		{"another source", []heardPacket{{seq: 0, ts: 0, at: 0}, {seq: 500, ts: 77, at: 1, ssrc: 9}, {seq: 501, ts: 78, at: 2, ssrc: 9}}, []int{0, 500, 501}, 0, 1},
	}
	for _, tt := range tests {
		e := newEar(aLaw, Options{}.withDefaults())
		zero := time.Unix(1, 0)
		e.begin(zero)
		for _, p := range tt.packets {
			e.packet(zero.Add(time.Duration(p.at)*tick), &rtp.Packet{
				Header: rtp.Header{SequenceNumber: uint16(p.seq), Timestamp: uint32(p.ts * frameSamples), SSRC: p.ssrc,
					PayloadType: payloadPCMA, Marker: p.marker},
				Payload: slices.Repeat([]byte{byte(p.seq)}, frameSamples)})
		}
		var want []int16
		for _, n := range tt.want {
			var v int16
			if n >= 0 {
				v = aLaw.decoded[byte(n)]
			}
			want = append(want, slices.Repeat([]int16{v}, frameSamples)...)
		}
		if got := e.heard(); !slices.Equal(got, want) {
			t.Errorf("%s: heard %d samples, want %d, or others", tt.name, len(got), len(want))
		}
		if s := e.counted(); s.Lost != tt.lost || s.LargestGap != time.Duration(tt.gap)*tick {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

// TestFlow has a sender that hesitates twice and loses a packet: what it says stays in one piece.
func TestFlow(t *testing.T) {
	e := newEar(aLaw, Options{}.withDefaults())
	zero := time.Unix(1, 0)
	for _, p := range []heardPacket{{seq: 1, at: 2}, {seq: 2, at: 3}, {seq: 3, at: 8}, {seq: 5, at: 10}, {seq: 6, at: 90}} {
		e.packet(zero.Add(time.Duration(p.at)*tick), &rtp.Packet{
			Header:  rtp.Header{SequenceNumber: uint16(p.seq), Timestamp: uint32(p.at * frameSamples), PayloadType: payloadPCMA},
			Payload: slices.Repeat([]byte{byte(p.seq)}, frameSamples)})
		e.begin(zero) // the answer is seen late
	}
	flow := e.since(0)
	for i, want := range []int{1, 2, 3, -1, 5, 6} {
		v := int16(0)
		if want >= 0 {
			v = aLaw.decoded[want]
		}
		if len(flow) != 6*frameSamples || flow[i*frameSamples] != v {
			t.Fatalf("%d samples, packet %d is %d, want %d", len(flow), i, flow[i*frameSamples], v)
		}
	}
	for packet, ticks := range []int{0, 1, 6, 7, 8, 88} { // since the first packet
		if got := e.when(packet * frameSamples); got != time.Duration(ticks)*tick {
			t.Errorf("packet %d at %v, want tick %d", packet, got, ticks)
		}
	}
}

func TestEarIsBounded(t *testing.T) {
	e := newEar(muLaw, Options{MaxHeard: 50 * time.Millisecond})
	zero := time.Unix(1, 0)
	for i := range 100 {
		e.packet(zero.Add(time.Duration(i)*tick), &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(i * frameSamples)},
			Payload: make([]byte, frameSamples)})
	}
	if s := e.counted(); len(e.since(0)) != 2*frameSamples || s.Packets != 100 {
		t.Errorf("%d samples of %d packets", len(e.since(0)), s.Packets)
	}
	if len(e.since(1<<30)) != 0 {
		t.Error("the future was heard")
	}
}

func TestKeyPackets(t *testing.T) {
	e := newEar(muLaw, Options{}.withDefaults())
	send := func(ts uint32, body ...byte) {
		e.packet(time.Now(), &rtp.Packet{Header: rtp.Header{PayloadType: keyPayload, Timestamp: ts}, Payload: body})
	}
	send(1, 5, 10, 0, 160)
	send(1, 5, 0x8a, 3, 32)
	send(1, 5, 0x8a, 3, 32)
	send(2, 11, 0x8a, 3, 32) // the beginning was lost
	send(3, 99, 10, 0, 160)  // no key
	send(4, 7)               // cut off
	send(5, 7, 0x8a, 0, 0)   // never held
	if got := e.pressed(); got != "5#" {
		t.Errorf("%q", got)
	}
}

// TestNothingIsAllocated holds a packet each way to no allocation, but for what is kept of the sound.
func TestNothingIsAllocated(t *testing.T) {
	conn, err := listenUDP("")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	m := newMouth(conn, muLaw, false)
	m.connect(netip.MustParseAddrPort(conn.LocalAddr().String()), keyPayload)
	if n := testing.AllocsPerRun(100, func() { m.tick() }); n > 0 {
		t.Errorf("%v allocations to send", n)
	}
	e := newEar(muLaw, Options{Deaf: true}.withDefaults())
	packet := append([]byte(nil), m.packet[:]...)
	var p rtp.Packet
	if n := testing.AllocsPerRun(100, func() { _ = p.Unmarshal(packet); e.packet(time.Now(), &p) }); n > 0 {
		t.Errorf("%v allocations to receive", n)
	}
}
