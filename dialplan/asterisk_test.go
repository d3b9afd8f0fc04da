package dialplan

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hark/internal/testbed"
)

// TestAsterisk loads a written dialplan into a real Asterisk, and asks that one for what it has understood.
func TestAsterisk(t *testing.T) {
	plan := Plan{Routes: []Route{
		{Number: "7000", Language: "en"},
		{Number: "_71[0-4]X"},
		{Number: "+4930123456"},
		{Number: "*98#"},
		{Number: "s"},
	}}
	var text strings.Builder
	if err := plan.Write(&text); err != nil {
		t.Fatal(err)
	}
	a := testbed.AsteriskFor(t, testbed.AsteriskOptions{Files: map[string]string{"extensions_hark.conf": text.String()}})
	show := cli(t, a, "dialplan show")
	for _, r := range plan.Routes {
		if !strings.Contains(show, "'"+r.Number+"' =>") {
			t.Errorf("Asterisk does not have %q", r.Number)
		}
	}
	if ways, err := Escapes(strings.NewReader(show), "hark"); err != nil || len(ways) > 0 {
		t.Errorf("ways out of Asterisk's dialplan: %q, %v", ways, err)
	}
	// Nobody runs Stasis(hark) here, so a number that is answered speaks the apology: 200.
	for number, want := range map[string]string{
		"7000":                 "200",
		"7149":                 "200",
		"%2b4930123456":        "200",
		"7150":                 "404",
		"7000&PJSIP%2fphone":   "404",
		"7000%26PJSIP%2fphone": "404",
		"7100,1,Dial(x)":       "404",
		"hark":                 "404",
		"7000;x=y&PJSIP%2f1":   "404",
	} {
		if got := dial(t, a.SIPAddr, number); got != want {
			t.Errorf("calling %q: %s, want %s", number, got, want)
		}
	}
}

// cli asks a running Asterisk on its console, with the program and the folder that its process was started with.
func cli(t *testing.T, a *testbed.Asterisk, command string) string {
	t.Helper()
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", a.PID))
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	args = append(args[:len(args)-1], "-rx", command)
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(bytes.TrimSpace(out))
}

// dial sends one INVITE and returns the status of the final answer. The call is not taken any further: without an ACK
// Asterisk gives it up by itself.
func dial(t *testing.T, address, user string) string {
	t.Helper()
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	own := conn.LocalAddr().String()
	host, _, _ := net.SplitHostPort(own)
	id := fmt.Sprintf("%x", user)
	body := "v=0\r\no=- 1 1 IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host + "\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
	fmt.Fprintf(conn, "INVITE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nFrom: <sip:tester@%s>;tag=1\r\n"+
		"To: <sip:%s@%s>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:tester@%s>\r\nMax-Forwards: 70\r\n"+
		"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", user, address, own, id, own, user, address, id, own, len(body), body)
	answer := make([]byte, 65536)
	for {
		n, err := conn.Read(answer)
		if err != nil {
			t.Fatalf("calling %q: %v", user, err)
		}
		if status := strings.Fields(string(answer[:n]))[1]; status[0] != '1' {
			return status
		}
	}
}
