package main

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A shownPage is the page behind a link, as far as a terminal can show it.
type shownPage struct {
	lines   []string
	sources int // forms that its player has to choose from
}

// readPage reads what somebody sees who opens a link in a browser, line by line.
func readPage(page []byte) (shownPage, error) {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return shownPage{}, err
	}
	var shown shownPage
	for n := range root.Descendants() {
		switch line := lineOf(n); {
		case n.DataAtom == atom.Source:
			shown.sources++
		case line != "":
			shown.lines = append(shown.lines, line)
		}
	}
	return shown, nil
}

// lineOf is the line that an element is, "" for one that is none by itself.
func lineOf(n *html.Node) string {
	class := attribute(n, "class")
	switch {
	case n.DataAtom == atom.H1, n.DataAtom == atom.P:
		return textOf(n)
	case n.DataAtom == atom.Ul:
		return strings.Join(items(n), " │ ")
	case n.DataAtom == atom.A && class == "call":
		return "[ " + textOf(n) + " ]"
	case n.DataAtom == atom.Summary:
		return "▸ " + textOf(n)
	case n.DataAtom == atom.Audio:
		return "▶ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━"
	case n.Data == "path" && attribute(n.Parent, "class") == "wave":
		return bars(attribute(n, "d"))
	}
	return ""
}

func items(list *html.Node) (texts []string) {
	for n := range list.ChildNodes() {
		if n.DataAtom == atom.Li {
			texts = append(texts, textOf(n))
		}
	}
	return texts
}

// textOf is the text in an element, with single spaces.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// bars draws the waveform's path, "M2 31v2M6 17v30…", two of its bars as one.
func bars(path string) string {
	const tallest = 60
	blocks := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	higher := 0
	for i, bar := range strings.Split(path, "M")[1:] {
		var x, y, high int
		if _, err := fmt.Sscanf(bar, "%d %dv%d", &x, &y, &high); err != nil {
			return ""
		}
		if higher = max(higher, high); i%2 == 1 {
			b.WriteRune(blocks[min(higher, tallest)*(len(blocks)-1)/tallest])
			higher = 0
		}
	}
	return b.String()
}
