package prompts

import (
	"fmt"
	"time"
)

// Args fills the placeholders of a text. How a value is spoken goes by its type: an int, int32 or int64 as a number,
// Digits digit by digit, a time.Time relative to now ("two minutes ago"), Exact as date and clock time, Moment and Clock as
// their names say, a time.Duration as minutes and seconds, a []string as a list ("Ana, Ben and Carla"), a string as it is.
type Args map[string]any

// Digits is a number that is spoken digit by digit, in groups. A space in it begins a new group; without one the groups
// are of three.
type Digits string

// Exact is a moment that is spoken with its date and clock time instead of relative to now.
type Exact time.Time

// Moment is one that is spoken behind "since" or "until": "tomorrow at noon".
type Moment time.Time

// Clock is spoken as its time of day alone, in its own time zone: "ten o'clock in the evening".
type Clock time.Time

// speak puts one argument into the words of a language.
func speak(t Tongue, now time.Time, v any) (string, error) {
	if n, ok := integer(v); ok {
		return t.Number(n), nil
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case Digits:
		return t.Digits(string(v)), nil
	case time.Time:
		return t.Relative(v.In(now.Location()), now), nil
	case Exact:
		return t.Exact(time.Time(v).In(now.Location()), now), nil
	case Moment:
		return t.Moment(time.Time(v).In(now.Location()), now), nil
	case Clock:
		return t.Clock(time.Time(v)), nil
	case time.Duration:
		return t.Duration(v), nil
	case []string:
		return t.List(v), nil
	}
	return "", fmt.Errorf("a value of type %T cannot be spoken", v)
}

// integer returns v as an int64 when it is a whole number.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}
