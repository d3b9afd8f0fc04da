package presence_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/sessions"
)

// slowResume is a store that begins late to store the first resume state that comes without a message.
type slowResume struct {
	sessions.Store
	first    sync.Once
	asked    chan struct{} // closed when it is to be stored
	released chan struct{}
}

func (s *slowResume) SetResume(ctx context.Context, user string, epoch sessions.Epoch, network string, resume im.Resume) error {
	s.first.Do(func() {
		close(s.asked)
		<-s.released
	})
	return s.Store.SetResume(ctx, user, epoch, network, resume)
}

// TestResumeStateOfALogin: where to go on from is stored when a login succeeds. It does not take the place of what a
// message brought that came at the same time, and was acknowledged.
func TestResumeStateOfALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.Prepare(t)
		store := &slowResume{Store: b.Store, asked: make(chan struct{}), released: make(chan struct{})}
		b.Adjust = func(s *presence.Server) { s.Sessions = store }
		b.Start()
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		<-store.asked
		b.XMPP.Deliver("ben@x", presencetest.AnaID, "hello")
		synctest.Wait() // whatever stores the message without waiting has stored it
		close(store.released)
		waitFor(t, client, 1)
		synctest.Wait()
		state, err := b.Store.ResumeState(t.Context(), presencetest.Ana, im.XMPP)
		if err != nil || string(state) != "1" {
			t.Errorf("the next login goes on after message %q, %v", state, err)
		}
	})
}

// A stateReader is a store that looks, behind each message, at the state from which its connection would resume.
type stateReader struct {
	sessions.Store
	found chan string
}

func (s stateReader) Append(ctx context.Context, user string, epoch sessions.Epoch, b sessions.Batch) ([]sessions.Seq, error) {
	seqs, err := s.Store.Append(ctx, user, epoch, b)
	state, _ := s.Store.ResumeState(ctx, user, b.Network)
	s.found <- string(state)
	return seqs, err
}

// TestResumeStateGoesWithItsMessage: from where the connection goes on is stored in the same transaction as the message, not
// before it, which would lose the message, nor behind it.
func TestResumeStateGoesWithItsMessage(t *testing.T) {
	b := presencetest.Prepare(t)
	store := stateReader{b.Store, make(chan string, 1)}
	b.Adjust = func(s *presence.Server) { s.Sessions = store }
	b.Start()
	b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	b.XMPP.Deliver("ben@x", presencetest.AnaID, "hello")
	if state := <-store.found; state != "1" {
		t.Errorf("behind the first message the connection goes on after message %q", state)
	}
}
