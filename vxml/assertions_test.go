package vxml

import (
	"context"
	"errors"
	"strings"
	"testing"

	"hark/vxml/fetch"
)

// The frame around an assertion that is no whole document.
const (
	assertionHead = `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml" xml:lang="en">`
	assertionTail = "\n" + `<catch event="error connection"><prompt>fail: caught <value expr="_event"/> <value expr="_message"/></prompt><exit/></catch></vxml>`
)

// TestAssertions holds the interpreter against sentences of the specification, in the way of W3C's own tests: each document
// says "pass" or "fail", and the caller presses X when it hears "Press 'X'". A file of testdata/assertions is a chapter of
// VoiceXML 2.0 or 2.1. A section of it whose name has blanks is a sentence with a document that tests it; without a <vxml>
// it is what stands in one. A section named like a file is one that the documents of this file fetch.
func TestAssertions(t *testing.T) {
	for _, chapter := range archives(t, "testdata/assertions/*.txtar") {
		for _, f := range chapter.Files {
			if strings.Contains(f.Name, " ") {
				t.Run(chapter.name+"/"+f.Name, func(t *testing.T) { assertion(t, siteOf(chapter.Archive), string(f.Data)) })
			}
		}
	}
}

// sentences counts them.
func sentences(t *testing.T) (n int) {
	for _, chapter := range archives(t, "testdata/assertions/*.txtar") {
		for _, f := range chapter.Files {
			if strings.Contains(f.Name, " ") {
				n++
			}
		}
	}
	return n
}

// assertion runs one document to its end.
func assertion(t *testing.T, site *caseSite, text string) {
	t.Helper()
	if !strings.Contains(text, "<vxml") {
		text = assertionHead + text + assertionTail
	}
	site.files["main.vxml"] = []byte(text)
	site.files["sub/only-here.wav"] = site.files["beep.wav"]
	site.files["latin.gram"] = []byte("#ABNF 1.0 ISO-8859-1; root $r; $r = 1 {caf\xe9};")
	site.files["latin.js"] = []byte("var word = \"a\xe9\"")
	var notes []Note
	i, err := New(Options{
		Fetch: fetch.Options{Allow: []string{"http://app.example/"}, Transport: site}, Voice: wordVoice{}, Trunks: wayOut, Dir: t.TempDir(),
		Watch: func(n Note) { notes = append(notes, n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	line := &irLine{hang: cancel, dir: t.TempDir()}
	err = i.Handle(ctx, line, "http://app.example/main.vxml")
	var over *fatal
	if verdict, log := judge(notes); verdict != "pass" || errors.As(err, &over) {
		t.Errorf("%q, %v; %s\nheard %q", verdict, err, log, line.heard)
	}
}
