package dialplan

import (
	"errors"
	"fmt"
	"strings"
)

// maxNumber is the longest number. E.164 has 15 digits; some exchanges put a prefix before them.
const maxNumber = 32

// keys are what a number consists of: what a telephone can dial.
const keys = "0123456789*#+"

// A pattern is a number, as the set of keys that each place may hold.
type pattern []string

// match tells whether a dialled number fits.
func (p pattern) match(called string) bool {
	if len(called) != len(p) {
		return false
	}
	for i, set := range p {
		if strings.IndexByte(set, called[i]) < 0 {
			return false
		}
	}
	return true
}

// parsePattern reads the Number of a route. The error says what to write instead.
func parsePattern(number string) (pattern, error) {
	rest, isPattern := strings.CutPrefix(number, "_")
	switch {
	case number == "s":
		return pattern{"s"}, nil
	case rest == "":
		return nil, errors.New("it is empty")
	}
	var p pattern
	for rest != "" {
		set, n, err := parsePlace(rest, isPattern)
		if err != nil {
			return nil, err
		}
		p, rest = append(p, set), rest[n:]
	}
	switch {
	case len(p) > maxNumber:
		return nil, fmt.Errorf("it is longer than %d digits", maxNumber)
	case strings.LastIndexByte(number, '+') > strings.IndexAny(number, keys):
		return nil, errors.New("a + can only stand in front")
	}
	return p, nil
}

// parsePlace reads what the first place may hold, and how many bytes say so.
func parsePlace(s string, isPattern bool) (set string, n int, err error) {
	c := s[0]
	if strings.IndexByte(keys, c) >= 0 {
		return s[:1], 1, nil
	}
	if !isPattern {
		return "", 0, notDialled(s)
	}
	switch c {
	case 'X', 'x':
		return "0123456789", 1, nil
	case 'Z', 'z':
		return "123456789", 1, nil
	case 'N', 'n':
		return "23456789", 1, nil
	case '[':
		return parseSet(s)
	case '.', '!':
		return "", 0, fmt.Errorf("%q stands for any text, also for the name of a telephone to be dialled: write one X for each digit", c)
	}
	return "", 0, notDialled(s)
}

func notDialled(s string) error {
	switch s[0] {
	case 'X', 'Z', 'N', '[':
		return fmt.Errorf("a pattern begins with an underscore: write _ in front")
	case '.', '!':
		return errors.New("a number is written out")
	}
	return fmt.Errorf("%q is nothing that a telephone dials: only digits, * and #, and a + in front", []rune(s)[0])
}

// parseSet reads a set of digits such as [2-57].
func parseSet(s string) (set string, n int, err error) {
	inside, _, closed := strings.Cut(s[1:], "]")
	if !closed || inside == "" {
		return "", 0, errors.New("a [ needs digits and a ] behind it")
	}
	var b strings.Builder
	for i := 0; i < len(inside); i++ {
		from, to := inside[i], inside[i]
		if i+2 < len(inside) && inside[i+1] == '-' {
			to, i = inside[i+2], i+2
		}
		if !isDigit(from) || !isDigit(to) || from > to {
			return "", 0, fmt.Errorf("[%s] is not a set of digits such as [2-57]", inside)
		}
		for d := from; d <= to; d++ {
			b.WriteByte(d)
		}
	}
	return b.String(), len(inside) + 2, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
