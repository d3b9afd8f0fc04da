package audio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Show describes a recording or a draft by its id. ErrNotFound.
func (s *Store) Show(ctx context.Context, id string) (Recording, error) {
	key, ok := idToKey(id)
	if !ok {
		return Recording{}, fmt.Errorf("%w: %q is not the id of a recording", ErrNotFound, id)
	}
	return load(ctx, s.backend, key)
}

// CopyTo writes a recording or a draft as it is kept, a WAV file. ErrNotFound.
func (s *Store) CopyTo(ctx context.Context, w io.Writer, rec Recording) error {
	o, err := s.backend.Open(ctx, rec.key()+".wav")
	if err != nil {
		return err
	}
	defer o.Close()
	_, err = io.Copy(w, o)
	return err
}

// List describes the recordings and drafts of an owner, oldest first; of everybody when owner is "".
func (s *Store) List(ctx context.Context, owner string) ([]Recording, error) {
	prefix := "owners/"
	if owner != "" {
		prefix = ownerPrefix(owner)
	}
	var all []Recording
	for info, err := range s.backend.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		id, _, err := readMark(info.Key)
		if err != nil {
			continue
		}
		rec, err := s.Show(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue // being put, or being deleted
		}
		if err != nil {
			return nil, err
		}
		all = append(all, rec)
	}
	slices.SortFunc(all, func(a, b Recording) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Revoke deletes a recording or a draft, named by its id or by its link. The link says "gone" from now on, and whoever
// is listening is cut off within a second. ErrNotFound, ErrNotOurs, ErrGone.
func (s *Store) Revoke(ctx context.Context, idOrLink string) error {
	var rec Recording
	var err error
	if token, ok := s.token(idOrLink); ok {
		rec, err = s.resolve(ctx, token)
	} else {
		rec, err = s.Show(ctx, idOrLink)
	}
	if err != nil {
		return err
	}
	return s.remove(ctx, rec)
}

// DeleteOwner deletes all recordings and drafts of an owner and tells how many there were. Nothing of them is left,
// whatever state they were in.
func (s *Store) DeleteOwner(ctx context.Context, owner string) (int, error) {
	var marks []string
	for info, err := range s.backend.List(ctx, ownerPrefix(owner)) {
		if err != nil {
			return 0, err
		}
		marks = append(marks, info.Key)
	}
	for n, mark := range marks {
		id, _, err := readMark(mark)
		if err != nil {
			continue
		}
		key, _ := idToKey(id)
		if err := s.erase(ctx, key, mark); err != nil {
			return n, err
		}
	}
	return len(marks), nil
}

func (s *Store) remove(ctx context.Context, rec Recording) error {
	return s.erase(ctx, rec.key(), rec.mark())
}

// erase deletes everything under a recording's key, the description first: from then on the recording is gone, and
// what a crash leaves of the rest is an orphan.
func (s *Store) erase(ctx context.Context, key, mark string) error {
	unlock := s.lock(key)
	defer unlock()
	objects := []string{key + ".wav", key + ".mp3", key + ".ogg", mark}
	if rec, err := load(ctx, s.backend, key); err != nil || rec.MaxPlays > 0 {
		plays, err := s.plays(ctx, Recording{ID: keyToID(key)})
		if err != nil {
			return err
		}
		objects = append(objects, plays...)
	}
	if err := s.backend.Delete(ctx, key+".json"); err != nil {
		return err
	}
	s.known.forget(key)
	s.streams.cut(key)
	return errors.Join(s.backend.Delete(ctx, objects...), s.cache.Delete(ctx, path.Base(key)+".wav"))
}

// A Fault is something that Verify found wrong with a recording.
type Fault struct {
	ID  string
	Err error
}

// Verify reads every recording with all forms that are there, decodes them, and tells what is wrong. It changes nothing.
func (s *Store) Verify(ctx context.Context) (checked int, faults []Fault, err error) {
	all, err := s.List(ctx, "")
	if err != nil {
		return 0, nil, err
	}
	for _, rec := range all {
		if err := s.verifyOne(ctx, rec); err != nil {
			if ctx.Err() != nil {
				return checked, faults, ctx.Err()
			}
			faults = append(faults, Fault{rec.ID, err})
		}
		checked++
	}
	return checked, faults, nil
}

func (s *Store) verifyOne(ctx context.Context, rec Recording) error {
	p, err := s.master(ctx, rec)
	if err != nil {
		return fmt.Errorf("the master: %w", err)
	}
	if p.duration() != rec.Duration || p.rate != rec.Rate {
		return fmt.Errorf("the master lasts %v at %d Hz, the description says %v at %d Hz", p.duration(), p.rate, rec.Duration, rec.Rate)
	}
	for _, f := range []Form{MP3, Ogg} {
		b, _, err := readObject(ctx, s.backend, rec.key()+"."+string(f), int64(maxDecoded))
		if errors.Is(err, ErrNotFound) {
			continue // it is made when it is asked for
		}
		if err != nil {
			return fmt.Errorf("the %s: %w", f, err)
		}
		if err := f.check(ctx, p, b); err != nil {
			return err
		}
	}
	return nil
}
