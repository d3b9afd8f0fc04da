package sipphone

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// The shape of a key on the line (RFC 4733), in frames of 20 ms: six that say it is held, three that say it ended, and two
// of silence. That is a quick finger; a switch on a busy machine still tells one key from the next.
const (
	keyHeld    = 6
	keyEnds    = 3
	keyGap     = 2
	pauseTicks = 25 // half a second
	keyVolume  = 10 // dB below 0 dBm0
)

// keyNames are the keys in the order of their event numbers.
const keyNames = "0123456789*#ABCD"

// pauseEvent stands for a comma among events.
const pauseEvent = 0xff

// parseKeys turns keys into events. The error does not repeat them.
func parseKeys(keys string) ([]byte, error) {
	events := make([]byte, 0, len(keys))
	for _, k := range strings.ToUpper(keys) {
		at := strings.IndexRune(keyNames, k)
		switch {
		case k == ',':
			events = append(events, pauseEvent)
		case at >= 0:
			events = append(events, byte(at))
		default:
			return nil, fmt.Errorf("sipphone: there is a sign that is no key: only %s and comma are", keyNames)
		}
	}
	return events, nil
}

// keyEvent writes the payload of one event packet.
func keyEvent(b []byte, event byte, end bool, duration uint16) {
	b[0], b[1] = event, keyVolume
	if end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], duration)
}
