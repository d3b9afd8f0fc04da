package srgs

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/vxml/ecma"
	"hark/vxml/xmltree"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var stateNames = map[State]string{None: "none", Prefix: "prefix", Open: "open", Final: "final"}

// other is the grammar that those of the test data may refer to.
func other(_, uri string) (*Grammar, error) {
	if uri != "other.gram" {
		return nil, errors.New("no such file")
	}
	return ParseABNF("#ABNF 1.0; root $a; $a = 6 {six}; public $b = 5; $private = 1; ", uri)
}

func parseAny(src string) (*Grammar, error) {
	if strings.HasPrefix(strings.TrimSpace(src), "<") {
		n, err := xmltree.Parse([]byte(src), xmltree.Limits{})
		if err != nil {
			return nil, err
		}
		return ParseXML(n, "test")
	}
	return ParseABNF("#ABNF 1.0;\n"+src, "test")
}

// TestGrammars plays the cases of testdata: every construct of the specification that keys can match.
func TestGrammars(t *testing.T) {
	for _, file := range []string{"testdata/abnf.txt", "testdata/xml.txt"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split(string(b), "\n-- ")[1:] {
			name, rest, _ := strings.Cut(c, "\n")
			src, keys, _ := strings.Cut(rest, "\n= ")
			t.Run(name, func(t *testing.T) { grammarCase(t, src, strings.Split(keys, "\n= ")) })
		}
	}
}

func grammarCase(t *testing.T, src string, lines []string) {
	g, err := parseAny(src)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Link(g, "", other)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		f := strings.SplitN(strings.TrimSpace(line), " ", 3)
		m := l.NewMatcher()
		state := m.State()
		for _, k := range []byte(f[0]) {
			state = m.Press(k)
		}
		if stateNames[state] != f[1] {
			t.Errorf("%s: state %s, want %s", f[0], stateNames[state], f[1])
			continue
		}
		if len(f) > 2 {
			if got := meaningOf(t, m.Match()); got != f[2] {
				t.Errorf("%s means %s, want %s", f[0], got, f[2])
			}
		}
	}
}

func meaningOf(t *testing.T, p *Parse) string {
	t.Helper()
	v, err := p.Meaning(ecma.New(ecma.Limits{}))
	if err != nil {
		return err.Error()
	}
	b, err := json.Marshal(v.Export())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBadGrammars(t *testing.T) {
	for _, src := range []string{
		"", "root $x; $r = 1;", "$r = ;", "$r = 1", "$r = (1;", "$r = 1<x>;", "$r = 1<3-2>;", "$r = $nobody;", "$r = 1; $r = 2;",
		"$NULL = 1;", "$r = /x/ 1 | 2;", "$r = {open;", "$r = $SPECIAL;", "$r = \"open;", "mode; bogus;", "$r = 1<100000>;",
		"$r = 1<900> 2<900>; $s = (($r<30>)<30>)<30>; $t = ((((1<20>)<20>)<20>)<20>)<20>;", "$r = " + strings.Repeat("(", 1000) + "1;",
		"<x/>", "<grammar/>", "<grammar><rule id='r'><b/></rule></grammar>", "<grammar><rule>1</rule></grammar>",
		"<grammar><rule id='r'><one-of>1</one-of></rule></grammar>", "<grammar><rule id='r'><ruleref/></rule></grammar>",
		"<grammar><rule id='r'><ruleref special='WHAT'/></rule></grammar>", "<grammar><rule id='r'><item repeat='-'>1</item></rule></grammar>",
		"<grammar><rule id='r'><one-of><item weight='-1'>1</item></one-of></rule></grammar>", "<grammar root='x'><rule id='r'>1</rule></grammar>",
		"<grammar>1<rule id='r'>1</rule></grammar>", "<grammar><rule id='r'><one-of>1<item>2</item></one-of></rule></grammar>",
		"<grammar version='2.0'><rule id='r'>1</rule></grammar>", "<grammar mode='x'><rule id='r'>1</rule></grammar>",
		"<grammar><rule id='r' scope='x'>1</rule></grammar>", "<grammar><rule id='r'><item repeat='1-2' repeat-prob='2'>1</item></rule></grammar>",
		"root $r; root $s; $r = 1; $s = 2;", "mode dtmf; mode voice; $r = 1;", "mode x; $r = 1;", "$r = 1<0-1 /1.5/>;",
	} {
		if _, err := parseAny(src); err == nil {
			t.Errorf("%.60q was taken", src)
		}
	}
}

func TestLinkFails(t *testing.T) {
	for _, src := range []string{
		"public $r = $<missing.gram>;", "public $r = $<other.gram#private>;", "public $r = $<other.gram#none>;",
		"public $r = $<builtin:doesnotexist>;", "$a = 1; $b = 2;",
	} {
		g, err := parseAny(src)
		if err != nil {
			t.Fatal(src, err)
		}
		if _, err := Link(g, "", other); err == nil {
			t.Errorf("%q was linked", src)
		}
	}
}

func TestBuiltins(t *testing.T) {
	for _, c := range []struct{ uri, keys, state, means string }{
		{"builtin:dtmf/digits", "12", "open", `"12"`},
		{"builtin:dtmf/digits?length=2", "1", "prefix", ""},
		{"builtin:dtmf/digits?minlength=2;maxlength=3", "12", "open", `"12"`},
		{"builtin:dtmf/digits?minlength=2;maxlength=3", "123", "final", `"123"`},
		{"builtin:dtmf/boolean", "1", "final", "true"},
		{"builtin:grammar/boolean?y=3;n=4", "4", "final", "false"},
		{"date", "20261123", "final", `"20261123"`},
		{"date", "202613", "none", ""},
		{"time", "0930", "final", `"0930?"`},
		{"time", "1745", "final", `"1745h"`},
		{"time", "0015", "final", `"0015h"`},
		{"currency", "12*50", "final", `"12.50"`},
		{"number", "3*14", "open", `"3.14"`},
		{"number", "*5", "open", `"0.5"`},
		{"number", "007", "open", `"7"`},
		{"number", "00*5", "open", `"0.5"`},
		{"number", "0", "open", `"0"`},
		{"phone", "030123*45", "open", `"030123x45"`},
	} {
		g, err := Builtin(c.uri)
		if err != nil {
			t.Fatal(c.uri, err)
		}
		l, err := Link(g, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		m := l.NewMatcher()
		var s State
		for _, k := range []byte(c.keys) {
			s = m.Press(k)
		}
		if stateNames[s] != c.state {
			t.Errorf("%s %s: %s, want %s", c.uri, c.keys, stateNames[s], c.state)
		} else if c.means != "" && meaningOf(t, m.Match()) != c.means {
			t.Errorf("%s %s means %s, want %s", c.uri, c.keys, meaningOf(t, m.Match()), c.means)
		}
	}
	for _, uri := range []string{"builtin:dtmf/nothing", "digits?length=3;minlength=4", "digits?what=1", "boolean?y=1;n=1", "digits?x", "digits?minlength=4;maxlength=3"} {
		if _, err := Builtin(uri); err == nil {
			t.Errorf("%s was taken", uri)
		}
	}
}

// match presses keys on whatever grammar; it must end soon.
func match(t *testing.T, g *Grammar, keys string) {
	l, err := Link(g, "", other)
	if err != nil {
		return
	}
	began := time.Now()
	m := l.NewMatcher()
	for _, k := range []byte(keys) {
		s := m.Press(k)
		if (m.Match() != nil) != (s == Open || s == Final) {
			t.Fatalf("state %d does not fit the match", s)
		}
	}
	if p := m.Match(); p != nil {
		if p.Text() != keys {
			t.Fatalf("the parse has %q, pressed was %q", p.Text(), keys)
		}
		_, _ = p.Meaning(ecma.New(ecma.Limits{Time: 50 * time.Millisecond}))
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Fatalf("took %s", d)
	}
}

func FuzzABNF(f *testing.F) {
	b, err := os.ReadFile("testdata/abnf.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range strings.Split(string(b), "\n-- ")[1:] {
		_, rest, _ := strings.Cut(c, "\n")
		src, _, _ := strings.Cut(rest, "\n= ")
		f.Add("#ABNF 1.0;\n"+src, "12")
	}
	f.Fuzz(func(t *testing.T, src, keys string) {
		if g, err := ParseABNF(src, ""); err == nil {
			match(t, g, onlyKeys(keys))
		}
	})
}

func FuzzXML(f *testing.F) {
	b, err := os.ReadFile("testdata/xml.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range strings.Split(string(b), "\n-- ")[1:] {
		_, rest, _ := strings.Cut(c, "\n")
		src, _, _ := strings.Cut(rest, "\n= ")
		f.Add(src, "12")
	}
	f.Fuzz(func(t *testing.T, src, keys string) {
		n, err := xmltree.Parse([]byte(src), xmltree.Limits{})
		if err != nil {
			return
		}
		if g, err := ParseXML(n, ""); err == nil {
			match(t, g, onlyKeys(keys))
		}
	})
}

func onlyKeys(s string) string {
	var b []byte
	for i := 0; i < len(s) && len(b) < 30; i++ {
		if IsKey(s[i]) {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// TestW3CGrammars reads W3C's conformance grammars, when they are there.
func TestW3CGrammars(t *testing.T) {
	dir := cmp.Or(os.Getenv("HARK_VXML_IR"), filepath.Join("..", "..", "..", "shared", "vxml-ir"))
	files, err := filepath.Glob(filepath.Join(dir, "srgs10", "*.gr*"))
	if err != nil || len(files) == 0 {
		t.Skip("W3C's grammars are not here: name the folder in HARK_VXML_IR")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if IsABNF(string(text)) {
			_, err = ParseABNF(string(text), file)
		} else {
			var n *xmltree.Node
			if n, err = xmltree.Parse(text, xmltree.Limits{}); err == nil {
				_, err = ParseXML(n, file)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
