package audio

import (
	"context"
	"fmt"
	"io"
	"time"
)

// PutDraft keeps what there is of a recording without making a link. It is not trimmed and not levelled, and it may go
// under the floor of free space. Errors as for Put, but for the floor.
func (s *Store) PutDraft(ctx context.Context, r io.Reader, m Meta) (Recording, error) {
	p, repaired, err := s.read(r, m.MaxDuration)
	if err != nil {
		return Recording{}, err
	}
	defer s.sounds.put(p.samples)
	m.Part = m.Part || repaired
	rec, _ := s.describe(p, m) // nobody learns the token
	rec.Draft = true
	if err := s.checkQuota(ctx, m.Owner, rec.Bytes, ""); err != nil {
		return Recording{}, err
	}
	if err := s.keep(ctx, rec, p); err != nil {
		return Recording{}, err
	}
	return rec, nil
}

// SendDraft makes a recording, with a link, of a draft, and drops the draft. The recording is still marked as a part if
// the draft was. When the process is killed in between, both are there. ErrNotFound, ErrNoSpace, ErrQuota.
func (s *Store) SendDraft(ctx context.Context, id string, m Meta) (Recording, error) {
	if err := s.checkFloor(); err != nil {
		return Recording{}, err
	}
	draft, err := s.draft(ctx, id)
	if err != nil {
		return Recording{}, err
	}
	p, err := s.master(ctx, draft)
	if err != nil {
		return Recording{}, err
	}
	m.Owner, m.Part = draft.Owner, m.Part || draft.Part
	rec, err := s.putSound(ctx, p, m, id)
	if err != nil {
		return Recording{}, err
	}
	return rec, s.DropDraft(ctx, id)
}

// DraftFile gives a draft as a file that Asterisk can play, as Local does. ErrNotFound.
func (s *Store) DraftFile(ctx context.Context, id string) (wavPath string, duration time.Duration, err error) {
	draft, err := s.draft(ctx, id)
	if err != nil {
		return "", 0, err
	}
	return s.localFile(ctx, draft)
}

// DropDraft deletes a draft. ErrNotFound, also when id is of a recording that has a link.
func (s *Store) DropDraft(ctx context.Context, id string) error {
	draft, err := s.draft(ctx, id)
	if err != nil {
		return err
	}
	return s.remove(ctx, draft)
}

func (s *Store) draft(ctx context.Context, id string) (Recording, error) {
	rec, err := s.Show(ctx, id)
	if err == nil && (!rec.Draft || rec.expired(s.cfg.Now())) {
		err = fmt.Errorf("%w: %s is no draft", ErrNotFound, id)
	}
	return rec, err
}
