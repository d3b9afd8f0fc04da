package stasis

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hark/ivr"
	"hark/ivr/asterisk"
	"hark/prompts"
)

const (
	// shortest is the length of a clip of which no length is known.
	shortest = 10 * time.Millisecond
	// lateEnd is how much longer than its clips a playback may take before the next one is sent: whatever has become of it
	// at Asterisk, nobody is to be left in silence.
	lateEnd = 10 * time.Second
)

// A segment is what Asterisk gets in one command: clips that follow each other without silence, of which only the first
// begins later than at its start. Its media is empty when it is silence only.
type segment struct {
	first, count int // of the clips
	media        []string
	skip         time.Duration // into the first
	pause        time.Duration // after the last
}

// segments cuts a list of clips.
func segments(clips []prompts.Clip, media asterisk.MediaMap) ([]segment, error) {
	var segs []segment
	for i, c := range clips {
		if c.File == "" {
			segs = append(segs, segment{first: i, count: 1, pause: c.Pause})
			continue
		}
		uri, err := soundURI(media, c.File)
		if err != nil {
			return nil, err
		}
		if len(segs) == 0 || !segs[len(segs)-1].joins(c) {
			segs = append(segs, segment{first: i, skip: c.Offset})
		}
		last := &segs[len(segs)-1]
		last.media = append(last.media, uri)
		last.count++
		last.pause = c.Pause
	}
	return segs, nil
}

// joins tells whether a clip can be played by the same command.
func (s *segment) joins(c prompts.Clip) bool {
	return len(s.media) > 0 && s.pause == 0 && c.Offset == 0
}

// A player plays clips on a line, and knows how far it is. Commands are sent ahead up to the next pause: Asterisk keeps
// them in a queue and plays one after the other without a gap, however far away it is.
type player struct {
	line  *Line
	clips []prompts.Clip
	segs  []segment
	next  int       // the first segment that was not sent
	hold  time.Time // end of the pause that is being waited for, or zero
	late  time.Time // when the oldest of playing must have ended, or zero
	clip  int       // which is playing, or will be next
	began time.Time // when it began; zero when it did not
	stamp time.Time // the same by Asterisk's clock
	ended bool      // by stop; came is how far into the clip that was
	came  time.Duration
	// playing are the segments that were sent and have not ended, oldest first.
	playing []sent
}

type sent struct {
	id    string
	seg   segment
	begun int // how many of its clips have begun, the last one not counted
}

func newPlayer(l *Line, clips []prompts.Clip) (*player, error) {
	segs, err := segments(clips, l.app.media)
	return &player{line: l, clips: clips, segs: segs}, err
}

// done tells that all was played.
func (p *player) done() bool { return p.next == len(p.segs) && len(p.playing) == 0 && p.hold.IsZero() }

// pausing tells that a pause between clips is being waited for.
func (p *player) pausing() bool { return !p.hold.IsZero() }

// start sends what can be sent.
func (p *player) start(ctx context.Context) error {
	for p.next < len(p.segs) && p.hold.IsZero() {
		seg := p.segs[p.next]
		if len(seg.media) == 0 {
			if len(p.playing) > 0 {
				return nil // its turn comes when those have ended
			}
			p.next++
			p.pauseAfter(seg, time.Now())
			continue
		}
		if len(p.playing) > 0 && p.playing[len(p.playing)-1].seg.pause > 0 {
			return nil
		}
		if err := p.send(ctx, seg); err != nil {
			return err
		}
		p.next++
	}
	return nil
}

func (p *player) send(ctx context.Context, seg segment) error {
	id := p.line.nextPlayback()
	p.playing = append(p.playing, sent{id: id, seg: seg})
	if len(p.playing) == 1 {
		p.expect()
	}
	p.line.quiet = false
	return p.line.failure(ctx, p.line.app.rest.play(ctx, p.line.id, id, seg.media, seg.skip))
}

// expect sets the time by which the oldest segment must have ended; there is none when a length is not known.
func (p *player) expect() {
	p.late = time.Time{}
	if len(p.playing) == 0 {
		return
	}
	seg := p.playing[0].seg
	length := -seg.skip
	for _, c := range p.clips[seg.first : seg.first+seg.count] {
		if c.Duration <= 0 {
			return
		}
		length += c.Duration
	}
	p.late = time.Now().Add(length + lateEnd)
}

// wake is when something is to be done even if Asterisk tells nothing, or zero.
func (p *player) wake() time.Time {
	if !p.hold.IsZero() {
		return p.hold
	}
	return p.late
}

// pauseAfter begins the silence after a segment, if it has any.
func (p *player) pauseAfter(seg segment, at time.Time) {
	p.clip, p.began = seg.first+seg.count, time.Time{}
	if seg.pause > 0 {
		p.hold = at.Add(seg.pause)
	}
}

// hear takes note of what Asterisk tells about our playbacks; other notes it ignores.
func (p *player) hear(ctx context.Context, n note) error {
	if n.kind == expired && !p.hold.IsZero() && !n.at.Before(p.hold) {
		p.hold = time.Time{}
		return p.start(ctx)
	}
	if n.kind == expired && !p.late.IsZero() && !n.at.Before(p.late) {
		p.line.app.log.Warn("Asterisk does not tell that a playback has ended", "call", p.line.id)
		return p.over(ctx, 0, n.at)
	}
	i := slices.IndexFunc(p.playing, func(s sent) bool { return s.id == n.id })
	if i < 0 || n.id == "" {
		return nil
	}
	if p.skipped(n) || n.failed {
		return fmt.Errorf("%w: Asterisk cannot play %q (may its user read that file?)", ivr.ErrLine, p.clips[p.clip].File)
	}
	switch s := &p.playing[i]; n.kind {
	case playStarted:
		p.clip, p.began, p.stamp = s.seg.first+s.begun, n.at, n.stamp
		s.begun = min(s.begun+1, s.seg.count-1)
	case playEnded:
		return p.over(ctx, i, n.at)
	}
	return nil
}

// over goes on behind a segment that has ended.
func (p *player) over(ctx context.Context, i int, at time.Time) error {
	seg := p.playing[i].seg
	p.playing = slices.Delete(p.playing, i, i+1)
	p.expect()
	p.pauseAfter(seg, at)
	return p.start(ctx)
}

// skipped tells whether the clip that ends now cannot have been played, since it took less than half its time. Of a file
// in the middle of a list Asterisk does not tell that it was missing. The times are Asterisk's: events can be read late.
func (p *player) skipped(n note) bool {
	if p.began.IsZero() || p.clip >= len(p.clips) {
		return false
	}
	length := shortest
	if c := p.clips[p.clip]; c.Duration > 0 {
		length = c.Duration - c.Offset
	}
	return 2*n.stamp.Sub(p.stamp) < length
}

// place is how far the playing came by then.
func (p *player) place(then time.Time) (clip int, at time.Duration) {
	if p.clip >= len(p.clips) {
		return len(p.clips), 0
	}
	if p.ended {
		return p.clip, p.came
	}
	c := p.clips[p.clip]
	at = c.Offset
	if !p.began.IsZero() {
		at += max(0, then.Sub(p.began))
	}
	if c.Duration > 0 {
		at = min(at, c.Duration)
	}
	return p.clip, at
}

// stop ends the playing at once: what waits in Asterisk's queue first, so that it does not begin. What has ended by
// itself meanwhile is no error. place stays at now.
func (p *player) stop(ctx context.Context, now time.Time) {
	_, p.came = p.place(now)
	p.ended = true
	ctx, cancel := tidy(ctx)
	defer cancel()
	for _, s := range slices.Backward(p.playing) {
		if err := p.line.app.rest.stopPlay(ctx, s.id); err != nil && !gone(err) {
			p.line.app.log.Warn("cannot stop a playback", "call", p.line.id, "err", err)
		}
	}
	p.playing, p.hold, p.late, p.next = nil, time.Time{}, time.Time{}, len(p.segs)
}

// soundURI names a WAV file of this machine for Asterisk's "play".
func soundURI(media asterisk.MediaMap, file string) (string, error) {
	path, err := media.Sound(file)
	return "sound:" + path, err
}
