package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"hark/vxml"
)

// The documents of the bench have no mistakes, and those for the scripted line come to their end.
func TestVoiceXMLPages(t *testing.T) {
	pages, err := (&system{dir: t.TempDir()}).layPages()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(pages, "*.vxml"))
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if problems := vxml.Check(text, "file://"+file); len(problems) > 0 {
			t.Errorf("%s: %v", file, problems)
		}
	}
	if _, err := interpret(t.Context(), &lab{out: io.Discard}, pages, 1); err != nil {
		t.Error(err)
	}
}
