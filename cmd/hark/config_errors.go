package main

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// wrongType is how the TOML package says where a value of the wrong type is, and then what is wrong.
var wrongType = regexp.MustCompile(`line (\d+) \(last key "(.*)"\): (?:type mismatch for \S+ )?(.*)$`)

// tomlWords are TOML's words for what the TOML package calls by Go's.
var tomlWords = strings.NewReplacer("incompatible types: TOML value has type ", "has the wrong type, ", "; destination has type ", " instead of ",
	"[]map[string]interface {}", "[[table]]", "[]map[string]any", "[[table]]", "map[string]any", "table", "slice", "array, [ … ] or [[…]]", "int64", "integer", "float64", "float")

// unreadable says why a text is no configuration, with its line.
func unreadable(path string, err error) error {
	if parse := (toml.ParseError{}); errors.As(err, &parse) {
		return fmt.Errorf("%s:%d: %s %s", path, parse.Position.Line, parse.LastKey, parse.Message)
	}
	if part := wrongType.FindStringSubmatch(err.Error()); part != nil {
		return fmt.Errorf("%s:%s: %s %s", path, part[1], part[2], tomlWords.Replace(part[3]))
	}
	return fmt.Errorf("%s: %w", path, err)
}

// unknownKey says where an unknown key stands and which known one it resembles.
func unknownKey(path, text string, key toml.Key) error {
	message := fmt.Sprintf("%s:%d: unknown key %s", path, lineOf(text, key), key)
	if near := nearest(key.String(), knownKeys(reflect.TypeFor[config](), "")); near != "" {
		message += fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Errorf("%s", message)
}

// lineOf finds the line of a key in the text, from 1; 1 when it does not stand there.
func lineOf(text string, key toml.Key) int {
	table, number := "", 0
	last := key[len(key)-1]
	want := strings.Join(key[:len(key)-1], ".")
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			table = strings.Trim(strings.SplitN(name, "]", 2)[0], "[ ")
			if table == key.String() {
				return number
			}
			continue
		}
		name, _, _ := strings.Cut(line, "=")
		name = strings.Trim(strings.TrimSpace(name), `"'`)
		if name == key.String() && table == "" || name == last && table == want {
			return number
		}
	}
	return 1
}

// knownKeys lists the dotted names of all keys below a struct type.
func knownKeys(t reflect.Type, prefix string) (names []string) {
	for i := range t.NumField() {
		field := t.Field(i)
		name := prefix + field.Tag.Get("toml")
		names = append(names, name)
		inner := field.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			names = append(names, knownKeys(inner, name+".")...)
		}
	}
	return names
}

// nearest returns the name that differs least, or "" when none is near.
func nearest(name string, names []string) string {
	best, distance := "", len(name)/3+2
	for _, candidate := range names {
		if d := editDistance(name, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// editDistance is Levenshtein's, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
