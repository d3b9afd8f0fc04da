package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A small screen shows a page in decks, one after the other. For that the page is taken apart into units that are never
// split, and as many of them as fit go into a deck. The next deck begins at a unit's number, so that nothing is left out
// or shown twice whatever fitted before.

// A unit is a piece of a page. Exactly one of Text (with Head and Links), Choice and Form is there.
type unit struct {
	Head   string // who speaks
	Text   string
	Sounds []Audio // what can be listened to, after the text
	Choice *choice
	Form   *Form
}

// A choice is one line of a list that a digit picks: a link, or a form with nothing to fill in.
type choice struct {
	Label string
	Href  string
	Form  *Form
}

// A deck is as much of a page as is sent at once.
type deck struct {
	Title string
	Fresh bool
	Units []unit
	More  string // address of the next deck, "" when this is the last one
	First int    // number that picks the first choice
}

// A screen is what a markup's decks are bounded by, and how they are written.
type screen struct {
	contentType string
	limit       int                 // bytes of a deck, as cost counts
	choices     int                 // in one deck
	chunk       int                 // bytes of text in one unit, as they are in markup
	frame       func(p Page) int    // cost of a deck without units, but with a More
	cost        func(u unit) int    // cost of a unit
	write       func(d deck) string // writes a deck
	size        func(s string) int  // what counts as the size of a deck
	drops       func(f Form) bool   // tells of a form that cannot be filled in here; nil for none
	label       int                 // characters of a choice
}

// fromField is the part of an address that says at which unit a deck begins.
const fromField = "from"

// writeSmall writes the deck of a page that the request asks for.
func writeSmall(w http.ResponseWriter, r *http.Request, p Page, s screen) error {
	notice, units := s.units(p)
	from, err := strconv.Atoi(r.URL.Query().Get(fromField))
	if err != nil || from < 0 || from >= len(units) || r.Method != http.MethodGet {
		from = 0
	}
	body := s.deck(p, notice, units, from)
	h := w.Header()
	h.Set("Content-Type", s.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Pragma", "no-cache")
	w.WriteHeader(http.StatusOK) // gateways and phones throw a page away that has any other
	_, err = w.Write([]byte(body))
	return err
}

// deck writes the deck that begins at unit number from.
func (s screen) deck(p Page, notice, units []unit, from int) string {
	d := deck{Title: p.Title, Fresh: p.Fresh}
	if from == 0 {
		units = append(notice, units...)
		from -= len(notice)
	} else {
		units = units[from:]
	}
	for n := s.fit(p, units); ; n-- {
		d.Units, d.More = units[:n], ""
		if n < len(units) {
			d.More = withQuery(p.Self, fmt.Sprint(fromField, "=", from+n))
		}
		if body := s.write(d); n <= 1 || s.size(body) <= s.limit {
			return body
		}
	}
}

// fit tells how many of the units go into one deck; at least one does.
func (s screen) fit(p Page, units []unit) int {
	room, choices := s.limit-s.frame(p), s.choices
	for i, u := range units {
		if u.Choice != nil {
			choices--
		}
		room -= s.cost(u)
		last := i == len(units)-1
		if i > 0 && (room < 0 || choices < 0 || choices == 0 && !last) {
			return i
		}
	}
	return len(units)
}

// units takes a page apart, in the order of reading. The notice is apart: only the first deck has it.
func (s screen) units(p Page) (notice, units []unit) {
	if p.Notice != "" {
		notice = []unit{{Text: cut(p.Notice, noticeMax)}}
	}
	for _, text := range p.Text {
		units = append(units, s.said("", text)...)
	}
	for _, item := range p.Items {
		units = append(units, s.item(item)...)
	}
	return notice, slices.Concat(units, s.forms(p.Forms), s.links(p))
}

// item is an item as units: one that leads somewhere is a choice.
func (s screen) item(item Item) []unit {
	if item.Href != "" {
		label := item.Title
		if item.Count > 0 {
			label += fmt.Sprintf(" (%d)", item.Count)
		}
		if text := item.text(); text != "" {
			label += ": " + text
		} else if item.Note != "" {
			label += ", " + item.Note
		}
		return []unit{{Choice: &choice{Label: cut(label, s.label), Href: item.Href}}}
	}
	head := item.Title
	if item.Note != "" {
		head += ", " + item.Note
	}
	units := s.said(head, item.text())
	units[len(units)-1].Sounds = item.Audio
	return units
}

// text is an item's text in one piece.
func (i Item) text() string {
	var b strings.Builder
	for n, line := range i.Lines {
		if n > 0 {
			b.WriteByte('\n')
		}
		for _, span := range line {
			b.WriteString(span.Text)
		}
	}
	return b.String()
}

// said is a text in pieces of the size that a unit may have.
func (s screen) said(head, text string) []unit {
	var units []unit
	head = cut(head, headMax)
	for {
		piece := heavy(text, s.chunk)
		if piece == text {
			return append(units, unit{Head: head, Text: text})
		}
		if space := strings.LastIndexAny(piece, " \n"); space > len(piece)/2 {
			piece = piece[:space+1]
		}
		units = append(units, unit{Head: head, Text: piece})
		head, text = "", text[len(piece):]
	}
}

// heavy is as much of the beginning of a text as does not weigh more in markup than most bytes.
func heavy(text string, most int) string {
	for at, r := range text {
		if most -= weigh(r); most < 0 {
			return text[:at]
		}
	}
	return text
}

// How many characters are shown of who speaks, and of what just happened.
const (
	headMax   = 50
	noticeMax = 150
)

// weigh tells how many bytes a character is in markup, at most.
func weigh(r rune) int {
	switch r {
	case '$':
		return 2
	case '&', '<', '>', '"', '\'', '\n':
		return 5
	}
	return utf8.RuneLen(r)
}

// forms are the forms as units; one with nothing to fill in is a choice.
func (s screen) forms(forms []Form) []unit {
	var fill, pick []unit
	for _, f := range forms {
		switch {
		case s.drops != nil && s.drops(f):
		case f.blank():
			pick = append(pick, unit{Choice: &choice{Label: cut(f.Submit, s.label), Form: &f}})
		default:
			fill = append(fill, unit{Form: &f})
		}
	}
	return append(fill, pick...)
}

// blank tells that there is nothing to fill in.
func (f Form) blank() bool {
	return !slices.ContainsFunc(f.Fields, func(f Field) bool { return f.Kind != Hidden })
}

func (s screen) links(p Page) []unit {
	var units []unit
	if p.Older.Href != "" {
		units = append(units, unit{Choice: &choice{Label: p.Older.Text, Href: p.Older.Href}})
	}
	for _, l := range p.Links {
		units = append(units, unit{Choice: &choice{Label: l.Text, Href: l.Href}})
	}
	return units
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
