package wire

import (
	"cmp"
	"fmt"
	"slices"

	"hark/im"
)

// Unsent is the fact of DRAFT as Hark's own doors keep it: what was left unsent last, on which the older ones hang, so that a
// door which knows DraftValue alone still sees the newest. As several doors may change it at once, they change single drafts
// in it, known by their Key, through presence.Client.ChangeState.
type Unsent struct {
	DraftValue               // Audio is the id of a recording without a link, or the link
	ID         string        `json:"id,omitempty"`   // of the message that it will be
	Link       im.Attachment `json:"link,omitzero"`  // of a recording that has one already
	Part       bool          `json:"part,omitempty"` // the recording broke off
	Older      []Unsent      `json:"older,omitempty"`
	Lost       int           `json:"lost,omitempty"` // older ones that had to make room for this one, until the user was told
}

// Key names a draft among the others. It is the id of its message too: whoever sends it uses that, so that it is sent once,
// whatever happens before it is removed, and if another door sends it at the same moment.
func (u Unsent) Key() string { return cmp.Or(u.ID, fmt.Sprintf("draft-%d", u.Made.UnixNano())) }

// List is a draft and the older ones, newest first; none when it is empty.
func (u Unsent) List() []Unsent {
	if u.Audio == "" && u.Text == "" {
		return nil
	}
	list := append([]Unsent{u}, u.Older...)
	list[0].Older = nil
	return list
}

// LostOf is how many drafts had to make room for those of the list, and the user does not know yet.
func LostOf(list []Unsent) (n int) {
	for _, u := range list {
		n += u.Lost
	}
	return n
}

// UnsentFact makes the fact of a list again; nil of an empty one.
func UnsentFact(list []Unsent) any {
	if len(list) == 0 {
		return nil
	}
	newest := list[0]
	newest.Older = list[1:]
	return newest
}

// IndexUnsent finds a draft; -1 when it is not there.
func IndexUnsent(list []Unsent, key string) int {
	return slices.IndexFunc(list, func(u Unsent) bool { return u.Key() == key })
}

// WithoutUnsent is the list without one draft.
func WithoutUnsent(list []Unsent, key string) []Unsent {
	return slices.DeleteFunc(slices.Clone(list), func(u Unsent) bool { return u.Key() == key })
}
