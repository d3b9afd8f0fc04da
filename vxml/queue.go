package vxml

import (
	"cmp"
	"context"
	"strings"
	"time"

	"hark/ivr"
	"hark/prompts"
	"hark/vxml/fetch"
	"hark/vxml/xmltree"
)

// say renders spoken content and puts it into the queue. p is the <prompt> it stands in, or nil.
func (f *frame) say(p *prompt, list []speak) error {
	r := &rendering{frame: f, lang: f.x.lang(), base: f.base(), barge: bargeOf(f.x.property(f, "bargein"), f.x.property(f, "bargeintype"))}
	if p != nil {
		r.lang = cmp.Or(p.lang, r.lang)
		r.base = xmltree.Resolve(r.base, p.base)
		r.barge = bargeOf(cmp.Or(p.attr("bargein"), f.x.property(f, "bargein")), cmp.Or(p.attr("bargeintype"), f.x.property(f, "bargeintype")))
	}
	if err := r.all(list); err != nil {
		return err
	}
	said, err := f.x.inTongues(tidy(r.out))
	if err != nil {
		return err
	}
	switch {
	case p != nil:
		f.x.timeout = p.attr("timeout")
	case len(said) > 0:
		f.x.timeout = "" // text is a prompt that names none
	}
	f.x.add(said)
	return nil
}

// lang is the language of the document.
func (x *execution) lang() string {
	if x.doc != nil && x.doc.lang != "" {
		return x.doc.lang
	}
	return x.Language
}

// add puts utterances into the queue.
func (c *call) add(list []utterance) {
	for _, u := range list {
		text := u.text
		if u.clip != nil {
			text = u.clip.Text
		}
		if text != "" {
			c.watch(Note{Kind: Prompted, Text: text})
		}
		if !c.gone && len(c.queue) < c.Limits.Queue {
			c.queue = append(c.queue, u)
		}
	}
}

// A barge says which keys interrupt a prompt.
type barge int

// The kinds of barge-in (4.1.5).
const (
	anyKey  barge = iota
	hotword       // those that a grammar takes; others are passed over as long as the prompt lasts
	noKey         // none; those that come are dropped
)

// bargeOf reads bargein and bargeintype.
func bargeOf(in, kind string) barge {
	switch {
	case in == "false":
		return noKey
	case kind == "hotword":
		return hotword
	}
	return anyKey
}

// A track is a part of the queue that is played in one piece: all of it is interrupted by the same keys.
type track struct {
	clips []prompts.Clip
	barge barge
	marks []markAt
}

// A markAt is a mark in front of a clip.
type markAt struct {
	name string
	clip int
}

// tracks renders the queue and empties it. What cannot be rendered is left out and logged.
func (c *call) tracks() []*track {
	var list []*track
	for _, u := range c.queue {
		if len(list) == 0 || list[len(list)-1].barge != u.barge {
			list = append(list, &track{barge: u.barge})
		}
		t := list[len(list)-1]
		switch {
		case u.mark != "":
			t.marks = append(t.marks, markAt{u.mark, len(t.clips)})
		case u.clip != nil:
			t.clips = append(t.clips, *u.clip)
		case u.text != "":
			c.voice(t, u)
		default:
			t.pause(u.pause)
		}
	}
	c.queue = nil
	return list
}

// voice renders a text.
func (c *call) voice(t *track, u utterance) {
	clip, err := c.Voice.SayText(c.ctx(), u.lang, u.text)
	if err != nil {
		c.log.Warn("cannot be spoken", "call", c.line.ID(), "err", err)
		return
	}
	t.clips = append(t.clips, clip)
}

// pause is silence behind what was said before.
func (t *track) pause(d time.Duration) {
	if last := len(t.clips) - 1; last >= 0 {
		t.clips[last].Pause += d
		return
	}
	if d > 0 {
		t.clips = append(t.clips, prompts.Clip{Pause: d})
	}
}

// playQueue plays everything to its end. Keys that come are kept.
func (c *call) playQueue() error {
	if c.gone {
		c.queue = nil
		return nil
	}
	for _, t := range c.tracks() {
		if len(t.clips) == 0 {
			continue
		}
		if _, err := c.line.Gather(c.live, ivr.Gather{Play: t.clips, NoBargeIn: true}); err != nil {
			return c.ended(err)
		}
		if t.barge == noKey {
			c.line.Flush()
		}
	}
	return nil
}

// An answer is what a fetch came to.
type answer struct {
	out *fetch.Response
	err error
}

// besideSound fetches while the queue is played and, when that takes long, a sound over and over.
func (x *execution) besideSound(f *frame, src string, get func(context.Context) (*fetch.Response, error)) (*fetch.Response, error) {
	playing, stop := context.WithCancelCause(x.live)
	defer stop(nil)
	fetching, cancel := context.WithCancel(x.live)
	defer cancel()
	done := make(chan answer, 1)
	go func() {
		out, err := get(fetching)
		done <- answer{out, err}
		stop(errFetched)
	}()
	if err := x.playQueue(); err != nil {
		cancel()
		<-done
		return nil, err
	}
	x.playFetchAudio(playing, f, src)
	a := <-done
	return a.out, a.err
}

// playFetchAudio plays until ctx ends, and once it has begun at least as long as the document says (6.1.5); not at all when
// ctx ends soon, or there is no such sound.
func (x *execution) playFetchAudio(ctx context.Context, f *frame, src string) {
	delay := time.NewTimer(seconds(x.property(f, "fetchaudiodelay"), 2*time.Second))
	defer delay.Stop()
	select {
	case <-ctx.Done():
		return
	case <-delay.C:
	}
	out, err := x.client.Do(ctx, fetch.Request{URL: xmltree.Resolve(x.doc.base, src), MaxSize: maxSound})
	if err != nil {
		return
	}
	clip, err := x.sounds.clip(out)
	hearing, stop := x.atLeast(ctx, seconds(x.property(f, "fetchaudiominimum"), 0))
	defer stop()
	for err == nil {
		_, err = x.line.Gather(hearing, ivr.Gather{Play: []prompts.Clip{*clip}, NoBargeIn: true})
	}
}

// atLeast is a context that ends when another one ends, but not before a time is over; with the call at once. stop lets go
// of it.
func (x *execution) atLeast(ctx context.Context, least time.Duration) (hearing context.Context, stop func()) {
	began := time.Now()
	hearing, end := context.WithCancelCause(x.live)
	off := context.AfterFunc(ctx, func() {
		rest := time.NewTimer(least - time.Since(began))
		defer rest.Stop()
		select {
		case <-rest.C:
		case <-hearing.Done():
		}
		end(errFetched)
	})
	return hearing, func() {
		off()
		end(nil)
	}
}

// pass notes the last mark that was reached, and how much was played since.
func (n *input) pass(t *track, in ivr.Input) {
	n.since += t.played(0, in)
	for _, m := range t.marks {
		if m.clip > in.Clip {
			break
		}
		n.mark, n.since = m.name, t.played(m.clip, in)
	}
}

// played is how long a track was heard, from a clip on.
func (t *track) played(from int, in ivr.Input) time.Duration {
	sum := in.At
	for i := from; i < in.Clip && i < len(t.clips); i++ {
		sum += t.clips[i].Duration + t.clips[i].Pause
	}
	return sum
}

// sound gets the sound that <audio> names: of the catalogue, an earcon, or a file from elsewhere.
func (x *execution) sound(f *frame, e *element, src, base, lang string) (*prompts.Clip, error) {
	var clip prompts.Clip
	var err error
	scheme, rest, _ := strings.Cut(src, ":")
	switch scheme {
	case "prompt":
		if lang, err = x.tongue(lang); err == nil {
			clip, err = x.Voice.Say(x.ctx(), lang, rest, nil)
		}
	case "earcon":
		clip, err = x.Voice.Earcon(rest)
	default:
		out, ferr := x.fetch(f, need{"audio", e, maxSound}, fetch.Request{URL: xmltree.Resolve(base, src)})
		if ferr != nil {
			return nil, ferr
		}
		return x.sounds.clip(out)
	}
	return &clip, err
}
