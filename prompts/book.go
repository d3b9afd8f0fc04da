package prompts

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"time"
)

//go:embed *.toml
var catalogues embed.FS

// A Book holds the texts of every language. After LoadBook it is only read: any goroutine may call its methods.
type Book struct {
	// Now tells the time that relative times are measured against, in the listener's time zone. nil is time.Now.
	// Set it before the first use.
	Now func() time.Time

	languages map[string]*language
}

// language is one catalogue with the rules it is spoken by.
type language struct {
	tongue  Tongue
	prompts map[string]prompt
}

// prompt is one text of a catalogue: a single template, or one for each plural form.
type prompt struct {
	plain  template
	forms  map[string]template
	sound  string        // the administrator's own sound file, or ""
	length time.Duration // of sound
}

// static tells whether the prompt always sounds the same.
func (p prompt) static() bool { return p.forms == nil && len(p.plain.names()) == 0 }

// names returns all placeholders of the prompt, in any of its forms. One that counts has "count" among them.
func (p prompt) names() []string {
	set := map[string]bool{}
	for _, name := range p.plain.names() {
		set[name] = true
	}
	for _, form := range p.forms {
		set["count"] = true
		for _, name := range form.names() {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Languages returns the languages of the book, sorted.
func (b *Book) Languages() []string { return slices.Sorted(maps.Keys(b.languages)) }

// IDs returns the ids of every prompt, sorted; they are the same in every language.
func (b *Book) IDs() []string {
	for _, l := range b.languages {
		return slices.Sorted(maps.Keys(l.prompts))
	}
	return nil
}

// Text returns the words of a prompt with its placeholders filled. It fails on an unknown language or id, on a
// placeholder that args lacks, and on a value that cannot be spoken. Args that the text does not use are ignored: one
// language may need what another does not.
func (b *Book) Text(lang, id string, args Args) (string, error) {
	l, p, err := b.find(lang, id)
	if err != nil {
		return "", err
	}
	text, err := l.text(p, args, b.now())
	if err != nil {
		return "", fmt.Errorf("prompts: %s in %s: %w", id, lang, err)
	}
	return text, nil
}

// Written returns the words of a prompt as they stand in the catalogue, with their placeholders; of plural forms the
// general one. "" when there is no such prompt.
func (b *Book) Written(lang, id string) string {
	l, p, err := b.find(lang, id)
	if err != nil {
		return ""
	}
	form := p.plain
	if forms := l.tongue.Plurals(); p.forms != nil {
		form = p.forms[forms[len(forms)-1]]
	}
	return form.String()
}

func (b *Book) find(lang, id string) (*language, prompt, error) {
	l, ok := b.languages[lang]
	if !ok {
		return nil, prompt{}, fmt.Errorf("prompts: no language %q", lang)
	}
	p, ok := l.prompts[id]
	if !ok {
		return nil, prompt{}, fmt.Errorf("prompts: no prompt %q in %s", id, lang)
	}
	return l, p, nil
}

// static returns the ids of the prompts of a language that always sound the same, sorted.
func (b *Book) static(lang string) []string {
	var ids []string
	for id, p := range b.languages[lang].prompts {
		if p.static() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (b *Book) now() time.Time {
	if b.Now == nil {
		return time.Now()
	}
	return b.Now()
}

// text fills a prompt.
func (l *language) text(p prompt, args Args, now time.Time) (string, error) {
	form, err := l.form(p, args)
	if err != nil {
		return "", err
	}
	return form.fill(func(name string) (string, error) {
		v, ok := args[name]
		if !ok {
			return "", fmt.Errorf("nothing given for {%s}", name)
		}
		s, err := speak(l.tongue, now, v)
		if err != nil {
			return "", fmt.Errorf("{%s}: %w", name, err)
		}
		return s, nil
	})
}

// form chooses the template by the argument "count".
func (l *language) form(p prompt, args Args) (template, error) {
	if p.forms == nil {
		return p.plain, nil
	}
	n, ok := integer(args["count"])
	if !ok {
		return nil, fmt.Errorf("{count} must be a whole number, not %T", args["count"])
	}
	return p.forms[l.tongue.Plural(n)], nil
}
