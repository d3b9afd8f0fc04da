package prompts

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// check tells whether every language has the same prompts with the same placeholders. A text may leave out a
// placeholder only within a plural form ("one message").
func (b *Book) check() error {
	langs := b.Languages()
	if len(langs) == 0 {
		return errors.New("no catalogue found")
	}
	var faults []error
	first := b.languages[langs[0]]
	for _, lang := range langs[1:] {
		faults = append(faults, compare(langs[0], first.prompts, lang, b.languages[lang].prompts)...)
	}
	return errors.Join(faults...)
}

// compare lists the differences of two catalogues.
func compare(lang1 string, prompts1 map[string]prompt, lang2 string, prompts2 map[string]prompt) []error {
	var faults []error
	for _, id := range slices.Sorted(maps.Keys(prompts1)) {
		other, ok := prompts2[id]
		if !ok {
			faults = append(faults, fmt.Errorf("%s is in %s, but not in %s", id, lang1, lang2))
			continue
		}
		if have, want := other.names(), prompts1[id].names(); !slices.Equal(have, want) {
			faults = append(faults, fmt.Errorf("%s has the placeholders %s in %s, but %s in %s",
				id, quoted(slices.Values(want)), lang1, quoted(slices.Values(have)), lang2))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(prompts2)) {
		if _, ok := prompts1[id]; !ok {
			faults = append(faults, fmt.Errorf("%s is in %s, but not in %s", id, lang2, lang1))
		}
	}
	return faults
}

// quoted lists words for an error.
func quoted(words iter.Seq[string]) string {
	if list := slices.Sorted(words); len(list) > 0 {
		return strings.Join(list, ", ")
	}
	return "none"
}
