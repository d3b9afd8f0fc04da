package sessions

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hark/db"
	"hark/im"
)

// overhead is what a message costs in the retention's count beside its text.
const overhead = 128

// A messageRow is a message as the table holds it.
type messageRow struct {
	im.Message
	attachments string
	sent        int64 // microseconds, 0 when unknown
	state       im.DeliveryState
	size        int
}

// rowOf cleans the message of what not every engine can keep (NUL and broken UTF-8 in texts).
func rowOf(m im.Message, state im.DeliveryState) (messageRow, error) {
	for _, text := range []*string{&m.Origin, &m.ID, &m.From.ID, &m.To.ID, &m.Name, &m.Body, &m.ReplyTo} {
		*text = clean(*text)
	}
	r := messageRow{Message: m, state: state}
	if len(m.Attachments) > 0 {
		text, err := json.Marshal(m.Attachments)
		if err != nil {
			return r, fmt.Errorf("sessions: attachments: %w", err)
		}
		r.attachments = clean(string(text))
	}
	if !m.Sent.IsZero() {
		r.sent = m.Sent.UnixMicro()
	}
	r.size = overhead + len(m.Body) + len(m.Name) + len(r.attachments)
	return r, nil
}

func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

const messageColumns = `seq, outgoing, origin, id, sender, recipient, name, body, attachments, reply_to, sent, state, reason, stored, size`

// scanMessage reads messageColumns.
func scanMessage(row db.Scanner) (m Message, err error) {
	var from, to, attachments string
	var sent, stored int64
	err = row.Scan(&m.Seq, &m.Outgoing, &m.Origin, &m.ID, &from, &to, &m.Name, &m.Body, &attachments, &m.ReplyTo,
		&sent, &m.State, &m.Reason, &stored, &m.Size)
	if err != nil {
		return m, inside(err)
	}
	if sent != 0 {
		m.Sent = time.UnixMicro(sent).UTC()
	}
	m.Stored = time.UnixMilli(stored).UTC()
	return m, unpack(&m, from, to, attachments)
}

func unpack(m *Message, from, to, attachments string) error {
	if err := m.From.UnmarshalText([]byte(from)); err != nil {
		return inside(err)
	}
	if err := m.To.UnmarshalText([]byte(to)); err != nil {
		return inside(err)
	}
	if attachments == "" {
		return nil
	}
	return inside(json.Unmarshal([]byte(attachments), &m.Attachments))
}
