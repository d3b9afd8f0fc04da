package xmpp

import (
	"encoding/json"
	"fmt"
	"time"

	"mellium.im/xmpp/jid"

	"hark/im"
)

// A state is what im.Resume holds: everything that a later login needs to go on.
type state struct {
	Version int     `json:"v"`
	JID     string  `json:"jid"`            // full, as the server has it
	ID      string  `json:"sm,omitempty"`   // of the stream; "" when it cannot be resumed
	In      uint32  `json:"in"`             // stanzas received and acknowledged
	Out     uint32  `json:"out"`            // stanzas sent
	Queue   []sent  `json:"q,omitempty"`    // sent and not acknowledged by the server, in order; Out is the last one's
	Held    []sent  `json:"held,omitempty"` // to be sent when the archive was read
	Recent  []trace `json:"r,omitempty"`    // messages sent lately
	Archive archive `json:"mam,omitzero"`   // where what is new in the archive begins
	// Fetching tells that the archive was being read when the connection broke.
	Fetching bool      `json:"mamq,omitempty"`
	Appeared time.Time `json:"ap,omitzero"`    // when, if the archive was not yet looked through for it
	Show     im.Show   `json:"show,omitempty"` // what the user last published
	Text     string    `json:"text,omitempty"`
}

// A sent stanza waits for the server's acknowledgement.
type sent struct {
	trace
	Data []byte `json:"d,omitempty"` // as it is written; nil for what is not worth sending again
}

// A trace remembers that a message was sent.
type trace struct {
	ID string `json:"id,omitempty"` // of the message; "" for other stanzas
	To string `json:"to,omitempty"` // bare address
}

// An archive position (XEP-0313): behind a message, or at the beginning of the first login while no message is known.
type archive struct {
	ID string    `json:"id,omitempty"` // of the message
	At time.Time `json:"at,omitzero"`  // by the server's clock, for when the id is not kept any more; without an id by ours
}

const stateVersion = 1

// parseResume reads a resume state of this account. Whatever is wrong with it, the zero state is good for a fresh
// login.
func parseResume(r im.Resume, own jid.JID) (state, error) {
	if len(r) == 0 {
		return state{}, nil
	}
	var s state
	if err := json.Unmarshal(r, &s); err != nil {
		return state{}, fmt.Errorf("xmpp: resume state: %w", err)
	}
	if s.Version != stateVersion {
		return state{}, fmt.Errorf("xmpp: resume state has version %d", s.Version)
	}
	full, err := jid.Parse(s.JID)
	if err != nil || !full.Bare().Equal(own) {
		return state{}, fmt.Errorf("xmpp: resume state is of another account")
	}
	return s, nil
}

// pack writes the state.
func (s state) pack() im.Resume {
	s.Version = stateVersion
	b, err := json.Marshal(s)
	if err != nil {
		return nil // cannot happen: the state has no value that JSON refuses
	}
	return b
}
