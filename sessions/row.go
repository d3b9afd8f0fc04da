package sessions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"hark/db"
	"hark/im"
)

// overhead is what a message costs in the retention's count beside its text.
const overhead = 128

// MaxID is the longest id of a message, in bytes, that is kept as it is. The sender chooses it; PostgreSQL has no index on
// what does not fit on a page, and a message is to fit into a frame.
const MaxID = 512

// A messageRow is a message as the table holds it.
type messageRow struct {
	im.Message
	attachments string
	choices     string
	sent        int64 // microseconds, 0 when unknown
	state       im.DeliveryState
	size        int
}

// rowOf cleans the message of what not every engine can keep (NUL and broken UTF-8 in texts, ids without end).
func rowOf(m im.Message, state im.DeliveryState) (messageRow, error) {
	shortenIDs(&m)
	for _, text := range []*string{&m.Origin, &m.ID, &m.From.ID, &m.To.ID, &m.Name, &m.Body, &m.ReplyTo} {
		*text = clean(*text)
	}
	r := messageRow{Message: m, state: state}
	var err error
	if r.attachments, err = packed(m.Attachments); err != nil {
		return r, fmt.Errorf("sessions: attachments: %w", err)
	}
	if r.choices, err = packed(m.Choices); err != nil {
		return r, fmt.Errorf("sessions: choices: %w", err)
	}
	if !m.Sent.IsZero() {
		r.sent = m.Sent.UnixMicro()
	}
	r.size = overhead + len(m.Body) + len(m.Name) + len(r.attachments) + len(r.choices)
	return r, nil
}

// shortenIDs replaces an origin that is too long by its digest. Another such id is forgotten, and with it that the sender
// wants to know when the message was read.
func shortenIDs(m *im.Message) {
	if len(m.Origin) > MaxID {
		sum := sha256.Sum256([]byte(m.Origin))
		m.Origin = "sha256:" + hex.EncodeToString(sum[:])
	}
	if len(m.ID) > MaxID {
		m.ID, m.Markable = "", false
	}
	if len(m.ReplyTo) > MaxID {
		m.ReplyTo = ""
	}
}

// packed is a list as JSON, "" when it is empty.
func packed[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return clean(string(text)), err
}

func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

const messageColumns = `seq, outgoing, origin, id, sender, recipient, name, body, attachments, reply_to, sent, state, reason, stored, size, choices, markable`

// scanMessage reads messageColumns, and what was selected behind them.
func scanMessage(row db.Scanner, more ...any) (m Message, err error) {
	var from, to, attachments, choices string
	var sent, stored int64
	err = row.Scan(append([]any{&m.Seq, &m.Outgoing, &m.Origin, &m.ID, &from, &to, &m.Name, &m.Body, &attachments, &m.ReplyTo,
		&sent, &m.State, &m.Reason, &stored, &m.Size, &choices, &m.Markable}, more...)...)
	if err != nil {
		return m, inside(err)
	}
	if sent != 0 {
		m.Sent = time.UnixMicro(sent).UTC()
	}
	m.Stored = time.UnixMilli(stored).UTC()
	return m, inside(errors.Join(
		m.From.UnmarshalText([]byte(from)), m.To.UnmarshalText([]byte(to)),
		unpack(attachments, &m.Attachments), unpack(choices, &m.Choices)))
}

// unpack reads what packed wrote.
func unpack[T any](text string, list *[]T) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), list)
}
