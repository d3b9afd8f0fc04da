package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// pictures draws what Ana sees at the end of the demo into the folder that was asked for: the conversation in a browser of
// today, and the deck as a WAP phone shows it.
func (p *play) pictures(ctx context.Context, b *webReader, deck string) error {
	if p.lab.pictures == "" {
		return nil
	}
	b.agent = "Mozilla/5.0 (lab)"
	if err := b.follow(ctx, "Look again", "text/html"); err != nil {
		return err
	}
	if err := p.lab.draw(ctx, "web", b.page, 360, 620); err != nil {
		return err
	}
	return p.lab.draw(ctx, "wap", deckScreen(deck), 240, 480)
}

// draw has Chromium draw a page into a PNG.
func (l *lab) draw(ctx context.Context, name, page string, width, height int) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "hark-pictures-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, name+".html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		return err
	}
	picture, err := filepath.Abs(filepath.Join(l.pictures, name+".png"))
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		"--user-data-dir="+filepath.Join(dir, "profile"), fmt.Sprintf("--window-size=%d,%d", width, height),
		"--screenshot="+picture, "file://"+file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("chromium: %w (scripts/deps.sh tests installs it)\n%s", err, out)
	}
	return nil
}

const deckPage = `<!DOCTYPE html><meta charset="utf-8"><style>
body{margin:0;padding:18px;background:#3d4650;font:15px/1.3 monospace}
div{background:#a9bd8b;color:#1b2410;padding:10px;border-radius:6px;min-height:400px}
h1{font-size:15px;margin:0 0 6px;border-bottom:2px solid}p{margin:4px 0;overflow-wrap:anywhere}u{text-decoration:none;border:1px solid;display:block;min-height:1.3em}
</style><div><h1>%s</h1>%s</div>`

// What a phone makes of the elements of a deck.
var (
	deckTitle = regexp.MustCompile(`<card [^>]*title="([^"]*)"`)
	deckBody  = regexp.MustCompile(`(?s)<card [^>]*>(.*)</card>`)
	deckParts = regexp.MustCompile(`(?s)<option.*?</option>|<anchor>.*?</anchor>|<input [^>]*>|<onevent.*?</onevent>|<do .*?</do>`)
	deckTask  = regexp.MustCompile(`(?s)<onevent.*?</onevent>|<go.*?</go>|<[^>]+>`)
)

// deckScreen is a deck as a phone of 1999 shows it, as a page: texts in their order, what can be picked with its number,
// what can be filled in as a line.
func deckScreen(deck string) string {
	title, body, number := deckTitle.FindStringSubmatch(deck), deckBody.FindStringSubmatch(deck), 0
	if title == nil || body == nil {
		return html.EscapeString(deck)
	}
	shown := deckParts.ReplaceAllStringFunc(body[1], func(part string) string {
		words := strings.TrimSpace(deckTask.ReplaceAllString(part, ""))
		switch {
		case strings.HasPrefix(part, "<option"):
			number++
			return fmt.Sprintf("<p>%d %s</p>", number, words)
		case strings.HasPrefix(part, "<anchor"):
			return "[" + words + "]"
		case strings.HasPrefix(part, "<input"):
			return "<u></u>"
		}
		return ""
	})
	shown = strings.NewReplacer("<select>", "", "</select>", "").Replace(shown)
	return fmt.Sprintf(deckPage, title[1], strings.ReplaceAll(shown, "$$", "$"))
}
