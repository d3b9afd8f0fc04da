package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Ogg (RFC 3533): pages of at most 255 segments of at most 255 bytes; a packet ends with a segment shorter than that.

const (
	oggHeader = 27
	oggFirst  = 0x02 // first page of the stream
	oggLast   = 0x04 // last page of the stream
	oggCont   = 0x01 // the page begins in the middle of a packet
)

var errOgg = errors.New("audio: not a usable Ogg stream")

// oggWriter writes one logical stream into memory, a page at each call.
type oggWriter struct {
	buf    bytes.Buffer
	serial uint32
	page   uint32
}

// write makes one page of whole packets, whose segments must fit (255 of them).
func (w *oggWriter) write(flags byte, granule uint64, packets ...[]byte) error {
	var lacing, body []byte
	for _, p := range packets {
		for n := len(p); ; n -= 255 {
			lacing = append(lacing, byte(min(n, 255)))
			if n < 255 {
				break
			}
		}
		body = append(body, p...)
	}
	if len(lacing) > 255 {
		return fmt.Errorf("%w: %d segments on one page", errOgg, len(lacing))
	}
	if w.page == 0 {
		flags |= oggFirst
	}
	page := make([]byte, 0, oggHeader+len(lacing)+len(body))
	page = append(page, 'O', 'g', 'g', 'S', 0, flags)
	page = binary.LittleEndian.AppendUint64(page, granule)
	page = binary.LittleEndian.AppendUint32(page, w.serial)
	page = binary.LittleEndian.AppendUint32(page, w.page)
	page = append(page, 0, 0, 0, 0, byte(len(lacing)))
	page = append(append(page, lacing...), body...)
	binary.LittleEndian.PutUint32(page[22:], oggCRC(page))
	w.page++
	w.buf.Write(page)
	return nil
}

// oggPage is one page as it was read. The packets share memory with the input.
type oggPage struct {
	flags   byte
	granule uint64
	serial  uint32
	number  uint32
	packets [][]byte
}

// readOggPage takes the first page off b. It refuses what our own files never have: packets that go on over pages.
func readOggPage(b []byte) (p oggPage, rest []byte, err error) {
	if len(b) < oggHeader || string(b[:5]) != "OggS\x00" {
		return p, nil, fmt.Errorf("%w: no page where one must begin", errOgg)
	}
	le := binary.LittleEndian
	p = oggPage{flags: b[5], granule: le.Uint64(b[6:]), serial: le.Uint32(b[14:]), number: le.Uint32(b[18:])}
	size := oggHeader + int(b[26])
	if len(b) < size {
		return p, nil, fmt.Errorf("%w: a page longer than the file", errOgg)
	}
	lacing := b[oggHeader:size]
	for _, n := range lacing {
		size += int(n)
	}
	if len(b) < size {
		return p, nil, fmt.Errorf("%w: a page longer than the file", errOgg)
	}
	if oggCRC(b[:size]) != le.Uint32(b[22:]) {
		return p, nil, fmt.Errorf("%w: page %d has the wrong checksum", errOgg, p.number)
	}
	if p.flags&oggCont != 0 || len(lacing) > 0 && lacing[len(lacing)-1] == 255 {
		return p, nil, fmt.Errorf("%w: a packet over several pages", errOgg)
	}
	p.packets = splitLacing(lacing, b[oggHeader+len(lacing):size])
	return p, b[size:], nil
}

func splitLacing(lacing, body []byte) (packets [][]byte) {
	n := 0
	for _, v := range lacing {
		n += int(v)
		if v < 255 {
			packets = append(packets, body[:n:n])
			body, n = body[n:], 0
		}
	}
	return packets
}

// oggCRC is Ogg's checksum (polynomial 0x04c11db7, not reflected) with the checksum field taken as zero.
func oggCRC(page []byte) uint32 {
	var crc uint32
	for i, c := range page {
		if i >= 22 && i < 26 {
			c = 0
		}
		crc = crc<<8 ^ oggTable[byte(crc>>24)^c]
	}
	return crc
}

var oggTable = func() (t [256]uint32) {
	for i := range t {
		r := uint32(i) << 24
		for range 8 {
			r = r<<1 ^ 0x04c11db7*(r>>31)
		}
		t[i] = r
	}
	return t
}()
