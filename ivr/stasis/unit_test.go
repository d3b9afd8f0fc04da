package stasis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hark/internal/wav"
	"hark/ivr"
	"hark/ivr/linetest"
	"hark/prompts"
)

// TestUnknownEvents: types that nobody knows, and frames that are no events, change nothing.
func TestUnknownEvents(t *testing.T) {
	f := newFake(t)
	keys := make(chan string)
	f.app(t, &App{Handle: func(ctx context.Context, l ivr.Line) error {
		in, err := l.Gather(ctx, ivr.Gather{Max: 2, First: 10 * time.Second})
		keys <- in.Keys
		return err
	}})
	f.begin("a/b c")
	for _, event := range []string{
		`{"type":"RESTResponse","x":1}`, `{"type":"ChannelToneDetected","channel":{"id":"a/b c"}}`, `{"type":"CallClaimed"}`,
		`{}`, ``, `[]`, `null`, `{"type":7}`, `not JSON`, `{"type":"StasisStart"}`, `{"type":"StasisStart","channel":7}`,
		`{"type":"ChannelDtmfReceived"}`, `{"type":"ChannelDtmfReceived","digit":"","channel":{"id":"a/b c"}}`,
		`{"type":"PlaybackFinished","playback":{"id":"x","target_uri":"bridge:1"}}`, `{"type":"RecordingFinished","recording":{}}`,
		`{"type":"StasisEnd","channel":{"id":"somebody else"}}`, `{"type":"ApplicationReplaced","application":"other"}`,
	} {
		f.events <- event
	}
	f.key("a/b c", "1")
	f.key("a/b c", "2")
	if got := <-keys; got != "12" {
		t.Errorf("keys %q, want 12", got)
	}
	linetest.Eventually(t, "the call to be hung up by its escaped name", func() bool { return f.was("DELETE /channels/a%2Fb%20c") })
	if want := fmt.Sprint(types(wanted)); f.filter != want {
		t.Errorf("the filter is %s, want %s", f.filter, want)
	}
}

func types(names []string) (all []struct{ Type string }) {
	for _, n := range names {
		all = append(all, struct{ Type string }{n})
	}
	return all
}

// TestFlood: 150 calls in one breath all are served, and each gets its own keys in order.
func TestFlood(t *testing.T) {
	f := newFake(t)
	const n = 150
	var whole atomic.Int32
	a := f.app(t, &App{Handle: func(ctx context.Context, l ivr.Line) error {
		in, err := l.Gather(ctx, ivr.Gather{Max: 9, Ends: "#", First: 20 * time.Second, Between: 20 * time.Second})
		if in.Keys == "12345" {
			whole.Add(1)
		}
		return err
	}})
	for i := range n {
		f.begin(fmt.Sprint("c", i))
	}
	for _, key := range "12345#" {
		for i := range n {
			f.key(fmt.Sprint("c", i), string(key))
		}
	}
	linetest.Eventually(t, "the end of all calls", func() bool { return whole.Load() == n && a.Calls() == 0 })
}

// TestTooMany: what is over the limit goes on in the dialplan, and so does a text message.
func TestTooMany(t *testing.T) {
	f := newFake(t)
	a := f.app(t, &App{MaxCalls: 2, Handle: func(ctx context.Context, l ivr.Line) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}})
	f.events <- `{"type":"StasisStart","channel":{"id":"text","name":"Message/ast_msg_queue"},"application":"hark"}`
	f.events <- `{"type":"StasisStart","channel":{"id":"text2","name":"PJSIP/1"},"args":["message"],"application":"hark"}`
	for _, id := range []string{"a", "b", "c", "a"} {
		f.begin(id)
	}
	for _, id := range []string{"text", "text2", "c"} {
		linetest.Eventually(t, id+" to be given back", func() bool { return f.was("POST /channels/" + id + "/continue") })
	}
	if a.Calls() != 2 {
		t.Errorf("%d calls, want 2", a.Calls())
	}
	f.hangup("a")
	linetest.Eventually(t, "the end of a", func() bool { return a.Calls() == 1 })
}

// TestReconnect: the connection is lost; what is gone is ended, what is not goes on, what is unknown is adopted.
func TestReconnect(t *testing.T) {
	f := newFake(t)
	var mu sync.Mutex
	ends := make(map[string]error)
	adopted := make(map[string]bool)
	a := f.app(t, &App{Handle: func(ctx context.Context, l ivr.Line) error {
		mu.Lock()
		adopted[l.ID()] = l.(*Line).Adopted()
		mu.Unlock()
		_, err := l.Gather(ctx, ivr.Gather{Max: 2, First: time.Minute})
		mu.Lock()
		defer mu.Unlock()
		ends[l.ID()] = err
		return err
	}})
	f.begin("goes")
	f.begin("stays")
	f.key("stays", "1") // half keyed: dropped
	linetest.Eventually(t, "both calls", func() bool { return a.Calls() == 2 })
	f.mu.Lock()
	delete(f.channels, "goes")
	f.channels["orphan"] = true
	f.mu.Unlock()
	f.drop <- struct{}{}
	linetest.Eventually(t, "the end of what is gone", func() bool { mu.Lock(); defer mu.Unlock(); return errors.Is(ends["goes"], ivr.ErrHangup) })
	linetest.Eventually(t, "the orphan", func() bool { mu.Lock(); defer mu.Unlock(); return adopted["orphan"] })
	f.key("stays", "2")
	f.key("stays", "3")
	linetest.Eventually(t, "the end of what stayed", func() bool { mu.Lock(); defer mu.Unlock(); e, ok := ends["stays"]; return ok && e == nil })
	if f.sockets != 2 || adopted["stays"] {
		t.Errorf("%d connections, want 2; stays adopted: %v", f.sockets, adopted["stays"])
	}
}

// TestSilentDeath: a connection on which nothing comes, though it was never closed, is given up.
func TestSilentDeath(t *testing.T) {
	f := newFake(t)
	f.deaf = true
	f.app(t, &App{Handle: func(context.Context, ivr.Line) error { return nil }})
	linetest.Eventually(t, "a second connection", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.sockets == 2 })
}

// TestPatience: an Asterisk that does not come back ends the calls.
func TestPatience(t *testing.T) {
	f := newFake(t)
	ended := make(chan error, 1)
	a := f.app(t, &App{LinkPatience: 300 * time.Millisecond, Handle: func(ctx context.Context, l ivr.Line) error {
		_, err := l.Gather(ctx, ivr.Gather{Max: 1, First: time.Minute})
		ended <- err
		return err
	}})
	f.begin("a")
	linetest.Eventually(t, "the call", func() bool { return a.Calls() == 1 })
	f.CloseClientConnections()
	f.Listener.Close()
	f.drop <- struct{}{}
	if err := <-ended; !errors.Is(err, ivr.ErrHangup) {
		t.Error(err)
	}
}

// TestStopped: the context of a Gather ends, and the call goes on.
func TestStopped(t *testing.T) {
	f := newFake(t)
	type result struct {
		in  ivr.Input
		err error
	}
	results := make(chan result, 2)
	f.app(t, &App{Handle: func(ctx context.Context, l ivr.Line) error {
		cause := errors.New("something else")
		short, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		in, err := l.Gather(short, ivr.Gather{Play: []prompts.Clip{{File: "/a.wav"}}, Max: 1, First: time.Minute})
		if !errors.Is(err, cause) {
			t.Errorf("the error is %v, want the cause", err)
		}
		results <- result{in, err}
		in, err = l.Gather(ctx, ivr.Gather{Max: 1, First: time.Millisecond})
		results <- result{in, err}
		return nil
	}})
	f.begin("a")
	if r := <-results; r.in.Why != ivr.Stopped {
		t.Errorf("%+v", r.in)
	}
	if r := <-results; r.in.Why != ivr.Timeout || r.err != nil {
		t.Errorf("%+v, %v", r.in, r.err)
	}
	linetest.Eventually(t, "the prompt to be stopped", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return strings.Contains(strings.Join(f.asked, "\n"), "DELETE /playbacks/hark-")
	})
}

// TestDeaf: a call that never looks at its keys is ended, not half served.
func TestDeaf(t *testing.T) {
	f := newFake(t)
	gone := make(chan error, 1)
	f.app(t, &App{Log: slog.New(slog.NewTextHandler(logTo{t}, nil)), Handle: func(ctx context.Context, l ivr.Line) error {
		<-ctx.Done()
		gone <- context.Cause(ctx)
		return context.Cause(ctx)
	}})
	f.begin("a")
	for range maxNotes + 1 {
		f.key("a", "1")
	}
	if err := <-gone; !errors.Is(err, ivr.ErrHangup) {
		t.Error(err)
	}
}

// TestKeysAreNotLogged presses a PIN and looks for it in a log of everything.
func TestKeysAreNotLogged(t *testing.T) {
	f := newFake(t)
	var log lockedBuffer
	done := make(chan bool)
	f.app(t, &App{
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Handle: func(ctx context.Context, l ivr.Line) error {
			l.Gather(ctx, ivr.Gather{Max: 6, First: 10 * time.Second})
			done <- true
			return nil
		}})
	f.begin("a")
	for _, key := range "918273" {
		f.key("a", string(key))
	}
	f.events <- `{"type":"ChannelDtmfReceived","digit":"918273","channel":"a"}`
	<-done
	linetest.Eventually(t, "the warning", func() bool { return strings.Contains(log.String(), "cannot be read") })
	for _, secret := range []string{"918273", "digit"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, log.String())
		}
	}
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestCheckApp(t *testing.T) {
	f := newFake(t)
	for _, test := range []struct{ url, password, wrong string }{
		{f.URL + "/ari", fakePassword, ""},
		{f.URL + "/ari/", fakePassword, ""},
		{f.URL + "/ari", "wrong", "password"},
		{f.URL + "/nothing", fakePassword, "404"},
		{"http://127.0.0.1:1/ari", fakePassword, "refused"},
		{"127.0.0.1:8088", "", "http://host:8088/ari"},
		{"ftp://127.0.0.1/ari", "", "http://host:8088/ari"},
	} {
		a := &App{URL: test.url, User: "hark", Password: test.password}
		err := a.Check(t.Context())
		if test.wrong == "" && err != nil || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%s: %v, want %q", test.url, err, test.wrong)
		}
	}
	if err := (&App{URL: f.URL}).Run(t.Context()); err == nil {
		t.Error("an App without Handle runs")
	}
}

func TestTooOld(t *testing.T) {
	for version, want := range map[string]bool{
		"22.10.1": false, "22.10.0": true, "22.9.9": true, "22.11.0": false, "22.10.1~dfsg+~cs6.17": false,
		"20.20.1": false, "20.20.0": true, "20.9.3": true, "21.9.1": true, "18.1.1": true, "16.28.0~dfsg": true,
		"23.0.0": false, "certified-20.7-cert3": true, "GIT-master-1a2b": false, "": false, "22": false,
	} {
		if tooOld(version) != want {
			t.Errorf("tooOld(%q) = %v", version, !want)
		}
	}
}

func TestSegments(t *testing.T) {
	const s = time.Second
	got, err := segments([]prompts.Clip{
		{File: "/a.wav"}, {File: "/b.wav", Pause: s}, {File: "/c.wav", Offset: s}, {Pause: 2 * s}, {File: "/d.wav"}, {File: "/e.wav", Offset: s}, {File: "/f.wav"},
	}, nil)
	want := []segment{
		{first: 0, count: 2, media: []string{"sound:/a", "sound:/b"}, pause: s},
		{first: 2, count: 1, media: []string{"sound:/c"}, skip: s},
		{first: 3, count: 1, pause: 2 * s},
		{first: 4, count: 1, media: []string{"sound:/d"}},
		{first: 5, count: 2, media: []string{"sound:/e", "sound:/f"}, skip: s},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(segment{})); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestRecordingNames(t *testing.T) {
	var i ids
	i.init()
	name := i.recording("../../etc/passwd\x00;rm.1")
	if rest := strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789.-"); rest != "" || strings.HasPrefix(name, ".") {
		t.Errorf("the name is %q", name)
	}
	if again := i.recording("a"); again == name || !strings.HasSuffix(again, "-a") {
		t.Errorf("the names are %q and %q", name, again)
	}
}

// FuzzEvent: no frame makes the reader fail, and what is read names its type.
func FuzzEvent(f *testing.F) {
	for _, kind := range wanted {
		f.Add([]byte(fmt.Sprintf(`{"type":%q,"channel":%s,"digit":"1","playback":{"id":"p","state":"failed","target_uri":"channel:c"}}`, kind, channelJSON("c"))))
	}
	f.Add([]byte(`{"type":"RecordingFinished","recording":{"name":"r","target_uri":"channel:c","duration":1}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		e, err := decodeEvent(frame)
		if err != nil {
			return
		}
		n, ok := e.note(time.Now())
		if _, known := noteKinds[e.Type]; ok && !known {
			t.Errorf("a note %v of %q", n, e.Type)
		}
		e.channelID()
	})
}

// FuzzWAV: whatever the header says, the sound measured lies within the file, and mending is done once.
func FuzzWAV(f *testing.F) {
	whole := wav.Encode(wav.Sound{Rate: 8000, Samples: []int16{1, 2, 3, 4}})
	f.Add(whole)
	unfinished := bytes.Clone(whole)
	copy(unfinished[40:], []byte{0, 0, 0, 0})
	f.Add(unfinished)
	f.Add(whole[:20])
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := readWAV(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		if h.dataAt+int64(h.data) > int64(len(raw)) || h.length() < 0 {
			t.Fatalf("%d bytes of sound at %d in %d", h.data, h.dataAt, len(raw))
		}
		mended := bytes.Clone(raw)
		if err := h.write(writerAt(mended)); err != nil {
			t.Fatal(err)
		}
		again, err := readWAV(bytes.NewReader(mended), int64(len(mended)))
		if err != nil || again.data != h.data || h.data > 0 && again.said != h.data {
			t.Errorf("mended: %+v, %v; before: %+v", again, err, h)
		}
	})
}

// writerAt writes into a slice.
type writerAt []byte

func (w writerAt) WriteAt(b []byte, at int64) (int, error) {
	if int(at)+len(b) > len(w) {
		return 0, http.ErrContentLength
	}
	return copy(w[at:], b), nil
}

// TestUnanswered: a telephone that has rung for all of its time is not answered, whatever Asterisk gives as a reason, but
// busy stays busy, and one that is refused at once has no route.
func TestUnanswered(t *testing.T) {
	d := ivr.Dial{Connect: time.Minute}
	long, short := &leg{rings: time.Now().Add(-time.Minute)}, &leg{rings: time.Now()}
	for _, c := range []struct {
		leg  *leg
		n    note
		want ivr.DialEnd
	}{
		{long, note{}, ivr.DialNoAnswer}, {long, note{cause: 127}, ivr.DialNoAnswer}, {long, note{status: "BUSY"}, ivr.DialBusy},
		{short, note{}, ivr.DialNoRoute}, {short, note{cause: 1}, ivr.DialNoRoute}, {short, note{cause: 19}, ivr.DialNoAnswer},
	} {
		if got := c.leg.unanswered(c.n, d); got != c.want {
			t.Errorf("%+v is %s, not %s", c.n, got, c.want)
		}
	}
}

// TestPlaybackWithoutEnd: when Asterisk never tells that a sound is over, what stands behind it is played all the same.
func TestPlaybackWithoutEnd(t *testing.T) {
	f := newFake(t)
	file := filepath.Join(t.TempDir(), "clip.wav")
	played := make(chan error, 1)
	f.app(t, &App{Handle: func(ctx context.Context, line ivr.Line) error {
		clip := prompts.Clip{File: file, Duration: time.Second}
		last := clip
		clip.Pause = time.Second
		p, err := newPlayer(line.(*Line), []prompts.Clip{clip, last})
		if err != nil {
			return err
		}
		begun := time.Now()
		err = p.start(ctx)
		for range 3 { // the first clip, its pause, and the last clip
			if err != nil || p.done() {
				break
			}
			err = p.hear(ctx, note{kind: expired, at: p.wake()})
		}
		if late := p.wake(); err == nil && (!p.done() || !late.IsZero() || time.Since(begun) > lateEnd) {
			err = fmt.Errorf("done: %v, next: %v", p.done(), late)
		}
		played <- err
		return nil
	}})
	f.begin("a")
	if err := <-played; err != nil {
		t.Error(err)
	}
}
