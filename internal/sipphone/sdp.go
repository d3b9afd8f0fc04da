package sipphone

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// keyPayload is the RTP payload type that we offer for keys.
const keyPayload = 101

// errSDP is wrapped by errors about the other side's description.
var errSDP = errors.New("sipphone: the other side's session description")

// description is what we need to know of an SDP body (RFC 8866).
type description struct {
	addr    netip.AddrPort // where the sound goes
	payload uint8          // its first codec of ours
	keys    uint8          // the payload type of telephone-event, or 0
}

// sdpText writes our offer or answer.
func sdpText(local netip.AddrPort, payload, keys uint8) []byte {
	family := "IP4"
	if local.Addr().Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- 1 1 IN %s %s\r\ns=-\r\nc=IN %[1]s %[2]s\r\nt=0 0\r\n", family, local.Addr())
	fmt.Fprintf(&b, "m=audio %d RTP/AVP %d %d\r\na=rtpmap:%[2]d %[4]s/8000\r\n", local.Port(), payload, keys, lawNames[payload])
	fmt.Fprintf(&b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%[1]d 0-16\r\na=ptime:20\r\na=sendrecv\r\n", keys)
	return []byte(b.String())
}

// parseSDP reads the other side's description.
func parseSDP(body []byte) (description, error) {
	var d description
	var host string
	found, inAudio := false, false
	for line := range strings.Lines(string(body)) {
		line = strings.TrimRight(line, "\r\n")
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "c=") && len(fields) == 3 && (host == "" || inAudio):
			host = fields[2]
		case strings.HasPrefix(line, "m="):
			inAudio = !found && strings.HasPrefix(line, "m=audio ")
			if inAudio {
				found = true
				if err := d.media(fields); err != nil {
					return d, err
				}
			}
		case inAudio && strings.HasPrefix(line, "a=rtpmap:") && strings.Contains(strings.ToLower(line), " telephone-event/8000"):
			n, err := strconv.ParseUint(strings.TrimPrefix(fields[0], "a=rtpmap:"), 10, 7)
			if err != nil {
				return d, fmt.Errorf("%w: %w", errSDP, err)
			}
			d.keys = uint8(n)
		}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !found {
		return d, fmt.Errorf("%w: no address for the sound", errSDP)
	}
	d.addr = netip.AddrPortFrom(addr.WithZone(""), d.addr.Port())
	return d, nil
}

// media reads "m=audio PORT RTP/AVP PAYLOAD…" and takes the first payload that we speak.
func (d *description) media(fields []string) error {
	if len(fields) < 4 {
		return fmt.Errorf("%w: a short media line", errSDP)
	}
	port, err := strconv.ParseUint(fields[1], 10, 16)
	if err != nil || port == 0 {
		return fmt.Errorf("%w: no port for the sound", errSDP)
	}
	d.addr = netip.AddrPortFrom(netip.Addr{}, uint16(port))
	for _, f := range fields[3:] {
		n, err := strconv.ParseUint(f, 10, 7)
		if err == nil && lawNames[uint8(n)] != "" {
			d.payload = uint8(n)
			return nil
		}
	}
	return fmt.Errorf("%w: neither PCMU nor PCMA", errSDP)
}
