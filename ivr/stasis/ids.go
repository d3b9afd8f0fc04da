package stasis

import (
	"crypto/rand"
	"strconv"
	"strings"
	"sync/atomic"
)

// idPrefix begins every name that Hark gives.
const idPrefix = "hark-"

// slots is how many names of playbacks a call uses, one after the other and then from the first again: far more than are
// ever under way at once, and few enough for another process to stop them all when it adopts the call.
const slots = 16

// playbackName is one of a channel's names of playbacks.
func playbackName(channel string, slot int) string {
	return idPrefix + strconv.Itoa(slot%slots) + ofChannel(channel)
}

// ids makes names of recordings and channels that no other process and no former one uses.
type ids struct {
	prefix string
	last   atomic.Uint64
}

func (i *ids) init() { i.prefix = idPrefix + rand.Text()[:10] + "-" }

func (i *ids) number() string { return strconv.FormatUint(i.last.Add(1), 10) }

// far names a channel that is not a caller's: of a side that is dialled, or one that whispers.
func (i *ids) far() string { return i.prefix + farMark + i.number() }

// out names the channel of a call that Hark makes.
func (i *ids) out() string { return i.prefix + outMark + i.number() }

// recording names the channel too, so that a recording can be told to belong to a call that is adopted later.
func (i *ids) recording(channel string) string {
	return i.prefix + i.number() + ofChannel(channel)
}

// ofChannel is how the name of a recording or playback in a channel ends. It holds only letters, digits, dots and dashes:
// Asterisk writes a name with a slash into a folder, and cuts others silently.
func ofChannel(channel string) string {
	safe := strings.Map(func(r rune) rune {
		if r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, channel)
	return "-" + strings.TrimLeft(safe, ".")
}
