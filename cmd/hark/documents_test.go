package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// documents calls do with every Markdown file of the project, and its path from here.
func documents(t *testing.T, do func(path, text string)) {
	t.Helper()
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		found++
		text, err := os.ReadFile(path)
		do(path, string(text))
		return err
	})
	if err != nil || found < 8 {
		t.Fatalf("%d documents, %v", found, err)
	}
}

var (
	codeBlock = regexp.MustCompile("(?s)```.*?```")
	indented  = regexp.MustCompile(`(?m)^    .*$`)
	codeSpan  = regexp.MustCompile("`[^`]+`")
	// A command line: what stands before it, and its words up to whatever ends it.
	harkLine = regexp.MustCompile("(?:^ *|[\"'(`|] ?|-- |bin/|exec hark )hark ((?:-?-?[a-zA-Z][^ |<>#`;)\"']*[ ]?)+)")
	makeWord = regexp.MustCompile("`make ([a-z-]+)`|^ +make ([a-z-]+)")
	link     = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// TestDocumentsCommands looks up every command of hark and every word of make that a document names.
func TestDocumentsCommands(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	lines, words := 0, 0
	documents(t, func(path, text string) {
		code := codeBlock.FindAllString(text, -1)
		rest := codeBlock.ReplaceAllString(text, "")
		code = append(append(code, indented.FindAllString(rest, -1)...), codeSpan.FindAllString(rest, -1)...)
		for _, line := range strings.Split(strings.Join(code, "\n"), "\n") {
			for _, m := range harkLine.FindAllStringSubmatch(line, -1) {
				lines++
				if wrong := noCommand((&program{}).commands(), strings.Fields(m[1])); wrong != "" {
					t.Errorf("%s: %q: there is no %s", path, strings.TrimSpace(m[0]), wrong)
				}
			}
			for _, m := range makeWord.FindAllStringSubmatch(line, -1) {
				words++
				if word := m[1] + m[2]; !strings.Contains(string(makefile), "\n"+word+":") {
					t.Errorf("%s: there is no make %s", path, word)
				}
			}
		}
	})
	if lines < 40 || words < 6 {
		t.Errorf("only %d commands and %d words of make were found", lines, words)
	}
}

// noCommand tells which word is neither a command nor one of its options; "" when all are.
func noCommand(cmd *cobra.Command, args []string) string {
	for _, arg := range args {
		name, dashed := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		switch {
		case dashed && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil && name != "help":
			return arg
		case dashed || strings.HasPrefix(arg, "-") || !cmd.HasSubCommands():
			continue
		}
		names, _, _ := strings.Cut(arg, "|") // "list|show|end"
		below, _, err := cmd.Find([]string{names})
		if err != nil || below == cmd {
			if names == "…" || names == "COMMAND" {
				return ""
			}
			return arg
		}
		cmd = below
	}
	return ""
}

// TestDocumentsLinks follows every link to a file.
func TestDocumentsLinks(t *testing.T) {
	documents(t, func(path, text string) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}
