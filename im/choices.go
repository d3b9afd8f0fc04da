package im

import (
	"regexp"
	"strconv"
	"strings"
)

// numbered finds what may be the beginning of a numbered choice: "1) ", "2. ", "3: " at the beginning of a line, and
// within one only "1) ", since "at 2. " is no choice.
var numbered = regexp.MustCompile(`(?m)(?:^[ \t]*\(?(\d)[.):][ \t]+|[ \t,;(](\d)\)[ \t]+)`)

// fewestChoices is how many numbered choices a text must bring to be believed.
const fewestChoices = 2

// Offered lists the answers that a message offers: those that its sender declared, else those that its words number, each
// of which is answered by its number; nil when it offers none.
func (m Message) Offered() []Choice {
	if len(m.Choices) > 0 {
		return m.Choices
	}
	var list []Choice
	for i, label := range NumberedChoices(m.Body) {
		list = append(list, Choice{Label: label, Body: strconv.Itoa(i + 1)})
	}
	return list
}

// NumberedChoices lists the numbered choices that a text brings, in order, MaxChoices at most; nil when it brings none.
// The first is number 1.
func NumberedChoices(text string) []string {
	var list []string
	begin := 0
	for _, m := range numbered.FindAllStringSubmatchIndex(text, -1) {
		if group(text, m) != strconv.Itoa(len(list)+1) {
			continue
		}
		if len(list) > 0 {
			list[len(list)-1] = choice(text[begin:m[0]])
		}
		list, begin = append(list, ""), m[1]
	}
	if len(list) < fewestChoices || len(list) > MaxChoices {
		return nil
	}
	line, _, _ := strings.Cut(text[begin:], "\n")
	list[len(list)-1] = choice(line)
	for _, one := range list {
		if one == "" {
			return nil
		}
	}
	return list
}

// group is the digit that was found.
func group(text string, m []int) string {
	if m[2] >= 0 {
		return text[m[2]:m[3]]
	}
	return text[m[4]:m[5]]
}

// choice takes away what stands between choices.
func choice(s string) string {
	s = strings.TrimSpace(s)
	for _, between := range []string{" or", " oder"} {
		s = strings.TrimSuffix(s, between)
	}
	return strings.Trim(s, " \t\n,;(?.")
}
