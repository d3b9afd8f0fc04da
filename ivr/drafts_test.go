package ivr_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hark/presence/wire"
)

// checkDraft reads "for Ben 5s", "none", for a part of a recording "for Ben 5s cut short", and with older ones "for Ben
// 5s, Carla 3s cut short".
func (w *world) checkDraft(rest string) error {
	var v draftValue
	w.stateOf(wire.Draft, &v)
	return same(v.String(), rest)
}

// draftElsewhere does to the drafts what another door does: "elsewhere draft for Carla: text", or "… for Carla: 12000
// letters", and "elsewhere drop 2", for the second newest.
func (w *world) draftElsewhere(rest string) error {
	var kept wire.Unsent
	w.stateOf(wire.Draft, &kept)
	list := kept.List()
	if which, ok := strings.CutPrefix(rest, "drop "); ok {
		n, err := strconv.Atoi(which)
		return errors.Join(err, w.keepDrafts(slices.Delete(list, n-1, n)))
	}
	name, text, _ := strings.Cut(strings.TrimPrefix(rest, "draft for "), ": ")
	if n, err := strconv.Atoi(strings.TrimSuffix(text, " letters")); err == nil {
		text = strings.Repeat("x", n)
	}
	made := wire.DraftValue{To: person(name), Text: text, Made: time.Now()}
	return w.keepDrafts(append([]wire.Unsent{{DraftValue: made, ID: rand.Text()}}, list...))
}

func (w *world) keepDrafts(list []wire.Unsent) error {
	raw, err := json.Marshal(wire.UnsentFact(list))
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	w.post.state[wire.Draft+" "] = raw
	return err
}

// draftValue is a draft as the presence server keeps it.
type draftValue struct {
	wire.DraftValue
	Part  bool         `json:"part"`
	Older []draftValue `json:"older"`
}

// String lists the drafts.
func (v draftValue) String() string {
	if v.Audio == "" && v.Text == "" {
		return "none"
	}
	out := fmt.Sprintf("for %s %.0fs", v.To, v.Seconds)
	switch n := len(v.Text); {
	case n > 100:
		out = fmt.Sprintf("for %s %d letters", v.To, n)
	case n > 0:
		out = fmt.Sprintf("for %s %q", v.To, v.Text)
	}
	if v.Part {
		out += " " + cutShort
	}
	for _, old := range v.Older {
		out += ", " + strings.TrimPrefix(old.String(), "for ")
	}
	return out
}
