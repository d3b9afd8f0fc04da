package fastagi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errReply is about a line that is no reply of AGI. The line itself is never told: it can hold a key.
var errReply = errors.New("fastagi: not a reply")

// A reply is one line of Asterisk's answer to a command:
//
//	200 result=35 (dtmf) endpos=16000
//	511 Command Not Permitted on a dead channel or intercept routine
//	HANGUP
type reply struct {
	hangup bool   // the line is HANGUP, which answers no command
	code   int    // 200; 510 unknown, 511 channel is dead, 520 wrong arguments
	text   string // of a code other than 200
	result string // a number in decimal for all commands that are used here
	noted  bool   // there is a note, which can be empty
	note   string // what stands in parentheses
	endpos int64  // samples of the file, or -1
}

// parseReply reads one line, without its end.
func parseReply(line string) (reply, error) {
	if line == "HANGUP" {
		return reply{hangup: true, endpos: -1}, nil
	}
	head, rest, _ := strings.Cut(line, " ")
	code, err := strconv.Atoi(head)
	if err != nil || len(head) != 3 || code < 100 {
		return reply{}, errReply
	}
	r := reply{code: code, endpos: -1}
	if code != codeOK {
		r.text = rest
		return r, nil
	}
	rest, ok := strings.CutPrefix(rest, "result=")
	if !ok {
		return reply{}, errReply
	}
	r.result, rest, _ = strings.Cut(rest, " ")
	return r, r.parseRest(rest)
}

// The codes of replies that mean something here.
const (
	codeOK   = 200
	codeDead = 511
)

// parseRest reads what stands behind the result. A note may hold anything, so it goes to the last parenthesis.
func (r *reply) parseRest(rest string) error {
	if rest == "" {
		return nil
	}
	if !strings.HasSuffix(rest, ")") {
		at := strings.LastIndex(" "+rest, " endpos=")
		if at < 0 {
			return errReply
		}
		digits := rest[at+len("endpos="):]
		end, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || end < 0 || digits != strconv.FormatInt(end, 10) {
			return errReply
		}
		r.endpos, rest = end, rest[:max(0, at-1)]
		if at == 0 {
			return nil
		}
	}
	if len(rest) < 2 || rest[0] != '(' || rest[len(rest)-1] != ')' {
		return errReply
	}
	r.noted, r.note = true, rest[1:len(rest)-1]
	return nil
}

// String is the line again.
func (r reply) String() string {
	switch {
	case r.hangup:
		return "HANGUP"
	case r.code != codeOK && r.text == "":
		return strconv.Itoa(r.code)
	case r.code != codeOK:
		return fmt.Sprintf("%d %s", r.code, r.text)
	}
	line := fmt.Sprintf("%d result=%s", r.code, r.result)
	if r.noted {
		line += " (" + r.note + ")"
	}
	if r.endpos >= 0 {
		line += fmt.Sprintf(" endpos=%d", r.endpos)
	}
	return line
}

// failed tells that the command did nothing, or not to its end: for nearly all of them the channel is gone, too.
func (r reply) failed() bool { return r.code != codeOK || r.result == "-1" }

// key is the key that a command's result stands for; false when it is none.
func (r reply) key() (byte, bool) {
	code, err := strconv.Atoi(r.result)
	if err != nil || code <= 0 || code > 127 || strings.IndexByte(allKeys, byte(code)) < 0 {
		return 0, false
	}
	return byte(code), true
}
