package presence

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"hark/presence/wire"
	"hark/sessions"
)

// reportKey is the fact under which a session's report stands in the store.
const reportKey = "report"

// reportPause gathers changes. Reports become due at the same moments, reportBeat apart: those of all sessions that changed
// meanwhile share a commit. A client counts once it has stayed for reportStay, less than a report waits: a browser comes and
// goes with each page, and a write for each would slow all the others down the more of them there are.
const (
	reportPause = time.Second
	reportBeat  = 250 * time.Millisecond
	reportStay  = 500 * time.Millisecond
)

// A Report is what only the owner of a session knows of it, left in the store for the operator. It may be a second old, and
// is left there only when something in it has changed.
type Report struct {
	Node     string              `json:"node"`
	Epoch    int64               `json:"epoch"`
	Clients  map[string]int      `json:"clients"` // attached ones, by kind; not who came a moment ago
	Networks []wire.ServiceEvent `json:"networks"`
	Made     time.Time           `json:"made"` // since when it is so
}

// ReadReport reads what the session's owner told last; ok is false when this owner has not told anything yet.
func ReadReport(ctx context.Context, store sessions.Store, owner sessions.Record) (r Report, ok bool, err error) {
	raw, err := store.GetState(ctx, owner.User, reportKey)
	if err != nil || raw == nil {
		return r, false, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, false, err
	}
	return r, r.Node == owner.Node && r.Epoch == int64(owner.Epoch), nil
}

// reporting is owned by the session's goroutine.
type reporting struct {
	waiting bool   // a report is to be written
	last    uint64 // the sum of the one that was written last; 0 for none
}

// reportSoon has the session's report written, if it is another than the last one: a browser has gone again by then. Only
// the session's goroutine calls it.
func (s *Session) reportSoon() {
	if s.reporting.waiting || s.ended() {
		return
	}
	s.reporting.waiting = true
	time.AfterFunc(time.Until(reportDue(time.Now())), func() {
		s.post(func() { // unless it has ended
			r := s.report()
			fresh := r.sum() != s.reporting.last
			s.reporting = reporting{last: r.sum()}
			if fresh {
				s.tasks.Go(func() { s.writeReport(r) })
			}
			if s.somebodyNew() {
				s.reportSoon()
			}
		})
	})
}

// reportDue is when a change of now is reported: at a beat, and before reportPause is over.
func reportDue(now time.Time) time.Time { return now.Add(reportPause).Truncate(reportBeat) }

// report describes the session. Only the session's goroutine calls it.
func (s *Session) report() Report {
	r := Report{
		Node: s.server.Name, Epoch: int64(s.epoch), Clients: make(map[string]int),
		Networks: s.networkStates(), Made: time.Now().UTC(),
	}
	for c := range s.clients {
		if !c.isNew() {
			r.Clients[c.client]++
		}
	}
	return r
}

// isNew tells whether the client came a moment ago.
func (c *conn) isNew() bool { return time.Since(c.came) < reportStay }

// somebodyNew tells whether a report leaves out a client that is there. Only the session's goroutine calls it.
func (s *Session) somebodyNew() bool {
	for c := range s.clients {
		if c.isNew() {
			return true
		}
	}
	return false
}

// networkStates lists the states of the external logins by name. Only the session's goroutine calls it.
func (s *Session) networkStates() []wire.ServiceEvent {
	list := []wire.ServiceEvent{}
	for _, u := range s.uplinks {
		list = append(list, u.event())
	}
	slices.SortFunc(list, func(a, b wire.ServiceEvent) int { return strings.Compare(a.Network, b.Network) })
	return list
}

func (s *Session) writeReport(r Report) {
	raw, err := json.Marshal(r)
	if err == nil {
		err = s.server.Sessions.SetState(s.ctx, s.user, reportKey, raw)
	}
	if err != nil && s.ctx.Err() == nil {
		s.log.Warn("presence: report not written", "user", s.user, "err", err)
		s.post(func() { s.reporting.last = 0 })
	}
}

// sum is a number for what changes in a session's reports, apart from their time.
func (r Report) sum() uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, r.Clients, r.Networks) // a map is printed in the order of its keys
	return h.Sum64()
}
