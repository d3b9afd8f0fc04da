package ivr

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// letters is what a node takes that is spelled.
type letters struct {
	prompt  string // what asks for it
	full    string // said when it is as long as it can be
	longest int    // in characters
	text    func(c *Call) *string
	to      state         // when it is written
	drop    func(c *Call) // when nothing is written; nil when nothing is to be done then
}

// longestText is how many characters a message that is spelled may have.
const longestText = 1000

// hashed is what the last hash of a spelling was.
type hashed int

const (
	noHash     hashed = iota
	endsLetter        // it ended a letter
	loneHash          // there was no letter to end
)

// A speller takes a text letter by letter: a key pressed again is its next letter, a second without a key or another
// key ends the letter. Each letter is spoken, and after a space the word.
type speller struct {
	*Call
	of   letters
	text *string // what is written so far
	pad  pad
	key  byte // of the letter that is not ended yet, 0 for none
	taps int
	hash hashed
}

// startSpelling begins a message to the person at hand.
func startSpelling(_ context.Context, c *Call) (state, error) {
	c.drop()
	c.rec = &take{id: newID(), answer: c.answering()}
	return atSpell, nil
}

// messageText is where a message that is spelled stands at any time, so that a hang-up keeps it.
func messageText(c *Call) *string { return &c.rec.text }

// newSpeller begins, or goes on, with what the node takes.
func newSpeller(c *Call) *speller {
	return &speller{Call: c, of: c.node.letters, text: c.node.letters.text(c), pad: padOf(c.lang)}
}

// spell takes letters.
func spell(ctx context.Context, c *Call) (state, error) {
	s := newSpeller(c)
	list := []phrase{say(s.of.prompt)}
	if *s.text != "" {
		list = append([]phrase{say("spell.on")}, c.read(*s.text)...)
	}
	for misses := 0; misses < maxTurns; {
		in, err := c.gather(ctx, Gather{Play: c.clips(ctx, append(c.aside(), list...)...), Max: 1, First: s.wait()})
		if err != nil {
			return "", err
		}
		list = nil
		switch {
		case in.Keys != "":
			misses = 0
			var next state
			if next, list = s.press(in.Keys[0]); next != stay {
				return next, nil
			}
		case s.key != 0:
			s.commit()
		case s.hash == loneHash:
			return s.finish(), nil
		default:
			misses++
			list = s.rung(misses)
		}
	}
	return atGiveUp, nil
}

// wait is how long the next key may take.
func (s *speller) wait() time.Duration {
	switch {
	case s.key != 0:
		return s.set.Letter
	case s.hash == loneHash:
		return s.set.Between
	}
	return s.set.FieldFirst
}

// rung is what is said at a step of the error ladder.
func (s *speller) rung(misses int) []phrase {
	switch misses {
	case 1:
		return append([]phrase{say("spell.on")}, s.read(*s.text)...)
	case 2:
		return []phrase{say("spell.long")}
	}
	return []phrase{say(s.node.help)}
}

// press does what a key means.
func (s *speller) press(key byte) (state, []phrase) {
	before := s.hash
	s.hash = noHash
	switch {
	case key == '#' && s.key != 0:
		s.commit()
		s.hash = endsLetter
	case key == '#' && before != noHash:
		return s.finish(), nil
	case key == '#':
		s.hash = loneHash
	case key == '*':
		return s.erase()
	case key >= '0' && key <= '9':
		return stay, s.write(key)
	}
	return stay, nil
}

// write begins a letter, or goes on to the next one on its key, and speaks it; a space speaks the word before it.
func (s *speller) write(key byte) []phrase {
	if key != s.key {
		s.commit()
		s.key, s.taps = key, 0
	}
	if utf8.RuneCountInString(*s.text) >= s.of.longest {
		s.key = 0
		return []phrase{say(s.of.full)}
	}
	s.taps++
	r := s.pad.letter(s.key, s.taps)
	if words := strings.Fields(*s.text); r == ' ' && len(words) > 0 && !strings.HasSuffix(*s.text, " ") {
		return []phrase{spoken(words[len(words)-1])}
	}
	return []phrase{say(letterID(r))}
}

// commit ends the letter at hand, if there is one.
func (s *speller) commit() {
	if s.key != 0 {
		*s.text += string(s.pad.letter(s.key, s.taps))
		s.key = 0
	}
}

// erase takes the last letter away; where there is none it goes back.
func (s *speller) erase() (state, []phrase) {
	s.commit()
	r, size := utf8.DecodeLastRuneInString(*s.text)
	if size == 0 {
		s.nothing()
		return s.node.back, nil
	}
	*s.text = (*s.text)[:len(*s.text)-size]
	return stay, []phrase{say(letterID(r)), say("spell.erased")}
}

// finish goes on with what was written, or back when that is nothing.
func (s *speller) finish() state {
	*s.text = strings.TrimSpace(*s.text)
	if *s.text == "" {
		s.nothing()
		s.tell(say("spell.nothing"))
		return s.node.back
	}
	return s.of.to
}

// nothing lets go of what was to be written.
func (s *speller) nothing() {
	if s.of.drop != nil {
		s.of.drop(s.Call)
	}
}
