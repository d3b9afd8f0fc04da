package prompts

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// noon is the time that these tests tell.
var noon = time.Date(2026, time.May, 5, 12, 0, 0, 0, time.UTC) // a Tuesday

func smallBook(t *testing.T) *Book {
	t.Helper()
	b, err := LoadBook(os.DirFS("testdata/small"), "")
	if err != nil {
		t.Fatal(err)
	}
	b.Now = func() time.Time { return noon }
	return b
}

func TestText(t *testing.T) {
	b := smallBook(t)
	tests := []struct {
		id   string
		args Args
		want string
	}{
		{"login.number", nil, "Enter your user number, then hash."},
		{"home.new", Args{"count": 1}, "You have one new message."},
		{"home.new", Args{"count": int64(23)}, "You have twenty-three new messages."},
		{"reader.from", Args{"name": "Ben", "time": noon.Add(-2 * time.Minute)}, "Ben, two minutes ago:"},
		{"reader.from", Args{"name": []string{"Ana", "Ben"}, "time": Exact(noon), "unused": 1}, "Ana and Ben, Tuesday, the fifth of May, at noon:"},
		{"end.code", Args{"code": Digits("471902384")}, "Session four seven one, nine zero two, three eight four."},
		{"end.code", Args{"code": 65 * time.Second}, "Session one minute and five seconds."},
		{"odd.braces", Args{"name": "{x}"}, "Say {name} for {x}."},
	}
	for _, tt := range tests {
		if got, err := b.Text("en", tt.id, tt.args); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.id, got, err, tt.want)
		}
	}
}

func TestTextRefuses(t *testing.T) {
	b := smallBook(t)
	tests := []struct {
		lang, id string
		args     Args
		want     string // in the error
	}{
		{"fr", "login.number", nil, `no language "fr"`},
		{"en", "login.nmber", nil, `no prompt "login.nmber"`},
		{"en", "end.code", nil, "nothing given for {code}"},
		{"en", "end.code", Args{"code": 1.5}, "float64 cannot be spoken"},
		{"en", "home.new", Args{"count": "3"}, "must be a whole number, not string"},
		{"en", "home.new", nil, "must be a whole number"},
	}
	for _, tt := range tests {
		if got, err := b.Text(tt.lang, tt.id, tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, %v; want %q", tt.id, got, err, tt.want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             string // in the error
	}{
		{"no rules", "xx.toml", "[prompts]", `no rules for the language "xx"; there are de, en`},
		{"not TOML", "en.toml", "[prompts]\n\"a\" = \n", "line 2"},
		{"other table", "en.toml", "[promts]\n\"a\" = \"b\"", "unknown tables: promts"},
		{"id without quotes", "en.toml", "[prompts]\nlogin.number = \"b\"", "is the id without quotes?"},
		{"missing form", "en.toml", "[prompts]\na = {one = \"b\"}", `the plural form "other" is missing`},
		{"number", "en.toml", "[prompts]\na = 5", "a text is expected"},
		{"form of forms", "en.toml", "[prompts]\na = {one = \"b\", other = 5}", "other: a text is expected"},
		{"open brace", "en.toml", "[prompts]\na = \"{name\"", "without its }"},
		{"bad form", "en.toml", "[prompts]\na = {one = \"}\", other = \"b\"}", "without its {"},
		{"nothing", "README", "", "no catalogue found"},
	}
	for _, tt := range tests {
		_, err := LoadBook(fstest.MapFS{tt.file: {Data: []byte(tt.text)}}, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}

// backwards is a second language for tests: English, by other rules of plural.
type backwards struct{ english }

func (backwards) Plurals() []string { return []string{"few", "other"} }

func TestCheckComparesLanguages(t *testing.T) {
	tongues["zz"] = backwards{}
	defer delete(tongues, "zz")
	fsys := fstest.MapFS{
		"en.toml": {Data: []byte("[prompts]\na = \"{x}\"\nb = \"b\"\nn = {one = \"1\", other = \"{count}\"}")},
		"zz.toml": {Data: []byte("[prompts]\na = \"{y}\"\nc = \"c\"\nn = {few = \"{count}\", other = \"{count}\"}")},
	}
	_, err := LoadBook(fsys, "")
	if err == nil {
		t.Fatal("two languages that differ were accepted")
	}
	want := "prompts: a has the placeholders x in en, but y in zz\nb is in en, but not in zz\nc is in zz, but not in en"
	if err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	fsys["zz.toml"] = &fstest.MapFile{Data: []byte("[prompts]\na = \"{x}\"\nb = \"b\"\nn = {few = \"x\", other = \"{count}\"}")}
	if _, err := LoadBook(fsys, ""); err != nil {
		t.Error(err)
	}
}

func TestOwnCatalogue(t *testing.T) {
	b, err := LoadBook(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Languages(); !slices.Equal(got, []string{"de", "en"}) {
		t.Errorf("languages %v", got)
	}
	for _, id := range b.IDs() {
		args := Args{}
		for _, name := range b.languages["en"].prompts[id].names() {
			args[name] = 2
		}
		if text, err := b.Text("en", id, args); err != nil || !speakable(text) {
			t.Errorf("%s: %q, %v", id, text, err)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"", "{name} is online.", "{{}}", "{", "}", "{a}{b}", "{{{a}}}", "{1}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := parseTemplate(s)
		if err != nil {
			return
		}
		again, err := parseTemplate(first.String())
		if err != nil || again.String() != first.String() || len(again) != len(first) {
			t.Errorf("%q became %q, %v", s, again, err)
		}
		if s != first.String() {
			t.Errorf("%q is written %q", s, first)
		}
	})
}
