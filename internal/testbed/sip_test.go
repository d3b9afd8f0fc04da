package testbed

import (
	"context"
	"fmt"
	"net"
	"os/exec"
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

// listen calls a number with SIPp, waits until the other side hangs up, and returns how many packets of sound came, and
// how many of them were not silence.
func listen(t *testing.T, address, number string) (packets, loud int) {
	t.Helper()
	media, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan [2]int)
	go func() { heard <- hear(media) }()
	port := media.LocalAddr().(*net.UDPAddr).Port

	sip, err := freePort("udp", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "sipp", "-sf", "testdata/listen.xml", "-s", number, "-m", "1", "-nostdin",
		"-i", "127.0.0.1", "-p", strconv.Itoa(sip), "-key", "rtp_port", strconv.Itoa(port), address).CombinedOutput()
	media.Close()
	counts := <-heard
	if err != nil {
		t.Fatalf("sipp: %v\n%s", err, out)
	}
	return counts[0], counts[1]
}

// hear counts RTP packets of mu-law until the socket is closed. 0xff and 0x7f are zero in mu-law.
func hear(media net.PacketConn) (counts [2]int) {
	for packet := make([]byte, 2048); ; {
		n, _, err := media.ReadFrom(packet)
		if err != nil {
			return counts
		}
		counts[0]++
		if n > 12 && strings.Trim(string(packet[12:n]), "\xff\x7f\xfe\x7e") != "" {
			counts[1]++
		}
	}
}
