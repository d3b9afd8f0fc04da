package vxml

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hark/vxml/fetch"
)

func TestCheck(t *testing.T) {
	doc, err := os.ReadFile("testdata/check/mistakes.vxml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/check/mistakes.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range Check(doc, "http://app.example/x.vxml") {
		got = append(got, p.String())
		if p.Fatal {
			t.Errorf("%s is fatal", p)
		}
	}
	slices.Sort(got)
	lines := strings.Split(strings.TrimSpace(string(want)), "\n")
	slices.Sort(lines)
	if !slices.Equal(got, lines) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// TestOdd proves that Check finds nothing in what is seldom seen, and allowed.
func TestOdd(t *testing.T) {
	doc, err := os.ReadFile("testdata/check/odd.vxml")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Check(doc, "http://app.example/x.vxml") {
		t.Error(p)
	}
}

// TestInvalid proves that documents that the language does not allow are refused, with the line.
func TestInvalid(t *testing.T) {
	for doc, want := range map[string]string{
		"":                                       "line 1: no element",
		"<vxml":                                  "line 1: unexpected EOF",
		"<html/>":                                "line 1: the document element is <html>, not <vxml>",
		"<vxml/>":                                "line 1: <vxml> wants version",
		`<vxml version="1.0"/>`:                  `line 1: version "1.0" is neither 2.0 nor 2.1`,
		v(`<form><block><goto/></block></form>`): "line 1: <goto> wants next or expr or nextitem or expritem",
		v("\n<form><block><goto next='a' expr='b'/></block></form>"):                 "line 2: <goto> wants only one of next, expr, nextitem, expritem",
		v(`<form><field name="a"><grammar/></field></form>`):                         "line 1: <grammar> wants src or srcexpr or content",
		v(`<form><field name="a"/><field name="a"/></form>`):                         `line 1: there are two items "a" in one form`,
		v(`<form id="a"/><form id="a"/>`):                                            `line 1: there are two dialogs "a"`,
		v(`<form><blink/></form>`):                                                   "line 1: there is no element <blink>",
		v(`<form><choice/></form>`):                                                  "line 1: <choice> does not belong into <form>",
		v(`<form>text</form>`):                                                       "line 1: text does not belong into <form>",
		v(`<form><field><filled mode="any"/></field></form>`):                        "line 1: <filled> within an item has neither mode nor namelist",
		v(`<menu dtmf="true"><choice dtmf="5" next="#x">x</choice></menu>`):          `line 1: beside dtmf="true" of the menu a choice may only have the key 0, * or #`,
		v(`<form><catch count="0"/></form>`):                                         `line 1: count is a number from 1, not "0"`,
		v(`<link dtmf="x" next="#a"/>`):                                              `line 1: "x" are no keys`,
		v(`<form><block><if cond="1"><else/><elseif cond="2"/></if></block></form>`): "line 1: <elseif> behind <else>",
		"<!DOCTYPE vxml [<!ENTITY a 'b'>]>" + v(""):                                  "line 1: declarations inside of a document type are not allowed",
		v("&a;"):                      "line 1: invalid character entity &a;",
		strings.Repeat("<a>", 20_000): "line 1: xmltree: over the limit: more than 32 elements within one another",
	} {
		got := Check([]byte(doc), "http://app.example/x.vxml")
		if len(got) == 0 || !got[0].Fatal || got[0].String() != want {
			t.Errorf("%.80s: %v, want %s", doc, got, want)
		}
	}
}

func v(s string) string { return `<vxml version="2.1">` + s + `</vxml>` }

// TestExamplesAreClean proves that Check finds nothing in the example applications.
func TestExamplesAreClean(t *testing.T) {
	files, err := filepath.Glob("examples/*/*.vxml")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	dir, err := filepath.Abs("examples")
	if err != nil {
		t.Fatal(err)
	}
	i, err := New(Options{Fetch: fetch.Options{Allow: []string{"file://" + dir}}, Voice: wordVoice{}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	for _, f := range files {
		list, err := i.Check(context.Background(), "file://"+filepath.Dir(dir)+"/"+f)
		if err != nil || len(list) > 0 {
			t.Errorf("%s: %v %v", f, list, err)
		}
	}
}
