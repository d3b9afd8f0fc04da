package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestParseRequest(t *testing.T) {
	for _, c := range []struct {
		line string
		want Request
		tag  string // of the error
		bad  bool
	}{
		{line: `a1 PING`, want: Request{Tag: "a1", Verb: Ping}},
		{line: `a1  ping  `, want: Request{Tag: "a1", Verb: Ping}},
		{line: `7 ACK {"seq":18}`, want: Request{Tag: "7", Verb: Ack, Arg: json.RawMessage(`{"seq":18}`)}},
		{line: `7 SEND {"body":"} {\" ]"}`, want: Request{Tag: "7", Verb: Send, Arg: json.RawMessage(`{"body":"} {\" ]"}`)}},
		{line: ``, bad: true},
		{line: `* EXISTS {}`, bad: true},
		{line: `a1`, tag: "a1", bad: true},
		{line: `a-1 PING`, bad: true},
		{line: strings.Repeat("a", 17) + ` PING`, bad: true},
		{line: `a1 P1NG`, tag: "a1", bad: true},
		{line: `a1 ACK 18`, tag: "a1", bad: true},
		{line: `a1 ACK [18]`, tag: "a1", bad: true},
		{line: `a1 ACK {"seq":18} more`, tag: "a1", bad: true},
		{line: `a1 ACK {"seq":18}more`, tag: "a1", bad: true},
		{line: `a1 ACK {"seq":18`, tag: "a1", bad: true},
		{line: "a1 ACK {\"seq\":\t18}", bad: true},
		{line: "a1 ACK {\"\xff\":18}", bad: true},
	} {
		got, err := ParseRequest([]byte(c.line))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.line, diff)
		}
		var syntax *SyntaxError
		if errors.As(err, &syntax) != c.bad {
			t.Errorf("%q: error %v", c.line, err)
		} else if c.bad && syntax.Tag != c.tag {
			t.Errorf("%q: the error has tag %q, not %q", c.line, syntax.Tag, c.tag)
		}
	}
}

func TestParseReply(t *testing.T) {
	for _, c := range []struct {
		line string
		want Reply
		bad  bool
	}{
		{line: `a1 OK {}`, want: Reply{Tag: "a1", Status: OK, JSON: json.RawMessage(`{}`)}},
		{line: `a1 OK {"seq":5} kept`, want: Reply{Tag: "a1", Status: OK, JSON: json.RawMessage(`{"seq":5}`), Text: "kept"}},
		{line: `a1 NO [AUTHFAILED] {} no`, want: Reply{Tag: "a1", Status: NO, Code: AuthFailed, JSON: json.RawMessage(`{}`), Text: "no"}},
		{
			line: `a1 NO [REFERRAL harks://1001;AUTH=*@[::1]:7778/?ticket=x] {} is on ps2`,
			want: Reply{
				Tag: "a1", Status: NO, Code: Referral, CodeArg: "harks://1001;AUTH=*@[::1]:7778/?ticket=x",
				JSON: json.RawMessage(`{}`), Text: "is on ps2",
			},
		},
		{line: `a1 OK`, bad: true},
		{line: `a1 MAYBE {}`, bad: true},
		{line: `a1 NO [] {}`, bad: true},
		{line: `a1 NO [LOCKED 60 {}`, bad: true},
		{line: `a1 NO [LOCKED ] {}`, bad: true},
		{line: `a1 NO [locked] {}`, bad: true},
	} {
		got, err := ParseReply([]byte(c.line))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.line, diff)
		}
		if (err != nil) != c.bad {
			t.Errorf("%q: error %v", c.line, err)
		}
	}
}

func TestParseEvent(t *testing.T) {
	for _, c := range []struct {
		line string
		want Event
		bad  bool
	}{
		{line: `* PING`, want: Event{Name: Ping}},
		{line: `* EXISTS {"waiting":3}`, want: Event{Name: Exists, JSON: json.RawMessage(`{"waiting":3}`)}},
		{line: `* BAD [SYNTAX] {} what`, want: Event{Name: "BAD", Code: Syntax, JSON: json.RawMessage(`{}`), Text: "what"}},
		{line: `* BYE [TRYLATER 5] stopping`, want: Event{Name: Bye, Code: TryLater, CodeArg: "5", Text: "stopping"}},
		{line: `a1 PING`, bad: true},
		{line: `* `, bad: true},
		{line: `* exists {}`, bad: true},
		{line: `* EXISTS {`, bad: true},
	} {
		got, err := ParseEvent([]byte(c.line))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.line, diff)
		}
		if (err != nil) != c.bad {
			t.Errorf("%q: error %v", c.line, err)
		}
	}
}

// The longest frame passes, one byte more is skipped, and the stream goes on after it.
func TestReaderLength(t *testing.T) {
	fits := strings.Repeat("x", MaxFrame)
	in := fits + "\r\n" + fits + "y\r\n" + "short\n" + "cut"
	for name, stream := range map[string]io.Reader{
		"whole":       strings.NewReader(in),
		"byte a time": iotest.OneByteReader(strings.NewReader(in)),
	} {
		r := NewReader(stream)
		if line, err := r.Line(); err != nil || string(line) != fits {
			t.Errorf("%s: %d bytes, %v for a frame that fits", name, len(line), err)
		}
		var syntax *SyntaxError
		if line, err := r.Line(); !errors.As(err, &syntax) {
			t.Errorf("%s: %d bytes, %v for a frame too long", name, len(line), err)
		}
		if line, err := r.Line(); err != nil || string(line) != "short" {
			t.Errorf("%s: %q, %v after the long one", name, line, err)
		}
		if _, err := r.Line(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v at the cut line", name, err)
		}
	}
}

func TestWriterRefusesLongFrames(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	if err := w.Write(Event{Name: Bye, Text: strings.Repeat("x", MaxFrame)}); err == nil {
		t.Error("no error for a frame too long")
	}
	if err := w.Write(Event{Name: Ping}); err != nil || out.String() != "* PING\r\n" {
		t.Errorf("wrote %q, %v", out.String(), err)
	}
}

// A body of the greatest length fits into a frame, whatever printable characters it is made of.
func TestMarshalKeepsBodiesShort(t *testing.T) {
	for _, body := range []string{"<", "&", `"`, "\n", "ü"} {
		raw, err := Marshal(SendRequest{Body: strings.Repeat(body, 16<<10/len(body))})
		if err != nil || len(raw) > MaxFrame*3/4 {
			t.Errorf("%q: %d bytes, %v", body, len(raw), err)
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(`a1 LOGIN {"user":"4711001","pin":"1"}`))
	f.Add([]byte(`A ping`))
	f.Add([]byte(`a1 FETCH { "after" : 1 , "x":[{}]} `))
	f.Fuzz(func(t *testing.T, line []byte) { roundTrip(t, line, ParseRequest) })
}

func FuzzReply(f *testing.F) {
	f.Add([]byte(`a1 NO [REFERRAL harks://1;AUTH=*@[::1]:7778/?a=b] {} text ]`))
	f.Add([]byte(`a1 OK {"messages":[{"seq":1}]}`))
	f.Fuzz(func(t *testing.T, line []byte) { roundTrip(t, line, ParseReply) })
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(`* BYE [REFERRAL x] {} [text`))
	f.Add([]byte(`* PING`))
	f.Add([]byte(`* A text {`))
	f.Fuzz(func(t *testing.T, line []byte) { roundTrip(t, line, ParseEvent) })
}

// roundTrip checks that whatever can be read is read the same again after it was printed, and that it is one line.
func roundTrip[F Frame](t *testing.T, line []byte, parse func([]byte) (F, error)) {
	frame, err := parse(line)
	if err != nil {
		if _, ok := errors.AsType[*SyntaxError](err); !ok {
			t.Fatalf("%v is not a SyntaxError", err)
		}
		return
	}
	printed := frame.Append(nil)
	got, err := NewReader(bytes.NewReader(printed)).Line()
	if err != nil {
		t.Fatalf("%q: printed %q: %v", line, printed, err)
	}
	again, err := parse(got)
	if err != nil {
		t.Fatalf("%q: printed %q: %v", line, printed, err)
	}
	if diff := cmp.Diff(frame, again); diff != "" {
		t.Fatalf("%q: printed %q: %s", line, printed, diff)
	}
}

func BenchmarkParseRequest(b *testing.B) {
	line := []byte(`a1 SEND {"id":"x","to":"xmpp:ben@example.org","body":"on my way"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRequest(line); err != nil {
			b.Fatal(err)
		}
	}
}
