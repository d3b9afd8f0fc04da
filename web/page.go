package web

import (
	"fmt"
	"strings"
	"unicode"
)

// A Page is one screen: what it says and what can be done, without a word about how it looks. Texts are plain; whoever
// writes a Page escapes them.
type Page struct {
	Title  string
	Notice string   // what just happened, "" for nothing
	Text   []string // paragraphs
	Links  []Link   // where to go from here, most wanted first
	Items  []Item
	Chat   bool // the items are the messages of a conversation
	Older  Link // leads to more items; zero for none
	Forms  []Form
	Status int    // HTTP status, 0 is 200
	Self   string // where the same page, or one very like it, is got by GET; "" where there is no more of it than this
	Fresh  bool   // whatever the client remembers of pages before is to be forgotten: the PIN that was keyed in
	Live   string // where the events arrive that make it worth looking again; "" when it does not change
}

// A Link leads to another page of ours.
type Link struct {
	Text string
	Href string
}

// An Item is one line of a list: a person, or a message.
type Item struct {
	Title string
	Href  string // a page of ours, or ""
	Note  string // "online", a time, a delivery state
	Day   string // what day it is from here on, "" where the item above says it
	Count int    // how many messages are unread, 0 for none
	Mine  bool   // written by the user
	New   bool   // not seen yet
	Lines []Line // a message's text
	Audio []Audio
	Face  string // one or two letters that stand for a person's picture; "" for none
}

// Class is what the style sheet knows an item by; faces tells that faces are shown.
func (i Item) Class(faces bool) string {
	var of []string
	if faces && i.Face != "" {
		of = append(of, "person")
	}
	if i.Mine {
		of = append(of, "mine")
	} else if i.New {
		of = append(of, "new")
	}
	return strings.Join(of, " ")
}

// Tint is one of six colours for a face, always the same one for a name.
func (i Item) Tint() int {
	sum := 0
	for _, r := range i.Title {
		sum += int(r)
	}
	return sum % 6
}

// face is the first letters of a name: of its first and its last word.
func face(name string) string {
	first := func(word string) string {
		for _, r := range word {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return string(unicode.ToUpper(r))
			}
		}
		return ""
	}
	words := strings.Fields(name)
	if len(words) == 0 {
		return ""
	}
	if len(words) == 1 {
		return first(words[0])
	}
	return first(words[0]) + first(words[len(words)-1])
}

// A Line is one line of a message's text.
type Line []Span

// A Span is a piece of a line. With an Href it is a link that leads out through a page of ours.
type Span struct {
	Text string
	Href string
}

// Audio is a voice message.
type Audio struct {
	Title string
	URL   string // what a player plays; "" when the sound is not on our own audio server
	Type  string // media type
	Href  string // a page that leads to it
	Seq   int64  // number of the message
	At    string // where to go on, as "0:07"; "" is from the beginning
}

// from has the sound begin where the user stopped.
func (a *Audio) from(ms int64) {
	a.At = fmt.Sprintf("%d:%02d", ms/60000, ms/1000%60)
	if a.URL != "" {
		a.URL += fmt.Sprintf("#t=%d.%d", ms/1000, ms/100%10)
	}
}

// label is what a small screen says of it, with where to go on.
func (a Audio) label() string {
	if a.At == "" {
		return a.Title
	}
	return a.Title + ", go on at " + a.At
}

// A Form is something to fill in and send.
type Form struct {
	Title  string // "" for none
	Action string // a page of ours
	Get    bool   // it only asks, and changes nothing
	Fields []Field
	Submit string // what the button says
	Keep   string // what a second button says, which sends the same with keepField; "" for none
	Quiet  bool   // not what one usually wants
	Voice  string // where a recording may be sent instead, by POST; "" for nowhere
}

// FieldKind says how a field is filled in.
type FieldKind string

// The kinds of fields.
const (
	Digits FieldKind = "digits"
	PIN    FieldKind = "pin"
	Words  FieldKind = "words" // several lines
	Short  FieldKind = "short" // one line
	Name   FieldKind = "name"  // a part of somebody's name, in letters or by the digits of a telephone's keys
	Hidden FieldKind = "hidden"
)

// A Field is one thing to fill in.
type Field struct {
	Kind  FieldKind
	Name  string
	Label string
	Value string
	Max   int // characters, 0 for no bound
}

// Hidden values of forms.
const (
	onceField = "once" // the one-time number
	uptoField = "upto" // number of the last message on the page
	keepField = "keep" // what is in the form is kept instead of sent
)

// once makes the hidden field with a new one-time number.
func once() Field { return Field{Kind: Hidden, Name: onceField, Value: random()} }
