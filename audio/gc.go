package audio

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"
)

// Swept is what a GC removed.
type Swept struct {
	Expired int // recordings and drafts whose time was over
	Orphans int // objects that belonged to nothing
}

// orphanAge is how old an object without a description must be before it is taken for an orphan and not for something
// that is being put at this moment. Together with Config.GCEvery it stays under the hour that is promised.
const orphanAge = 30 * time.Minute

// cacheAge is how long copies for Asterisk are kept: longer than it takes to hear one.
const cacheAge = time.Hour

// GC removes what has expired, and what a crash left behind more than orphanAge ago. It runs by itself every Config.GCEvery
// and may be called at any time, also beside other processes. It holds one day's names in memory at a time.
func (s *Store) GC(ctx context.Context) (Swept, error) {
	now := s.cfg.Now()
	s.encoders.forget(now)
	prefixes, err := s.prefixes(ctx)
	if err != nil {
		return Swept{}, err
	}
	var swept Swept
	for prefix := range prefixes {
		sweep := s.sweepDay
		if prefix == "owners/" {
			sweep = s.sweepMarks
		}
		if err := sweep(ctx, prefix, now, &swept); err != nil {
			return swept, err
		}
	}
	return swept, s.sweepCache(ctx, now)
}

// prefixes are the days that there are, and what else there is at the top.
func (s *Store) prefixes(ctx context.Context) (map[string]bool, error) {
	all := map[string]bool{}
	for info, err := range s.backend.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		all[info.Key[:strings.IndexByte(info.Key, '/')+1]] = true // "" for what is in no folder
	}
	delete(all, "")
	return all, nil
}

// sweepDay removes the expired recordings of a day, and then its orphans.
func (s *Store) sweepDay(ctx context.Context, day string, now time.Time, swept *Swept) error {
	var all []Info
	for info, err := range s.backend.List(ctx, day) {
		if err != nil {
			return err
		}
		all = append(all, info)
	}
	described := map[string]bool{}
	for _, o := range all {
		key, ok := strings.CutSuffix(o.Key, ".json")
		if !ok {
			continue
		}
		expired, err := s.sweepExpired(ctx, key, now)
		if err != nil {
			return err
		}
		if expired {
			swept.Expired++
		}
		described[key] = true // until a moment ago, perhaps: then its other objects went with it
	}
	var orphans []string
	for _, o := range all {
		if (!described[belongsTo(o.Key)] || strings.Contains(o.Key, partMark)) && now.Sub(o.Modified) >= orphanAge {
			orphans = append(orphans, o.Key)
		}
	}
	swept.Orphans += len(orphans)
	return s.backend.Delete(ctx, orphans...)
}

// sweepMarks removes the marks of recordings that are not there.
func (s *Store) sweepMarks(ctx context.Context, prefix string, now time.Time, swept *Swept) error {
	var orphans []string
	for info, err := range s.backend.List(ctx, prefix) {
		if err != nil {
			return err
		}
		if now.Sub(info.Modified) < orphanAge {
			continue
		}
		o, err := s.backend.Open(ctx, belongsTo(info.Key)+".json")
		switch {
		case err == nil:
			_ = o.Close()
		case errors.Is(err, ErrNotFound):
			orphans = append(orphans, info.Key)
		default:
			return err
		}
	}
	swept.Orphans += len(orphans)
	return s.backend.Delete(ctx, orphans...)
}

// belongsTo is the key of the recording that an object belongs to, or something that is no recording's key.
func belongsTo(object string) string {
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

// sweepCache removes copies older than cacheAge: they are cheap to make again.
func (s *Store) sweepCache(ctx context.Context, now time.Time) error {
	for info, err := range s.cache.List(ctx, "") {
		if err != nil {
			return err
		}
		if now.Sub(info.Modified) < cacheAge {
			continue
		}
		if err := s.cache.Delete(ctx, info.Key); err != nil {
			return err
		}
	}
	return nil
}
