package srgs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrBuiltin is wrapped when there is no built-in grammar of a name.
var ErrBuiltin = errors.New("srgs: no such built-in grammar")

// digit is the rule that all built-in grammars share.
const digit = "$digit = 0|1|2|3|4|5|6|7|8|9;\n"

// builtins are the built-in grammars without parameters (VoiceXML 2.0, appendix P), keys only.
var builtins = map[string]string{
	// yyyymmdd
	"date": "public $r = $digit<4> (0 $low | 1 (0|1|2)) (0 $low | (1|2) $digit | 3 (0|1));\n$low = 1|2|3|4|5|6|7|8|9;\n",
	// hhmm, and h when it can only be 24 hours, else ?
	"time": "public $r = ($morning {h = rules.latest()} | $evening {h = 'h'}) $minute {out = meta.current().text + h};\n" +
		"$morning = 0 (1|2|3|4|5|6|7|8|9) {out = '?'} | 1 (0|1|2) {out = '?'};\n" +
		"$evening = 0 0 | 1 (3|4|5|6|7|8|9) | 2 (0|1|2|3);\n$minute = (0|1|2|3|4|5) $digit;\n",
	// mm.nn, the star is the point
	"currency": "public $r = $digit<1-> [* $digit<2>] {out = meta.current().text.replace('*', '.')};\n",
	// the star is the point; zeros in front go, with them ECMAScript would read it as octal
	"number": "public $r = $digit<1-> [* $digit<0->] {out = meta.current().text.replace('*', '.').replace(/^0+([0-9])/, '$1')} | " +
		"* $digit<1-> {out = meta.current().text.replace('*', '0.')};\n",
	// the star begins the extension
	"phone": "public $r = $digit<1-> [* $digit<1->] {out = meta.current().text.replace('*', 'x')};\n",
}

// Builtin returns a built-in grammar: "builtin:dtmf/digits?length=4", or "digits" alone. ErrBuiltin, or ErrGrammar when the
// parameters contradict each other.
func Builtin(uri string) (*Grammar, error) {
	name, query, _ := strings.Cut(strings.TrimPrefix(uri, "builtin:"), "?")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "grammar/"), "dtmf/")
	params, err := parameters(query)
	if err != nil {
		return nil, err
	}
	var rules string
	switch name {
	case "digits":
		rules, err = digits(params)
	case "boolean":
		rules, err = boolean(params)
	default:
		if rules = builtins[name]; rules == "" {
			err = fmt.Errorf("%w: %q", ErrBuiltin, name)
		}
	}
	if err != nil {
		return nil, err
	}
	return ParseABNF("#ABNF 1.0;\nmode dtmf;\nroot $r;\ntag-format <semantics/1.0>;\n{var h};\n"+rules+digit, uri)
}

// parameters reads "a=1;b=2".
func parameters(query string) (map[string]string, error) {
	params := map[string]string{}
	for p := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == ';' || r == '&' }) {
		k, v, ok := strings.Cut(strings.TrimSpace(p), "=")
		if !ok {
			return nil, fmt.Errorf("%w: %q is no parameter", ErrGrammar, p)
		}
		params[k] = v
	}
	return params, nil
}

// maxDigits is the largest number that a built-in grammar can be told to wait for.
const maxDigits = 1000

func digits(params map[string]string) (string, error) {
	low, high := 1, -1
	for k, v := range params {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > maxDigits {
			return "", fmt.Errorf("%w: %s=%s", ErrGrammar, k, v)
		}
		switch k {
		case "minlength":
			low = n
		case "maxlength":
			high = n
		case "length":
		default:
			return "", fmt.Errorf("%w: no parameter %q", ErrGrammar, k)
		}
	}
	if v, ok := params["length"]; ok {
		n, _ := strconv.Atoi(v)
		if _, has := params["minlength"]; has && low != n || high >= 0 && high != n {
			return "", fmt.Errorf("%w: length and another length", ErrGrammar)
		}
		low, high = n, n
	}
	if high >= 0 && high < low {
		return "", fmt.Errorf("%w: %d to %d digits", ErrGrammar, low, high)
	}
	if high < 0 {
		return fmt.Sprintf("public $r = $digit<%d->;\n", low), nil
	}
	return fmt.Sprintf("public $r = $digit<%d-%d>;\n", low, high), nil
}

func boolean(params map[string]string) (string, error) {
	yes, no := "1", "2"
	for k, v := range params {
		if len(v) != 1 || !IsKey(v[0]) {
			return "", fmt.Errorf("%w: %s=%s", ErrGrammar, k, v)
		}
		switch k {
		case "y":
			yes = v
		case "n":
			no = v
		default:
			return "", fmt.Errorf("%w: no parameter %q", ErrGrammar, k)
		}
	}
	if yes == no {
		return "", fmt.Errorf("%w: yes and no are one key", ErrGrammar)
	}
	return fmt.Sprintf("public $r = %s {out = true} | %s {out = false};\n", yes, no), nil
}

// Keys makes the grammar of a dtmf attribute: these keys, one after the other, blanks between them or not. It means the
// text given, or the keys when that is "".
func Keys(keys, means string) (*Grammar, error) {
	var s seq
	for _, c := range []byte(strings.Join(strings.Fields(keys), "")) {
		if !IsKey(c) {
			return nil, fmt.Errorf("%w: %q is no key", ErrGrammar, c)
		}
		s = append(s, key(c))
	}
	if len(s) == 0 {
		return nil, fmt.Errorf("%w: no keys", ErrGrammar)
	}
	g := &Grammar{Root: "r", Format: Literals, rules: map[string]*rule{}}
	if means != "" {
		s = append(s, &tag{text: means, format: Literals})
	}
	if err := g.add(&rule{id: "r", public: true, body: s}, 1); err != nil {
		return nil, err
	}
	return g.finish()
}
