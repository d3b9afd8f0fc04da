package vxml

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/ivr"
	"hark/vxml/ecma"
	"hark/vxml/fetch"
)

// FuzzDocument proves that whatever a document says, the call comes to an end.
func FuzzDocument(f *testing.F) {
	for _, a := range archives(f, "testdata/cases/*.txtar") {
		f.Add(string(a.Files[0].Data), "12#")
	}
	for _, a := range archives(f, "testdata/assertions/*.txtar") {
		for _, section := range a.Files {
			if strings.Contains(section.Name, " ") && !strings.Contains(string(section.Data), "<vxml") {
				f.Add(assertionHead+string(section.Data)+assertionTail, "12#")
			}
		}
	}
	examples, err := filepath.Glob("examples/*/*.vxml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range examples {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), "0123")
	}
	for _, hostile := range []string{
		`<form><block><script>while(true);</script></block></form>`,
		`<catch><throw event="again"/></catch><form><block><throw event="x"/></block></form>`,
		`<form id="a"><subdialog src="#a"/></form>`,
		`<form><block><goto next="main.vxml"/></block></form>`,
		`<form><field type="digits"><property name="timeout" value="0s"/><noinput><reprompt/></noinput></field></form>`,
		`<form><block><foreach item="x" array="new Array(10000)"><foreach item="y" array="new Array(10000)"><log/></foreach></foreach></block></form>`,
		`<form><field><grammar root="r"><rule id="r"><ruleref uri="#r"/></rule></grammar></field></form>`,
	} {
		f.Add(v(hostile), "1")
	}
	f.Fuzz(func(t *testing.T, doc, keys string) {
		s := &caseSite{files: map[string][]byte{"main.vxml": []byte(doc)}}
		i, err := New(Options{
			Fetch: fetch.Options{Allow: []string{"http://app.example/"}, Transport: s}, Voice: wordVoice{}, Dir: t.TempDir(),
			Limits: Limits{Steps: 2000, Scripts: ecma.Limits{Time: 50 * time.Millisecond, Total: 200 * time.Millisecond}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		began := time.Now()
		_ = i.Handle(ctx, &irLine{keys: strings.Trim(keys, "xyz"), hang: cancel, far: ivr.DialBusy}, "http://app.example/main.vxml")
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		Check([]byte(doc), "http://app.example/main.vxml")
	})
}
