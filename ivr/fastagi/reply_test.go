package fastagi

import (
	"net"
	"strings"
	"testing"
	"time"

	"hark/ivr"
)

func TestParseReply(t *testing.T) {
	for line, want := range map[string]reply{
		"HANGUP":                            {hangup: true, endpos: -1},
		"200 result=0":                      {code: 200, result: "0", endpos: -1},
		"200 result=-1 endpos=0":            {code: 200, result: "-1"},
		"200 result=35 (dtmf) endpos=16000": {code: 200, result: "35", noted: true, note: "dtmf", endpos: 16000},
		"200 result=1 ()":                   {code: 200, result: "1", noted: true, endpos: -1},
		"200 result=1 (a) endpos=5)":        {code: 200, result: "1", noted: true, note: "a) endpos=5", endpos: -1},
		"200 result= (timeout)":             {code: 200, noted: true, note: "timeout", endpos: -1},
		"511 Command Not Permitted":         {code: 511, text: "Command Not Permitted", endpos: -1},
		"520 End of proper usage.":          {code: 520, text: "End of proper usage.", endpos: -1},
	} {
		got, err := parseReply(line)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
	for _, line := range []string{"", "HANGUP now", "200", "200 OK", "20 result=0", "2000 result=0", "-20 result=0", "200 result=1 x",
		"200 result=1 (x", "200 result=1 endpos=", "200 result=1 endpos=-1", "200 result=1 endpos=01", "200 result=1 (x)endpos=1", "result=1"} {
		if got, err := parseReply(line); err == nil {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func TestKey(t *testing.T) {
	for result, want := range map[string]byte{"48": '0', "35": '#', "42": '*', "65": 'A', "0": 0, "1": 0, "-1": 0, "64": 0, "304": 0, "x": 0, "": 0} {
		if key, ok := (reply{result: result}).key(); key != want || ok != (want != 0) {
			t.Errorf("%q: %q, %v", result, key, ok)
		}
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"":         `""`,
		"/s/a b":   `"/s/a b"`,
		`/s/"a"\b`: `"/s/\"a\"\\b"`,
		"/s/é":     `"/s/é"`,
	} {
		if got, err := quote(text); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"a\nb", "a\rb", "a\x00b"} {
		if got, err := quote(text); err == nil {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// TestCommandsTakeTheirTimes: milliseconds, seconds and samples are rounded so that nothing is cut off.
func TestCommandsTakeTheirTimes(t *testing.T) {
	if got, err := streamFile("/s", "1", 1500*time.Millisecond); err != nil || got != `STREAM FILE "/s" "1" 12000` {
		t.Errorf("%s, %v", got, err)
	}
	got, err := recordFile("/r", ivr.Record{Max: 1500 * time.Microsecond, Silence: 1100 * time.Millisecond, Ends: "#"})
	if err != nil || got != `RECORD FILE "/r" wav "#" 2 s=2` {
		t.Errorf("%s, %v", got, err)
	}
}

// FuzzReply: what is understood as a reply is written back as it was, and understood as the same again.
func FuzzReply(f *testing.F) {
	for _, line := range []string{"HANGUP", "200 result=35 (dtmf) endpos=16000", "200 result=1 (a) endpos=5)", "511 dead", "200 result= (timeout)", "520-", "200 result=1  (x)"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := parseReply(line)
		if err != nil {
			return
		}
		again, err := parseReply(r.String())
		if err != nil || again != r {
			t.Errorf("%q: %+v, again as %q: %+v, %v", line, r, r.String(), again, err)
		}
	})
}

// FuzzEnvironment: whatever a stranger sends first, he gets in with the nonce alone, and in bounded time and memory.
func FuzzEnvironment(f *testing.F) {
	f.Add("agi_uniqueid: 1\nagi_arg_1: " + theNonce + "\n\n")
	f.Add("agi_uniqueid: 1\nagi_arg_1: x\n\n200 result=1 (" + theNonce + ")\n")
	f.Add("agi_uniqueid: 1\n\n520-x\n520 y\n")
	f.Add(strings.Repeat("a", maxLine+1))
	f.Fuzz(func(t *testing.T, sent string) {
		near, far := net.Pipe()
		defer near.Close()
		go func() {
			defer far.Close()
			go func() {
				for b := make([]byte, 64); ; {
					if _, err := far.Read(b); err != nil {
						return
					}
				}
			}()
			far.SetWriteDeadline(time.Now().Add(time.Second))
			far.Write([]byte(sent))
		}()
		s := &Server{Nonce: theNonce}
		if _, err := s.enter(near); err == nil && !strings.Contains(sent, theNonce) {
			t.Errorf("%q got in", sent)
		}
	})
}
