package audio

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"time"
)

var (
	// ErrNotFound: there is no such object, recording or draft.
	ErrNotFound = errors.New("audio: not found")
	// ErrNoSpace: the disk has less room than the floor, or none at all.
	ErrNoSpace = errors.New("audio: not enough free space")
)

// A Backend keeps objects under keys of one to three parts of [a-z0-9._-], joined by slashes. Folder keeps them in a
// directory, audio/s3 in object storage; audio/audiotest is the suite that each passes. All methods may be called from
// any goroutine, and by several processes at once.
type Backend interface {
	// Put writes the object whole: afterwards, and not before, Open finds all of it, also after a power cut. It
	// replaces an object of the same key. ErrNoSpace.
	Put(ctx context.Context, key string, data []byte) error
	// Open opens an object; the caller closes it. ctx bounds the reading as well as the opening. An open object stays readable when it is deleted meanwhile, or
	// fails; it never gives other bytes. ErrNotFound.
	Open(ctx context.Context, key string) (Object, error)
	// List yields all objects whose key begins with prefix, in any order. It ends at the first error.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Delete removes objects. What is not there is no error.
	Delete(ctx context.Context, keys ...string) error
	// Close frees what the backend holds. Nothing is called after it.
	Close() error
}

// A Spacer is a Backend that can run full.
type Spacer interface {
	// Space tells how many bytes are free for us, and how many there are.
	Space() (free, total int64, err error)
}

// A Pather is a Backend whose objects are files that other programs can open.
type Pather interface {
	// Path is the object's absolute path, free of symbolic links. It does not tell whether there is such an object.
	Path(key string) (string, error)
}

// An Object is opened for reading.
type Object interface {
	io.ReadSeekCloser
	Info() Info
}

// Info describes an object.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time
}

// ValidKey tells whether key has the form that Backend promises. A Backend refuses to put any other, and has none.
func ValidKey(key string) bool {
	parts := strings.Split(key, "/")
	if len(parts) > 3 || len(key) > 200 {
		return false
	}
	for _, p := range parts {
		if p == "" || p[0] == '.' || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
			return false
		}
	}
	return true
}

// readObject reads a whole object of at most limit bytes.
func readObject(ctx context.Context, b Backend, key string, limit int64) ([]byte, Info, error) {
	o, err := b.Open(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	defer o.Close()
	if o.Info().Size > limit {
		return nil, o.Info(), ErrTooLong
	}
	data, err := io.ReadAll(io.LimitReader(o, limit))
	return data, o.Info(), err
}
