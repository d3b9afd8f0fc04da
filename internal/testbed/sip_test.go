package testbed

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sipStatus sends one SIP request to a number and returns the code of the first final answer.
func sipStatus(t *testing.T, address, method, number string) int {
	t.Helper()
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	local, from := conn.LocalAddr().String(), "test"
	if method == "REGISTER" {
		from = number
	}
	request := strings.ReplaceAll(fmt.Sprintf(`%[1]s sip:%[2]s@%[3]s SIP/2.0
Via: SIP/2.0/UDP %[4]s;branch=z9hG4bK%[5]s;rport
From: <sip:%[6]s@%[4]s>;tag=1
To: <sip:%[2]s@%[3]s>
Call-ID: %[5]s
CSeq: 1 %[1]s
Contact: <sip:test@%[4]s>
Max-Forwards: 70
Content-Length: 0

`, method, number, address, local, secret(), from), "\n", "\r\n")
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for answer := make([]byte, 65536); ; {
		n, err := conn.Read(answer)
		if err != nil {
			t.Fatalf("%s %s: %v", method, number, err)
		}
		fields := strings.Fields(string(answer[:n]))
		if code, _ := strconv.Atoi(fields[1]); code >= 200 {
			return code
		}
	}
}

// A sound is what a caller heard: packets of RTP, and how many of them were not silence.
type sound struct{ packets, loud int }

// listen calls a number with SIPp, waits until the other side hangs up, and returns what was heard.
func listen(ctx context.Context, address, number string) (sound, error) {
	media, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return sound{}, err
	}
	heard := make(chan sound)
	go func() { heard <- hear(media) }()
	err = sipp(ctx, "testdata/listen.xml", address, number, media.LocalAddr().(*net.UDPAddr).Port)
	media.Close()
	return <-heard, err
}

// sipp makes one call as a scenario says.
func sipp(ctx context.Context, scenario, address, number string, rtpPort int) error {
	port, err := freePort("udp", "127.0.0.1")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "sipp", "-sf", scenario, "-s", number, "-m", "1", "-nostdin",
		"-i", "127.0.0.1", "-p", strconv.Itoa(port), "-key", "rtp_port", strconv.Itoa(rtpPort), address).CombinedOutput()
	if err != nil {
		return fmt.Errorf("sipp: %w\n%s", err, out)
	}
	return nil
}

// hear counts RTP packets of mu-law until the socket is closed.
func hear(media net.PacketConn) (heard sound) {
	for packet := make([]byte, 2048); ; {
		n, _, err := media.ReadFrom(packet)
		if err != nil {
			return heard
		}
		heard.packets++
		if n > 12 && slices.ContainsFunc(packet[12:n], audible) {
			heard.loud++
		}
	}
}

// audible tells whether a sample of mu-law is more than the last two steps around zero.
func audible(sample byte) bool { return sample&0x7f < 0x7e }
