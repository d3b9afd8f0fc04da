package audio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Show describes a recording or a draft by its id. ErrNotFound.
func (s *Store) Show(ctx context.Context, id string) (Recording, error) {
	key, ok := idToKey(id)
	if !ok {
		return Recording{}, fmt.Errorf("%w: %q is not the id of a recording", ErrNotFound, id)
	}
	return load(ctx, s.backend, key)
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

// Swept is what a GC removed.
type Swept struct {
	Expired int // recordings and drafts whose time was over
	Orphans int // objects that belonged to nothing
}

// orphanAge is how old an object without a description must be before it is taken for an orphan and not for something
// that is being put at this moment.
const orphanAge = time.Hour

// GC removes what has expired, and what a crash left behind more than an hour ago. It runs by itself every Config.GCEvery
// and may be called at any time, also beside other processes.
func (s *Store) GC(ctx context.Context) (Swept, error) {
	now := s.cfg.Now()
	s.encoders.forget(now)
	var all []Info
	for info, err := range s.backend.List(ctx, "") {
		if err != nil {
			return Swept{}, err
		}
		all = append(all, info)
	}
	var swept Swept
	alive := map[string]bool{}
	for _, o := range all {
		key, ok := strings.CutSuffix(o.Key, ".json")
		if !ok {
			continue
		}
		expired, err := s.sweepExpired(ctx, key, now)
		if err != nil {
			return swept, err
		}
		if expired {
			swept.Expired++
		}
		alive[key] = true // its other objects are not orphans, or not any more
	}
	for _, o := range all {
		if alive[s.owner(o.Key)] && !strings.Contains(o.Key, partMark) || now.Sub(o.Modified) < orphanAge {
			continue
		}
		if err := s.backend.Delete(ctx, o.Key); err != nil {
			return swept, err
		}
		swept.Orphans++
	}
	return swept, s.sweepCache(ctx, now)
}

// owner is the key of the recording that an object belongs to.
func (s *Store) owner(object string) string {
	if strings.HasPrefix(object, "owners/") {
		id, _, _ := readMark(object)
		key, _ := idToKey(id)
		return key
	}
	dir, name := path.Split(object)
	name, _, _ = strings.Cut(name, ".")
	return dir + name
}

func (s *Store) sweepExpired(ctx context.Context, key string, now time.Time) (bool, error) {
	rec, err := load(ctx, s.backend, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		s.cfg.Log.Error("audio: a recording cannot be read", "id", keyToID(key), "err", err)
		return false, nil // for Verify and the operator
	}
	if !rec.expired(now) {
		return false, nil
	}
	return true, s.remove(ctx, rec)
}

// sweepCache removes copies that were not made in the last hour: they are cheap to make again.
func (s *Store) sweepCache(ctx context.Context, now time.Time) error {
	for info, err := range s.cache.List(ctx, "") {
		if err != nil {
			return err
		}
		if now.Sub(info.Modified) < orphanAge {
			continue
		}
		if err := s.cache.Delete(ctx, info.Key); err != nil {
			return err
		}
	}
	return nil
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
