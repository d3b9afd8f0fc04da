// Package wire is the client protocol of the presence server, version 1: its frames, how they are read and written, and
// the payloads they carry. It knows nothing of sessions.
//
// A frame is one line of UTF-8 that ends in CRLF (LF is accepted) and is at most MaxFrame bytes long:
//
//	request = tag SP verb [SP json]                                 "a1 FETCH {"new":true}"
//	reply   = tag SP status [SP "[" code [SP arg] "]"] SP json [SP text]   "a1 NO [LOCKED 60] {} later"
//	event   = "*" SP name [SP "[" code [SP arg] "]"] [SP json] [SP text]   "* EXISTS {"waiting":3}"
//	tag     = 1*16(letter / digit)
//	status  = "OK" / "NO" / "BAD"
//	verb, name, code = 1*16(capital letter)                         a verb is read without regard to case
//	arg     = 1*(any character but space and controls)
//	json    = one JSON object
//
// The argument of a code may itself contain "]": the bracket that ends it is the one before a space or the line's end.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Version is the version of the protocol that this package speaks; it stands in HELLO.
const Version = 1

// MaxFrame is the longest frame in bytes, without its line end.
const MaxFrame = 64 << 10

// maxWord is the longest tag, verb, event name or code.
const maxWord = 16

// Outcome is the status of a reply.
type Outcome string

// The outcomes. NO is a refusal, BAD says that the request itself was wrong.
const (
	OK  Outcome = "OK"
	NO  Outcome = "NO"
	BAD Outcome = "BAD"
)

// A Request is what a client asks.
type Request struct {
	Tag  string
	Verb string          // in capitals
	Arg  json.RawMessage // one JSON object, or nil
}

// A Reply answers the request with the same tag.
type Reply struct {
	Tag     string
	Status  Outcome
	Code    string          // "" when there is none
	CodeArg string          // "" when there is none
	JSON    json.RawMessage // one JSON object; nil is printed as {}
	Text    string          // words for a person, may be ""
}

// An Event is what the server says unasked. Its Code, CodeArg and Text are used by BYE, and by BAD, with which the
// server answers what it could not even find a tag in.
type Event struct {
	Name    string
	Code    string
	CodeArg string
	JSON    json.RawMessage // one JSON object, or nil
	Text    string
}

// A SyntaxError says that a line is not a frame. The stream goes on after it with the next line.
type SyntaxError struct {
	Tag    string // the request's tag if it could be read, else ""
	Reason string // words without any part of the line
}

// Error returns the reason.
func (e *SyntaxError) Error() string { return "wire: " + e.Reason }

// Marshal turns a payload into the JSON of a frame. It does not escape < > &, which would make a body of 16 KiB too long
// for a frame. A nil payload gives nil.
func Marshal(payload any) (json.RawMessage, error) {
	if payload == nil {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(payload); err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Unmarshal reads the JSON of a frame into a payload; nil JSON leaves it as it is. The error is a *SyntaxError.
func Unmarshal(raw json.RawMessage, payload any) error {
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, payload); err != nil {
		return &SyntaxError{Reason: "the argument does not have the right form"}
	}
	return nil
}
