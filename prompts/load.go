package prompts

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"hark/internal/wav"
)

// Rate is the sample rate of everything that is played, in Hz.
const Rate = 8000

// LoadBook reads the catalogues (LANGUAGE.toml) in the top folder of fsys; nil is Hark's own. Then it lays the
// administrator's folders over them, one after the other, but for those that are "": LANGUAGE.toml replaces the texts of the ids it holds, and
// LANGUAGE/ID.wav (8 kHz, 16 bit, mono) the sound of a prompt that has no placeholders. All that was read is checked;
// an error names the file, the line and the id.
func LoadBook(fsys fs.FS, dirs ...string) (*Book, error) {
	if fsys == nil {
		fsys = catalogues
	}
	b := &Book{languages: map[string]*language{}}
	if err := b.loadTexts(fsys, false); err != nil {
		return nil, fmt.Errorf("prompts: %w", err)
	}
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		if err := b.override(dir); err != nil {
			return nil, fmt.Errorf("prompts: in %s: %w", dir, err)
		}
	}
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("prompts: %w", err)
	}
	return b, nil
}

// override lays the administrator's folder over the book.
func (b *Book) override(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("not a folder")
	}
	if err := b.loadTexts(os.DirFS(dir), true); err != nil {
		return err
	}
	return b.loadSounds(dir)
}

// loadTexts reads every catalogue in the top folder of fsys. When over is set, a language that the book has already is
// changed in the ids it knows; else each language is new.
func (b *Book) loadTexts(fsys fs.FS, over bool) error {
	files, err := fs.Glob(fsys, "*.toml")
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := b.loadText(fsys, file, over); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func (b *Book) loadText(fsys fs.FS, file string, over bool) error {
	lang := strings.TrimSuffix(file, ".toml")
	tongue, ok := tongues[lang]
	if !ok {
		return fmt.Errorf("no rules for the language %q; there are %s", lang, quoted(maps.Keys(tongues)))
	}
	loaded, err := parseCatalogue(fsys, file, tongue)
	if err != nil {
		return err
	}
	l, known := b.languages[lang]
	if !known || !over {
		b.languages[lang] = &language{tongue: tongue, prompts: loaded}
		return nil
	}
	return l.replace(loaded)
}

// replace takes over the given prompts, which must be known ones and may use only the placeholders that are filled.
func (l *language) replace(loaded map[string]prompt) error {
	for _, id := range slices.Sorted(maps.Keys(loaded)) {
		old, ok := l.prompts[id]
		if !ok {
			return fmt.Errorf("there is no prompt %q", id)
		}
		for _, name := range loaded[id].names() {
			if !slices.Contains(old.names(), name) {
				return fmt.Errorf("%s: {%s} is not known there; use %s", id, name, quoted(slices.Values(old.names())))
			}
		}
		l.prompts[id] = loaded[id]
	}
	return nil
}

// parseCatalogue reads one file. A value is a text, or a table of texts by plural form.
func parseCatalogue(fsys fs.FS, file string, tongue Tongue) (map[string]prompt, error) {
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	var doc map[string]map[string]any
	if _, err := toml.Decode(string(data), &doc); err != nil {
		return nil, err
	}
	texts := doc["prompts"]
	delete(doc, "prompts")
	if len(doc) > 0 {
		return nil, fmt.Errorf("unknown tables: %s; texts stand under [prompts]", quoted(maps.Keys(doc)))
	}
	out := map[string]prompt{}
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		if out[id], err = parsePrompt(texts[id], tongue); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return out, nil
}

func parsePrompt(v any, tongue Tongue) (prompt, error) {
	switch v := v.(type) {
	case string:
		t, err := parseTemplate(v)
		return prompt{plain: t}, err
	case map[string]any:
		return parseForms(v, tongue)
	}
	return prompt{}, fmt.Errorf("a text is expected, not %v", v)
}

// parseForms reads the plural forms, which must be just those that the language has.
func parseForms(table map[string]any, tongue Tongue) (prompt, error) {
	p := prompt{forms: map[string]template{}}
	for _, form := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(tongue.Plurals(), form) {
			return prompt{}, fmt.Errorf("%q is not a plural form of this language; is the id without quotes?", form)
		}
		text, ok := table[form].(string)
		if !ok {
			return prompt{}, fmt.Errorf("%s: a text is expected", form)
		}
		t, err := parseTemplate(text)
		if err != nil {
			return prompt{}, fmt.Errorf("%s: %w", form, err)
		}
		p.forms[form] = t
	}
	for _, form := range tongue.Plurals() {
		if _, ok := p.forms[form]; !ok {
			return prompt{}, fmt.Errorf("the plural form %q is missing", form)
		}
	}
	return p, nil
}

// loadSounds takes the sound files of the administrator's folder.
func (b *Book) loadSounds(dir string) error {
	for lang, l := range b.languages {
		files, err := filepath.Glob(filepath.Join(dir, lang, "*.wav"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := l.setSound(file); err != nil {
				return fmt.Errorf("%s: %w", path.Join(lang, filepath.Base(file)), err)
			}
		}
	}
	return nil
}

func (l *language) setSound(file string) error {
	id := strings.TrimSuffix(filepath.Base(file), ".wav")
	p, ok := l.prompts[id]
	if !ok {
		return fmt.Errorf("there is no prompt %q", id)
	}
	if !p.static() {
		return errors.New("this prompt has placeholders or plural forms; a sound cannot replace it, a text can")
	}
	sound, err := wav.Read(file)
	if err != nil {
		return err
	}
	if sound.Rate != Rate || sound.Channels != 1 {
		return fmt.Errorf("it has %d Hz, %d channels; %d Hz, 16 bit, mono is needed", sound.Rate, sound.Channels, Rate)
	}
	p.length = sound.Duration()
	p.sound, err = filepath.Abs(file)
	l.prompts[id] = p
	return err
}
