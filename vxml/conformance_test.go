package vxml

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/ivr"
	"hark/prompts"
	"hark/vxml/fetch"
	"hark/vxml/sound"
)

var update = flag.Bool("update", false, "write CONFORMANCE.md")

// suite is the folder of W3C's tests: named by HARK_VXML_IR, or beside the project.
func suite(t *testing.T) string {
	dir := os.Getenv("HARK_VXML_IR")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "vxml-ir")
	}
	if _, err := os.Stat(filepath.Join(dir, "INDEX.tsv")); err != nil {
		t.Skip("W3C's VoiceXML tests are not here: unpack them and name the folder in HARK_VXML_IR")
	}
	return dir
}

// An irTest is one line of the suite's index.
type irTest struct {
	file, input, missing, assertion string
	result, why                     string
}

func readIndex(t *testing.T, dir string) []*irTest {
	b, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var list []*irTest
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if f[0] != "file" && len(f) >= 4 {
			list = append(list, &irTest{file: f[0], input: f[1], missing: f[3], assertion: strings.Join(f[4:], " ")})
		}
	}
	return list
}

// farEnd is what the far end of a transfer has to do for a test to pass. The suite tells it to people in words only: here it
// is the outcome that the document looks for, or the first one it names. "" answers.
func farEnd(doc string) ivr.DialEnd {
	ends := slices.Sorted(maps.Keys(outcomes))
	for _, look := range []string{"== '%s'", "'%s'"} {
		for _, end := range ends {
			if strings.Contains(doc, fmt.Sprintf(look, outcomes[end])) {
				return end
			}
		}
	}
	if strings.Contains(doc, "<transfer") && strings.Contains(doc, `event="connection.disconnect.hangup"`) {
		return hangsUp
	}
	return ""
}

// hangsUp is a caller who hangs up while the other telephone rings.
const hangsUp ivr.DialEnd = "hang up"

// listeners are tests that a person judges by ear: what has to be heard, in this order.
var listeners = map[string][]string{
	"216": {"alpha", "bravo", "charlie", "delta"}, "218": {"alpha", "bravo", "charlie", "delta"},
	"assert165": {},
}

// say is a prompt that still asks to speak.
var say = regexp.MustCompile(`(?i)\b(say|speak|record|recite)\b`)

// spokenKey is the key for what a prompt still asks to say: the first of the document's grammars, or one that none has.
func spokenKey(prompt, doc string) string {
	m := regexp.MustCompile(`<item>\s*([0-9*#]+)`).FindStringSubmatch(doc)
	switch {
	case !say.MatchString(prompt) || nothing.MatchString(prompt):
		return ""
	case strings.Contains(prompt, "unrecogni"):
		return "D"
	case m != nil:
		return m[1]
	}
	return ""
}

// nothing is a prompt that asks to be silent.
var nothing = regexp.MustCompile(`(?i)\bsay nothing\b`)

// TestConformance runs W3C's tests. Every one that can be run has to pass. Where a file is missing that the test names, that
// may be what it is about (error.badfetch): it is run, and not counted when it does not pass.
func TestConformance(t *testing.T) {
	dir := suite(t)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	list := readIndex(t, dir)
	for _, test := range list {
		t.Run(test.file, func(t *testing.T) {
			runIR(t, server.URL, test)
			if test.result == "fail" {
				t.Error(test.why)
			}
		})
	}
	if *update {
		if err := os.WriteFile("CONFORMANCE.md", []byte(conformanceTable(list, sentences(t))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func runIR(t *testing.T, url string, test *irTest) {
	name := strings.TrimSuffix(filepath.Base(test.file), ".vxml")
	var notes []Note
	i, err := New(Options{
		Fetch: fetch.Options{Allow: []string{url + "/"}}, Voice: wordVoice{}, Trunks: wayOut, Dir: t.TempDir(),
		Watch: func(n Note) { notes = append(notes, n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	entry, err := os.ReadFile(filepath.Join(suite(t), test.file))
	if err != nil {
		t.Fatal(err)
	}
	line := &irLine{hang: cancel, doc: string(entry), far: farEnd(string(entry)), dir: t.TempDir()}
	err = i.Handle(ctx, line, url+"/"+test.file)
	verdict, log := judge(notes)
	if want, byEar := listeners[name]; byEar && verdict == "" && err == nil && inOrder(line.heard, want) {
		verdict = "pass"
	}
	switch passed := verdict == "pass" && err == nil; {
	case passed && test.missing != "":
		test.result, test.why = "pass", "without "+test.missing+", which is missing"
	case passed:
		test.result = "pass"
	case test.missing != "":
		test.result, test.why = "cannot run", "missing: "+test.missing
	case verdict == "" && err == nil && strings.Contains(test.assertion, "hear"):
		test.result, test.why = "by ear", fmt.Sprintf("heard %q", line.heard)
	default:
		test.result = "fail"
		test.why = strings.TrimSpace(fmt.Sprintf("%v %s; heard %q", err, log, line.heard))
	}
}

// judge looks for the words pass and fail; what came after is not counted.
func judge(notes []Note) (verdict, log string) {
	for _, n := range notes {
		switch {
		case verdict == "" && n.Kind == Prompted && (n.Text == "pass" || strings.HasPrefix(n.Text, "pass")):
			verdict = "pass"
		case verdict == "" && n.Kind == Prompted && strings.HasPrefix(n.Text, "fail"):
			verdict = "fail"
		case n.Kind == Logged, n.Kind == Thrown:
			log += n.Text + " " + n.Label + "; "
		}
	}
	return verdict, log
}

func inOrder(heard, want []string) bool {
	all := strings.Join(heard, " ")
	for _, w := range want {
		_, rest, ok := strings.Cut(all, w)
		if !ok {
			return false
		}
		all = rest
	}
	return true
}

// An irLine is the caller of W3C's tests: it does at once what the prompts ask for.
type irLine struct {
	heard []string
	doc   string // the entry document
	asked string // the keys to press when the prompts are over
	keys  string
	voice bool // asked to say something
	turns int
	dir   string      // for what is said
	far   ivr.DialEnd // "" answers, and hangs up when it is a bridge
	hang  context.CancelCauseFunc
	over  bool
}

var press = regexp.MustCompile(`Press '([0-9*#A-D]+)'`)

func (l *irLine) ID() string                       { return "ir" }
func (l *irLine) Caller() string                   { return "100" }
func (l *irLine) Called() string                   { return "200" }
func (l *irLine) Answer(ctx context.Context) error { return context.Cause(ctx) }
func (l *irLine) Flush()                           { l.keys = "" }
func (l *irLine) Hangup(context.Context) error     { l.over = true; return nil }

// hear does what a prompt asks for.
func (l *irLine) hear(text string) {
	l.heard = append(l.heard, text)
	if m := press.FindStringSubmatch(text); m != nil {
		l.asked = m[1]
	}
	if key := spokenKey(text, l.doc); l.asked == "" {
		l.asked = key
	}
	if say.MatchString(text) {
		l.voice = !nothing.MatchString(text)
	}
	if strings.Contains(strings.ToLower(text), "hang up now") {
		l.hang(ivr.ErrHangup)
	}
}

const maxTurns = 200

func (l *irLine) Gather(ctx context.Context, g ivr.Gather) (ivr.Input, error) {
	if err := l.listen(ctx, g.Play); err != nil {
		return ivr.Input{Why: ivr.Stopped}, err
	}
	in := ivr.Input{Clip: len(g.Play), Why: ivr.Played}
	if g.Max > 0 && l.asked != "" {
		l.keys, l.asked = l.asked, ""
	}
	if g.Max > 0 && l.keys != "" {
		in.Keys, in.Why, l.keys = l.keys[:1], ivr.Full, l.keys[1:]
	} else if g.Max > 0 {
		in.Why = ivr.Timeout
	}
	return in, nil
}

// listen hears clips. The error is that of the call's end.
func (l *irLine) listen(ctx context.Context, clips []prompts.Clip) error {
	for _, c := range clips {
		l.hear(c.Text)
	}
	if l.turns++; l.turns > maxTurns {
		l.hang(ivr.ErrHangup)
	}
	return context.Cause(ctx)
}

// Record says something when a prompt asked for it, and ends with a key when it asked for one.
func (l *irLine) Record(ctx context.Context, r ivr.Record) (ivr.Recorded, error) {
	out := ivr.Recorded{Why: ivr.Silence}
	if err := l.listen(ctx, r.Prompt); err != nil {
		return ivr.Recorded{Why: ivr.Stopped}, err
	}
	if l.asked != "" && strings.Contains(r.Ends, l.asked[:1]) {
		out.Key, out.Why, l.keys, l.asked = l.asked[:1], ivr.EndKey, l.asked[1:], ""
	}
	pcm := make([]int16, sound.Rate)
	for i := range pcm {
		if l.voice {
			pcm[i] = int16(i%16-8) * 2000
		}
	}
	l.voice = false
	out.File, out.Duration = filepath.Join(l.dir, fmt.Sprint("recording-", l.turns, ".wav")), time.Second
	return out, os.WriteFile(out.File, sound.WAV(pcm), 0o600)
}

// Dial does what the far end of the test does.
func (l *irLine) Dial(ctx context.Context, d ivr.Dial) (ivr.Dialled, error) {
	heard := func(key rune) bool { return d.Listen != nil && d.Listen(byte(key)) }
	switch {
	case l.far == hangsUp:
		l.hang(ivr.ErrHangup)
		return ivr.Dialled{}, context.Cause(ctx)
	case l.far == "" && d.HandOver:
		return ivr.Dialled{End: ivr.DialHandedOver}, nil
	case l.far == "", l.far == ivr.DialKey && !strings.ContainsFunc(allKeys, heard):
		return ivr.Dialled{End: ivr.DialFar, Duration: time.Second}, nil
	case l.far == ivr.DialFar, l.far == ivr.DialKey, l.far == ivr.DialMax:
		return ivr.Dialled{End: l.far, Duration: time.Second}, nil
	}
	return ivr.Dialled{End: l.far}, nil
}

// conformanceTable writes the results for people.
func conformanceTable(list []*irTest, own int) string {
	counts := map[string]int{}
	for _, t := range list {
		counts[t.result]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# W3C's VoiceXML tests\n\nWritten by `go test ./vxml -run Conformance -update`.\n\n")
	fmt.Fprintf(&b, "The tests are the VoiceXML 2.0 and 2.1 implementation report tests with every spoken input turned into a key. They are\nnot part of this repository; `HARK_VXML_IR` names their folder.\n\n")
	ran := counts["pass"] + counts["fail"]
	fmt.Fprintf(&b, "Of %d tests %d could be run; %d passed, %d failed, %d have to be judged by ear, %d cannot be run because a file is missing.\n\n",
		len(list), ran, counts["pass"], counts["fail"], counts["by ear"], counts["cannot run"])
	fmt.Fprintf(&b, "Beside them %d sentences of the specification, each with a document that tests it, are in `testdata/assertions`; they are run\nwith every `go test`, and all of them pass.\n\n", own)
	fmt.Fprintf(&b, "| Test | Result | Remark |\n|---|---|---|\n")
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, c *irTest) int { return strings.Compare(a.file, c.file) })
	for _, t := range sorted {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.TrimSuffix(t.file, ".vxml"), t.result, t.why)
	}
	return b.String()
}
