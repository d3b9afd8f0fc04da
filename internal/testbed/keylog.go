package testbed

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// toldKey is how Asterisk's log level "dtmf" tells of a key, one a line: "DTMF end '4' received on PJSIP/…".
var toldKey = regexp.MustCompile(`(?i)dtmf (?:end|begin)[^'\n]*'([0-9A-D*#])'`)

// LoggedKeys are the keys that Asterisk's logs tell of one by one, in order: no search for a whole PIN would find them. A
// configuration that keeps callers' keys from the disk makes it "".
func (a *Asterisk) LoggedKeys() (keys string, err error) {
	text, err := a.AllLogs()
	for _, found := range toldKey.FindAllStringSubmatch(text, -1) {
		keys += found[1]
	}
	return keys, err
}

// AllLogs is all that Asterisk wrote into its log folder since it was made: the log and what came on the console.
func (a *Asterisk) AllLogs() (text string, err error) {
	err = filepath.WalkDir(filepath.Join(a.Dir, "log"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		part, err := os.ReadFile(path)
		text += string(part)
		return err
	})
	return text, err
}
