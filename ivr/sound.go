package ivr

import (
	"context"
	"errors"
	"slices"
	"strings"

	"hark/im"
	"hark/prompts"
)

// sound prepares a message for being heard: its recordings as they are, and its words.
func (c *Call) sound(ctx context.Context, m *item) sound {
	s := sound{seq: m.Seq}
	text := m.Body
	for _, link := range links(m) {
		wav, length, ours, err := c.srv.Recordings.Local(ctx, link)
		if !ours && err == nil {
			continue
		}
		text = without(text, link)
		s.own = append(s.own, link)
		switch {
		case errors.Is(err, ErrGone):
			s.pending = append(s.pending, spoken(c.words("reader.gone")))
		case err != nil:
			c.log.Warn("recording cannot be played", "err", err)
			s.pending = append(s.pending, spoken(c.words("reader.failed")))
			s.lasting = true
		default:
			s.voice = true
			s.clips = append(s.clips, c.paced(ctx, prompts.Clip{File: wav, Duration: length}))
		}
	}
	s.pending = append(s.pending, c.read(text)...)
	s.pending = append(s.pending, c.attached(m, s.own)...)
	if len(s.pending)+len(s.clips) == 0 {
		s.pending = []phrase{spoken(c.words("reader.empty"))}
	}
	return s
}

// ahead is how much text is rendered at once, in bytes: more would keep the caller waiting for the first word.
const ahead = 600

// render makes sound of the next piece of text.
func (c *Call) render(ctx context.Context) {
	s := &c.queue.sound
	if _, i := cut(s.clips, c.queue.at); i < len(s.clips) {
		return
	}
	for done := 0; len(s.pending) > 0 && done < ahead; s.pending = s.pending[1:] {
		done += len(s.pending[0].text)
		clips := c.piece(ctx, s.pending[0])
		s.lasting = s.lasting || len(clips) == 0
		for _, clip := range clips {
			s.clips = append(s.clips, c.paced(ctx, clip))
		}
	}
}

// piece renders a piece of a message. In the place of what has no sound, as a script that the voice does not know, the
// caller hears that there is something.
func (c *Call) piece(ctx context.Context, p phrase) []prompts.Clip {
	clip, err := c.clip(ctx, p)
	switch {
	case errors.Is(err, prompts.ErrUnspeakable):
		c.queue.unread = true
		return c.clips(ctx, say("text.unreadable"))
	case err != nil:
		c.log.Warn("a message cannot be spoken", "err", err)
		return nil
	}
	return []prompts.Clip{clip}
}

// warm renders what comes next beside the call, so that it is there when it is needed: the next piece of the message at
// hand, else the beginning of the next message. The returned function ends that and waits for it.
func (c *Call) warm(ctx context.Context) (stop func()) {
	render := c.comingUp()
	if render == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := guard(ctx, render); err != nil && ctx.Err() == nil {
			c.log.Debug("not rendered ahead", "err", err)
		}
	}()
	return func() { cancel(); <-ended }
}

// comingUp is the rendering of what comes next; nil when nothing does. It looks at the call now, and not when it runs.
func (c *Call) comingUp() func(ctx context.Context) error {
	q := &c.queue
	if len(q.pending) > 0 {
		next := q.pending[0]
		return func(ctx context.Context) error {
			_, err := c.clip(ctx, next)
			return err
		}
	}
	if q.pos+1 >= len(q.items) {
		return nil
	}
	m := q.items[q.pos+1]
	name, said := m.sender(c), q.said
	return func(ctx context.Context) error {
		if m.From != said {
			if _, err := c.clip(ctx, name); err != nil {
				return err
			}
		}
		next := c.sound(ctx, m)
		if len(next.pending) == 0 {
			return nil
		}
		_, err := c.clip(ctx, next.pending[0])
		return err
	}
}

// links lists what may be a recording of ours: the audio attachments, and a body that is nothing but a link.
func links(m *item) []string {
	var list []string
	for _, a := range m.Attachments {
		if a.IsAudio() || a.Type == "" {
			list = append(list, a.URL)
		}
	}
	if body := strings.TrimSpace(m.Body); isURL(body) && !slices.Contains(list, body) {
		list = append(list, body)
	}
	return list
}

// without removes a link from a text.
func without(text, link string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, link, ""))
}

// attached names attachments that cannot be heard, unless the body holds their link and so tells of them itself.
func (c *Call) attached(m *item, own []string) []phrase {
	var list []phrase
	for _, a := range m.Attachments {
		if slices.Contains(own, a.URL) || strings.Contains(m.Body, a.URL) {
			continue
		}
		list = append(list, spoken(c.words(kindOf(a))))
	}
	return list
}

// kindOf is the prompt that names an attachment's kind.
func kindOf(a im.Attachment) string {
	kind, _, _ := strings.Cut(a.Type, "/")
	switch kind {
	case "image":
		return "text.picture"
	case "audio":
		return "text.sound"
	case "video":
		return "text.video"
	}
	return "text.file"
}
