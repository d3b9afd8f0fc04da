package vxml

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	"hark/ivr"
	"hark/ivr/ivrtest"
	"hark/vxml/fetch"
	"hark/vxml/sound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestCases plays testdata/cases: each is a conversation (see package ivrtest), and the files of an application.
//
// Lines for the world: "transfer END" arranges the next transfer, "object CLASSID" says what was called last,
// "asked TEXT" and "not asked TEXT" look into the requests to the server, "slow 5s" delays its answers, "event NAME" looks
// for an event that was thrown.
func TestCases(t *testing.T) {
	for _, a := range archives(t, "testdata/cases/*.txtar") {
		t.Run(a.name, func(t *testing.T) {
			playCase(t, string(a.Comment), siteOf(a.Archive), "http://app.example/main.vxml", t.TempDir())
		})
	}
}

// An archive is a file of test data with its name.
type archive struct {
	name string
	*txtar.Archive
}

// archives reads all files of a pattern; there has to be one.
func archives(t testing.TB, pattern string) (list []archive) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal("no", pattern, err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, archive{strings.TrimSuffix(filepath.Base(file), ".txtar"), a})
	}
	return list
}

func playCase(t *testing.T, script string, s *caseSite, page, dir string) {
	t.Helper()
	steps, err := ivrtest.Parse(strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := &caseWorld{site: s, page: page, dir: dir, done: make(chan error, 1)}
		i, err := New(Options{
			Fetch: fetch.Options{Allow: []string{"http://app.example/", "file://" + dir + "/"}, Transport: s},
			Voice: wordVoice{}, Objects: w, Trunks: wayOut, Dir: dir, Watch: w.watch,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		w.interpreter = i
		if err := ivrtest.Play(t.Context(), steps, w); err != nil {
			t.Error(err)
		}
	})
	left, err := filepath.Glob(filepath.Join(dir, "recording-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("recordings are left: %v %v", left, err)
	}
}

// A caseSite is a web server without a network.
type caseSite struct {
	files map[string][]byte
	slow  time.Duration
	asked []string
}

func siteOf(a *txtar.Archive) *caseSite {
	s := &caseSite{files: map[string][]byte{}}
	for _, f := range a.Files {
		s.files[f.Name] = f.Data
	}
	s.files["beep.wav"] = sound.WAV(make([]int16, 8000))
	return s
}

func (s *caseSite) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	if path.Ext(r.URL.Path) == ".vxml" && s.slow > 0 {
		select {
		case <-time.After(s.slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI()+" "+string(body))
	name := strings.TrimPrefix(r.URL.Path, "/")
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	data, ok := s.files[name]
	if !ok {
		resp.StatusCode = 404
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, nil
}

// A caseWorld is the stage of a case.
type caseWorld struct {
	site        *caseSite
	page, dir   string
	interpreter *Interpreter
	far         string // what the other side of a transfer does
	object      string
	events      []string
	done        chan error
	calls       int
}

func (w *caseWorld) watch(n Note) {
	if n.Kind == Thrown {
		w.events = append(w.events, n.Text)
	}
}

func (w *caseWorld) Ring(ctx context.Context, from string) (ivrtest.Phone, error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	w.calls++
	line := ivrtest.NewLine(fmt.Sprint("call ", w.calls), from, w.dir)
	line.To = "200"
	line.Hanger = func() { cancel(ivr.ErrHangup) }
	go func() {
		err := w.interpreter.Handle(ctx, &caseLine{line, w}, w.page)
		cancel(nil)
		w.done <- err
	}()
	return line, nil
}

func (w *caseWorld) Gone(context.Context) error {
	select {
	case err := <-w.done:
		var wrong *uncaught
		var stop *fatal
		if errors.As(err, &wrong) || errors.As(err, &stop) {
			return nil
		}
		return err
	case <-time.After(ivrtest.Patience):
		return errors.New("the call does not end")
	}
}

func (w *caseWorld) Do(ctx context.Context, line string) error {
	synctest.Wait()
	verb, arg, _ := strings.Cut(line, " ")
	has := func(list []string, text string) bool { return strings.Contains(strings.Join(list, "\n")+"\n", text) }
	switch {
	case verb == "transfer":
		w.far = arg
	case verb == "slow":
		d, err := time.ParseDuration(arg)
		w.site.slow = d
		return err
	case verb == "object" && w.object != arg:
		return fmt.Errorf("the last object was %q", w.object)
	case verb == "asked" && !has(w.site.asked, arg):
		return fmt.Errorf("asked was %q", w.site.asked)
	case verb == "event" && !has(w.events, arg+"\n"):
		return fmt.Errorf("events were %q", w.events)
	case strings.HasPrefix(line, "not asked ") && has(w.site.asked, strings.TrimPrefix(line, "not asked ")):
		return fmt.Errorf("asked was %q", w.site.asked)
	case verb != "object" && verb != "asked" && verb != "event" && verb != "not":
		return fmt.Errorf("what is %q?", line)
	}
	return nil
}

// Begin makes the objects of a call.
func (w *caseWorld) Begin(ivr.Line) CallObjects { return w }

// Call calls one.
func (w *caseWorld) Call(_ context.Context, id string, params map[string]any) (any, error) {
	text := ""
	if rec, ok := params["voice"].(*Recording); ok {
		if _, err := os.Stat(rec.File); err != nil {
			return nil, err
		}
		text = fmt.Sprintf(" voice of %s", rec.Duration)
		delete(params, "voice")
	}
	w.object = fmt.Sprint(id, params, text)
	switch id {
	case "hark:refuse":
		return nil, &Event{Name: "hark.refused", Message: "not today"}
	case "hark:fail":
		return nil, errors.New("broken")
	case "hark:list":
		return map[string]any{"n": 2, "list": []any{"Anna", "Ben"}}, nil
	case "hark:send":
		return nil, nil
	}
	return nil, ErrNoObject
}

// Close ends the objects of a call.
func (w *caseWorld) Close(context.Context) {}

// A caseLine can call somebody.
type caseLine struct {
	*ivrtest.Line
	world *caseWorld
}

// wayOut lets out all numbers that begin with +, 1, 2 or 3.
var wayOut = ivr.Trunks{{Template: "PJSIP/{number}@trunk", Prefixes: []string{"+", "1", "2", "3"}}}

func (l *caseLine) Dial(ctx context.Context, d ivr.Dial) (ivr.Dialled, error) {
	l.world.object = fmt.Sprintf("%s %s %s %v", d.Endpoint, d.Connect, d.Max, d.HandOver)
	switch l.world.far {
	case "keys":
		for _, key := range []byte("7*8**") {
			if d.Listen != nil && d.Listen(key) {
				return ivr.Dialled{End: ivr.DialKey, Duration: 5 * time.Second}, nil
			}
		}
		return ivr.Dialled{End: ivr.DialFar}, nil
	case "hangup":
		l.Hang()
		<-ctx.Done()
		return ivr.Dialled{}, context.Cause(ctx)
	case "answers":
		if d.HandOver {
			return ivr.Dialled{End: ivr.DialHandedOver}, nil
		}
		return ivr.Dialled{End: ivr.DialFar, Duration: 7 * time.Second}, nil
	}
	return ivr.Dialled{End: ivr.DialEnd(l.world.far)}, nil
}
