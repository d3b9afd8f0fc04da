package audio

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Meta is what is known about a recording when it comes in.
type Meta struct {
	// Owner is the user number of whoever spoke it: quota, listing and deletion go by it. It is never shown.
	Owner string
	// From is how the sender wants to be called on the page and in the file's tags; "" is not at all.
	From string
	// To is for the operator's list only.
	To string
	// Title is shown on the page and stands in the file's tags; "" is "Voice message".
	Title string
	// MaxDuration is the longest that is taken; 0 is the store's own limit, which it cannot exceed.
	MaxDuration time.Duration
	// Expires is how long the link lives; 0, or more than the store's retention, is the retention.
	Expires time.Duration
	// MaxPlays is how many listeners may play it before the link is gone; 0 is any number.
	MaxPlays int
	// Part says that the recording was cut short: by a hang-up, a crash, or a full disk.
	Part bool
}

// A Recording is one voice message. It is described once, when it is put, and does not change.
type Recording struct {
	ID string `json:"id"`
	// URL is the link, known only to the caller of Put: it is not stored.
	URL   string `json:"-"`
	Owner string `json:"owner"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	Title string `json:"title,omitempty"`
	// Created and Expires are in UTC, to the second.
	Created  time.Time     `json:"created"`
	Expires  time.Time     `json:"expires"`
	Duration time.Duration `json:"ns"`
	Rate     int           `json:"rate"` // Hz of the master
	// Type and Size are those of what the bare link gives to a program: the MP3. Its size is known before it is made.
	Type string `json:"type"`
	Size int64  `json:"size"`
	// Waveform is up to 100 peaks, 0 to 100.
	Waveform []uint8 `json:"-"`
	Peaks    []int   `json:"peaks"` // Waveform, as JSON wants it
	// Part says that the recording was cut short.
	Part bool `json:"part,omitempty"`
	// Draft says that there is no link, and nothing serves it.
	Draft    bool `json:"draft,omitempty"`
	MaxPlays int  `json:"maxPlays,omitempty"`
	// Bytes is the size of the master, which is what counts for the quota.
	Bytes int64 `json:"bytes"`
}

// key is the recording's object key, without a form.
func (r Recording) key() string {
	key, _ := idToKey(r.ID)
	return key
}

// heading is the recording's title, whether somebody gave it one or not.
func (r Recording) heading() string { return cmp.Or(r.Title, "Voice message") }

// Name is what the recording is called outside of its page, in messages and in its files: the title, and that it is only
// a part where it is.
func (r Recording) Name() string {
	if r.Part {
		return r.heading() + " (cut short)"
	}
	return r.heading()
}

// tags are what goes into its files.
func (r Recording) tags() tags {
	return tags{title: r.Name(), artist: r.From, date: r.Created.Format(time.RFC3339)}
}

func (r Recording) expired(now time.Time) bool { return !now.Before(r.Expires) }

const maxSidecar = 16 << 10

func (r Recording) marshal() ([]byte, error) {
	r.Peaks = make([]int, len(r.Waveform))
	for i, p := range r.Waveform {
		r.Peaks[i] = int(p)
	}
	return json.Marshal(r)
}

// load reads the description of the object key, wherever it stands in its life. ErrNotFound.
func load(ctx context.Context, b Backend, key string) (Recording, error) {
	data, _, err := readObject(ctx, b, key+".json", maxSidecar)
	if err != nil {
		return Recording{}, err
	}
	var r Recording
	if err := json.Unmarshal(data, &r); err != nil {
		return Recording{}, fmt.Errorf("audio: the description of %s: %w", keyToID(key), err)
	}
	if r.ID != keyToID(key) || r.Rate < minRate || r.Rate > maxRate || len(r.Peaks) > peakCount {
		return Recording{}, fmt.Errorf("audio: the description of %s is of something else", keyToID(key))
	}
	r.Waveform = make([]uint8, len(r.Peaks))
	for i, p := range r.Peaks {
		r.Waveform[i] = uint8(min(max(p, 0), 100))
	}
	return r, nil
}

// ownerPrefix is where the marks of an owner's recordings are. The owner's number does not stand there in the clear.
func ownerPrefix(owner string) string {
	sum := sha256.Sum256([]byte("owner:" + owner))
	return "owners/" + nameCode.EncodeToString(sum[:20]) + "/"
}

// mark is the key of a recording's mark.
func (r Recording) mark() string {
	return ownerPrefix(r.Owner) + r.ID + "_" + strconv.FormatInt(r.Bytes, 10)
}

// readMark takes a mark's key apart.
func readMark(key string) (id string, bytes int64, err error) {
	name := key[strings.LastIndexByte(key, '/')+1:]
	id, size, _ := strings.Cut(name, "_")
	bytes, err = strconv.ParseInt(size, 10, 64)
	if _, ok := idToKey(id); !ok || err != nil || bytes < 0 {
		return "", 0, errors.New("audio: not a mark")
	}
	return id, bytes, nil
}

// mp3Size is how long encodeMP3's file will be for n samples at rate.
func mp3Size(n, rate int, t tags) int64 {
	hz, _ := mp3Rate(rate)
	up, down := hz/gcd(hz, rate), rate/gcd(hz, rate)
	n = (n*up + down - 1) / down
	frames := (n+mp3Frame+mp3Frame-1)/mp3Frame + 1 // LAME's delay of one frame, and its flush
	return int64(len(id3(t)) + mp3FrameBytes*(1+frames))
}
