package ivr

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNoWay is what Trunk.Endpoint returns for a number that Hark is not allowed to dial.
var ErrNoWay = errors.New("ivr: this number must not be dialled")

// numberMark is where the number stands in a Trunk's template.
const numberMark = "{number}"

// mostDigits of a telephone number, by E.164.
const mostDigits = 15

// A Trunk is the way out to other telephones, and the fence before it (T14). The zero Trunk leads nowhere.
type Trunk struct {
	// Template is the endpoint of a number, in the switch's words: "PJSIP/{number}@trunk".
	Template string
	// Prefixes are what a number must begin with, one of them: "+4930", "2". None lets no number through.
	Prefixes []string
}

// Open tells whether the trunk leads anywhere.
func (t Trunk) Open() bool { return t.Template != "" && len(t.Prefixes) > 0 }

// Check tells what is wrong with a trunk that is configured.
func (t Trunk) Check() error {
	technology, _, ok := strings.Cut(t.Template, "/")
	switch {
	case !ok || technology == "" || strings.Count(t.Template, numberMark) != 1 || strings.ContainsAny(t.Template, "& ,\t\n"):
		return fmt.Errorf("%q is no endpoint with one %s in it, like \"PJSIP/%s@trunk\"", t.Template, numberMark, numberMark)
	case strings.EqualFold(technology, "Local"):
		return fmt.Errorf("%q leads into the dialplan: name a trunk", t.Template)
	case len(t.Prefixes) == 0:
		return errors.New("lists no prefixes: no number could be dialled")
	}
	for _, prefix := range t.Prefixes {
		if !diallable(prefix) {
			return fmt.Errorf("prefix %q is not made of digits, with or without a + before them", prefix)
		}
	}
	return nil
}

// Endpoint is what a Dialler rings to reach a number; ErrNoWay when the trunk is not open, the number is not one, or
// none of the prefixes fits. Nothing but digits and one plus sign ever reaches the switch.
func (t Trunk) Endpoint(number string) (string, error) {
	if !t.Open() || !diallable(number) {
		return "", ErrNoWay
	}
	for _, prefix := range t.Prefixes {
		if strings.HasPrefix(number, prefix) {
			return strings.Replace(t.Template, numberMark, number, 1), nil
		}
	}
	return "", ErrNoWay
}

// diallable tells whether a number is digits only, with or without a plus sign before them.
func diallable(number string) bool {
	digits := strings.TrimPrefix(number, "+")
	return digits != "" && len(digits) <= mostDigits && strings.Trim(digits, "0123456789") == ""
}

// Trunks are ways out; the first that lets a number through takes it. No Trunks lead nowhere.
type Trunks []Trunk

// Endpoint is Trunk.Endpoint of the first that lets the number through.
func (t Trunks) Endpoint(number string) (string, error) {
	for _, trunk := range t {
		if endpoint, err := trunk.Endpoint(number); err == nil {
			return endpoint, nil
		}
	}
	return "", ErrNoWay
}
