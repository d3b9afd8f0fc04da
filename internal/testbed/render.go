package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// placeholder is what a configuration file of asterisk-conf/ has in place of a value, and what docker/fill.sh
// fills in just so: @HARK_NAME@.
var placeholder = regexp.MustCompile(`@HARK_[A-Z_]+@`)

// fill puts values, by name without the at signs, into text. A placeholder without a value is an error.
func fill(text string, values map[string]string) (string, error) {
	var unknown []string
	filled := placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := values[strings.Trim(name, "@")]
		if !ok {
			unknown = append(unknown, name)
		}
		return value
	})
	if len(unknown) > 0 {
		return "", fmt.Errorf("no value for %s", strings.Join(unknown, ", "))
	}
	return filled, nil
}

// renderDir fills in every *.conf of one folder into another. The files may hold secrets, so only the owner can read them.
func renderDir(from, to string, values map[string]string) error {
	files, err := filepath.Glob(filepath.Join(from, "*.conf"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("testbed: no *.conf in %s", from)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := renderFile(filepath.Join(to, filepath.Base(file)), string(text), values); err != nil {
			return err
		}
	}
	return nil
}

func renderFile(to, text string, values map[string]string) error {
	filled, err := fill(text, values)
	if err != nil {
		return fmt.Errorf("testbed: %s: %w", filepath.Base(to), err)
	}
	return os.WriteFile(to, []byte(filled), 0o600)
}
