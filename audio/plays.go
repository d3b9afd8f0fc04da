package audio

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A recording may be limited to a number of listeners. Each leaves an empty mark, KEY.play-TAG, where TAG is of address
// and program under our signing key. Whoever has a mark may go on listening: a player that seeks makes many requests.

// previewBytes is how much of the beginning may be asked for without it being a play.
const previewBytes = 16 << 10

// previewers are parts of the names of programs that look at links without anybody listening.
var previewers = []string{
	"bot", "crawler", "spider", "preview", "facebookexternalhit", "whatsapp", "slack", "discord", "telegram", "twitter",
	"mastodon", "linkedin", "skype", "embed", "synapse", "matrix", "signal", "iframely", "pleroma", "akkoma",
}

// isPreviewer tells whether the program that asks is a known maker of previews.
func isPreviewer(r *http.Request) bool {
	agent := strings.ToLower(r.UserAgent())
	return slices.ContainsFunc(previewers, func(p string) bool { return strings.Contains(agent, p) })
}

// isPreview tells whether the request is not a play: a HEAD, a known previewer, or no more than the first bytes.
func isPreview(r *http.Request) bool {
	if r.Method == http.MethodHead || isPreviewer(r) {
		return true
	}
	last, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes=0-")
	n, err := strconv.ParseInt(last, 10, 64)
	return ok && err == nil && n < previewBytes
}

// mayHear tells whether this request may have the recording and, when play is set, counts its listener.
func (h *Handler) mayHear(r *http.Request, rec Recording, play bool) (bool, error) {
	if rec.MaxPlays == 0 {
		return true, nil
	}
	mine := rec.key() + ".play-" + h.listener(r)
	before, err := h.store.plays(r.Context(), rec)
	if err != nil || slices.Contains(before, mine) {
		return err == nil, err
	}
	if len(before) >= rec.MaxPlays || !play {
		return len(before) < rec.MaxPlays, nil
	}
	return h.store.countPlay(r.Context(), rec, mine)
}

// countPlay leaves a mark. Of several listeners who come for the last play at once, the first marks count.
func (s *Store) countPlay(ctx context.Context, rec Recording, mine string) (bool, error) {
	unlock := s.lock(rec.key())
	defer unlock()
	if _, err := load(ctx, s.backend, rec.key()); err != nil {
		return false, err // revoked, and still remembered: no mark may outlive it
	}
	// Two marks of one moment have one time, so their order does not tell which was first; at another node it has to do.
	if before, err := s.plays(ctx, rec); err != nil || len(before) >= rec.MaxPlays {
		return slices.Contains(before, mine), err
	}
	if err := s.backend.Put(ctx, mine, nil); err != nil {
		return false, err
	}
	after, err := s.plays(ctx, rec)
	if err != nil || slices.Index(after, mine) < rec.MaxPlays {
		return err == nil, err
	}
	return false, s.backend.Delete(ctx, mine)
}

// plays lists the marks of a recording, oldest first.
func (s *Store) plays(ctx context.Context, rec Recording) ([]string, error) {
	var marks []Info
	for info, err := range s.backend.List(ctx, rec.key()+".play-") {
		if err != nil {
			return nil, err
		}
		marks = append(marks, info)
	}
	slices.SortFunc(marks, func(a, b Info) int {
		return cmp.Or(a.Modified.Compare(b.Modified), strings.Compare(a.Key, b.Key))
	})
	keys := make([]string, len(marks))
	for i, m := range marks {
		keys[i] = m.Key
	}
	return keys, nil
}

// listener is a name for who asks that does not give him away. It hangs on the oldest key: a rotation makes no listener a
// new one.
func (h *Handler) listener(r *http.Request) string {
	keys := h.store.keys.keys
	m := hmac.New(sha256.New, keys[len(keys)-1].secret)
	m.Write([]byte("listener\x00" + network(client(r)).String() + "\x00" + r.UserAgent()))
	return nameCode.EncodeToString(m.Sum(nil)[:10])
}
