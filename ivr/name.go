package ivr

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"hark/accounts"
)

// longestName is how many characters a name that is spelled may have.
const longestName = 40

// nameNodes change what the caller is called.
func nameNodes() []*node {
	return []*node{
		{name: atName, kind: spelling, run: spellName, back: atSettings, help: "name.help", quiet: true,
			said: []string{"name.now", "spell.on", "spell.long"}, next: []state{atNamed},
			letters: letters{prompt: "name", full: "name.full", longest: longestName, text: nameText, to: atNamed}},
		{name: atNamed, kind: menu, run: runMenu, back: atSettings, help: "name.new.help", quiet: true, intro: newName,
			keys: []key{
				{press: "1", label: "name.key.1", do: keepName, to: atSettings},
				{press: "2", label: "written.key.2", to: atName},
				{press: "*", label: "name.key.back", to: atSettings},
			}},
	}
}

func nameText(c *Call) *string { return &c.name }

// startName begins with an empty name.
func startName(_ context.Context, c *Call) (state, error) {
	c.name = ""
	return atName, nil
}

// spellName tells what the caller is called now, unless a new name is written already, and takes letters.
func spellName(ctx context.Context, c *Call) (state, error) {
	if c.name == "" && c.session.Name != "" {
		c.tell(say("name.now", "name", c.session.Name))
	}
	return spell(ctx, c)
}

// newName reads the new name back, as a word and letter by letter: it may sound like another one.
func newName(c *Call) []phrase {
	return append([]phrase{say("name.new", "name", capitals(c.name))}, spelledOut(c.name)...)
}

// keepName gives the caller the new name.
func keepName(ctx context.Context, c *Call) (state, error) {
	name := capitals(c.name)
	err := c.await(ctx, func(ctx context.Context) error { return c.srv.Profiles.SetName(ctx, c.session.User, name) })
	switch {
	case errors.Is(err, accounts.ErrBadName):
		c.tell(say("name.bad"))
	case err != nil:
		return "", err
	default:
		c.session.Name = name
		c.tell(say("name.set", "name", name))
	}
	return atSettings, nil
}

// capitals begins each word with a capital letter: keys write small ones.
func capitals(name string) string {
	words := strings.Fields(name)
	for i, word := range words {
		first, size := utf8.DecodeRuneInString(word)
		words[i] = string(unicode.ToUpper(first)) + word[size:]
	}
	return strings.Join(words, " ")
}
