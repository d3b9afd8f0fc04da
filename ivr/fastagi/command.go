package fastagi

import (
	"fmt"
	"strings"
	"time"

	"hark/ivr"
)

// allKeys are the keys of a telephone.
const allKeys = "0123456789*#ABCD"

// samplesPerSecond of every file that is played or recorded.
const samplesPerSecond = 8000

// quote makes one argument of a text. AGI has no way to write the end of a line, and no text of ours has one; a control
// character is an error.
func quote(text string) (string, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%w: %q cannot be an argument of AGI", ivr.ErrLine, text)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`, nil
}

// streamFile is the command that plays a file from a place in it until one of the keys is pressed.
func streamFile(path, keys string, from time.Duration) (string, error) {
	file, err := quote(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`STREAM FILE %s "%s" %d`, file, keys, samplesIn(max(0, from))), nil
}

// recordFile is the command that records into a file, whose name has no extension.
func recordFile(path string, r ivr.Record) (string, error) {
	file, err := quote(path)
	if err != nil {
		return "", err
	}
	ends := strings.Map(func(key rune) rune {
		if strings.ContainsRune(allKeys, key) {
			return key
		}
		return -1
	}, r.Ends)
	command := fmt.Sprintf(`RECORD FILE %s wav "%s" %d`, file, ends, roundUp(r.Max, time.Millisecond))
	if r.Silence > 0 {
		command += fmt.Sprintf(" s=%d", roundUp(r.Silence, time.Second))
	}
	return command, nil
}

func roundUp(d, unit time.Duration) int64 { return int64((d + unit - 1) / unit) }

func samplesIn(d time.Duration) int64 { return int64(d) * samplesPerSecond / int64(time.Second) }

func lengthOf(samples int64) time.Duration {
	return time.Duration(samples) * time.Second / samplesPerSecond
}
