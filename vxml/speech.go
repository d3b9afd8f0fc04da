package vxml

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"hark/prompts"
	"hark/vxml/ecma"
	"hark/vxml/xmltree"
)

// A speak renders one part of a prompt.
type speak func(r *rendering) error

// An utterance is one thing that waits to be heard.
type utterance struct {
	text  string
	clip  *prompts.Clip // instead of text
	pause time.Duration
	lang  string
	mark  string // a mark stands in front of it
	barge barge  // which keys interrupt it
}

// A rendering collects what a prompt says.
type rendering struct {
	*frame
	lang  string
	base  string // of addresses
	barge barge
	spell bool // within a <say-as> that spells
	out   []utterance
}

// within is a rendering in the same voice that has said nothing yet.
func (r *rendering) within(f *frame) *rendering {
	inner := *r
	inner.frame, inner.out = f, nil
	return &inner
}

// add appends an utterance; text joins text before it.
func (r *rendering) add(u utterance) {
	u.lang, u.barge = r.lang, r.barge
	r.join([]utterance{u})
}

// join appends what another rendering said.
func (r *rendering) join(list []utterance) {
	for _, u := range list {
		if last := len(r.out) - 1; u.text != "" && last >= 0 && r.out[last].text != "" && r.out[last].lang == u.lang {
			r.out[last].text += u.text
		} else {
			r.out = append(r.out, u)
		}
	}
}

// say adds text as it stands, its blanks included; see tidy.
func (r *rendering) say(text string) {
	if r.spell {
		text = strings.Join(strings.Split(strings.Join(strings.Fields(text), ""), ""), " ")
	}
	if text != "" {
		r.add(utterance{text: text})
	}
}

// tidy makes single blanks of whatever blanks a text has, and leaves out what says nothing.
func tidy(list []utterance) []utterance {
	for i := range list {
		list[i].text = strings.Join(strings.Fields(list[i].text), " ")
	}
	return slices.DeleteFunc(list, func(u utterance) bool { return u == utterance{lang: u.lang, barge: u.barge} })
}

// plain is the text of a rendering alone.
func plain(list []utterance) string {
	var b strings.Builder
	for _, u := range list {
		b.WriteString(u.text)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (r *rendering) all(list []speak) error {
	for _, s := range list {
		if err := s(r); err != nil {
			return err
		}
	}
	return nil
}

// speech compiles the content of an element that is spoken.
func (b *builder) speech(n *xmltree.Node) []speak {
	var list []speak
	for _, c := range n.Child {
		if s := b.speechNode(c); s != nil {
			list = append(list, s)
		}
	}
	return list
}

// speechNode compiles one node of spoken content; nil when it says nothing.
func (b *builder) speechNode(c *xmltree.Node) speak {
	if c.Kind == xmltree.Text {
		return func(r *rendering) error { r.say(c.Data); return nil }
	}
	if c.Kind != xmltree.Element {
		return nil
	}
	switch c.Name {
	case "value":
		return b.value(c)
	case "audio":
		return b.audio(c)
	case "enumerate":
		return b.enumerate(c)
	case "break":
		pause := breakTime(c)
		return func(r *rendering) error { r.add(utterance{pause: pause}); return nil }
	case "mark":
		return b.mark(c)
	case "sub":
		return func(r *rendering) error { r.say(c.Attr("alias")); return nil }
	case "foreach":
		return b.foreachSpeech(c)
	case "say-as":
		return b.sayAs(c)
	case "p", "s", "emphasis", "prosody", "voice", "phoneme", "prompt":
		return b.group(c)
	}
	return nil
}

// group says what stands within an element, in its language.
func (b *builder) group(c *xmltree.Node) speak {
	list := b.speech(c)
	lang, _ := c.Lookup(xmltree.XML, "lang")
	return func(r *rendering) error {
		before := r.lang
		if lang != "" {
			r.lang = lang
		}
		defer func() { r.lang = before }()
		if c.Name == "p" || c.Name == "s" {
			r.say(" ")
			defer r.say(" ")
		}
		return r.all(list)
	}
}

// The pauses of <break>.
var breaks = map[string]time.Duration{"none": 0, "x-weak": 100 * time.Millisecond, "weak": 250 * time.Millisecond, "small": 250 * time.Millisecond,
	"": 500 * time.Millisecond, "medium": 500 * time.Millisecond, "strong": time.Second, "large": time.Second, "x-strong": 2 * time.Second}

// maxBreak bounds one <break>.
const maxBreak = 30 * time.Second

func breakTime(n *xmltree.Node) time.Duration {
	if d, err := duration(n.Attr("time")); err == nil {
		return min(d, maxBreak)
	}
	if n.Has("size") {
		return breaks[n.Attr("size")]
	}
	return breaks[n.Attr("strength")]
}

// duration reads a time of CSS2: "5s", "250ms".
func duration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	unit := time.Second
	num, ok := strings.CutSuffix(s, "ms")
	if ok {
		unit = time.Millisecond
	} else {
		num, ok = strings.CutSuffix(s, "s")
	}
	v, err := strconv.ParseFloat(strings.TrimPrefix(num, "+"), 64)
	if err != nil || !ok || v < 0 || v > 1e6 {
		return 0, throw(evSemantic, "%q is no time", s)
	}
	return time.Duration(v * float64(unit)), nil
}

func (b *builder) value(c *xmltree.Node) speak {
	e := b.element(c)
	return func(r *rendering) error {
		v, err := r.eval(e.exprs["expr"])
		if err != nil {
			return err
		}
		if rec := asRecording(r.x.vm, v); rec != nil {
			r.add(utterance{clip: rec.clip()})
			return nil
		}
		text, err := r.text(v)
		r.say(text)
		return err
	}
}

func (b *builder) mark(c *xmltree.Node) speak {
	e := b.element(c)
	return func(r *rendering) error {
		name := e.attr("name")
		if x := e.exprs["nameexpr"]; x != nil {
			var err error
			if name, err = r.evalText(x); err != nil {
				return err
			}
		}
		r.add(utterance{mark: name})
		return nil
	}
}

// audio compiles a sound with what is said when it cannot be had.
func (b *builder) audio(c *xmltree.Node) speak {
	e := b.element(c)
	instead := b.speech(c)
	return func(r *rendering) error {
		src := e.attr("src")
		if x := e.exprs["expr"]; x != nil {
			v, err := r.eval(x)
			if err != nil {
				return err
			}
			if ecma.IsUndefined(v) {
				return nil
			}
			if rec := asRecording(r.x.vm, v); rec != nil {
				r.add(utterance{clip: rec.clip()})
				return nil
			}
			if src, err = r.text(v); err != nil {
				return err
			}
		}
		if src == "" {
			return r.all(instead)
		}
		clip, err := r.x.sound(r.frame, e, src, r.base, r.lang)
		if err == nil {
			r.add(utterance{clip: clip})
			return nil
		}
		if r.x.ctx().Err() != nil && !r.x.gone {
			return err
		}
		r.x.log.Warn("no sound", "call", r.x.line.ID(), "line", c.Line, "err", err)
		return r.all(instead)
	}
}

// enumerate says what there is to choose from: the content for each, with _prompt and _dtmf, or what each choice says and
// its key.
func (b *builder) enumerate(c *xmltree.Node) speak {
	template := b.speech(c)
	return func(r *rendering) error {
		if r.item == nil || len(r.item.choices) == 0 {
			return throw(evSemantic, "<enumerate> without choices")
		}
		for _, x := range r.item.choices {
			if err := r.choice(x, template); err != nil {
				return err
			}
		}
		return nil
	}
}

// choice says one choice of an enumeration.
func (r *rendering) choice(x *choice, template []speak) error {
	inner := r.within(r.frame.inner())
	if len(template) == 0 {
		if err := inner.all(x.prompt); err != nil {
			return err
		}
		inner.say(" " + spoken(x.keys) + " ")
		r.join(inner.out)
		r.add(utterance{pause: breaks["weak"]})
		return nil
	}
	said := r.within(r.frame)
	if err := said.all(x.prompt); err != nil {
		return err
	}
	inner.scope.Declare("_prompt", r.x.vm.Value(plain(said.out)))
	inner.scope.Declare("_dtmf", r.x.vm.Value(spoken(x.keys)))
	if err := inner.all(template); err != nil {
		return err
	}
	r.join(inner.out)
	r.say(" ")
	return nil
}

// spoken is how keys are said.
func spoken(keys string) string {
	return strings.TrimSpace(strings.NewReplacer("*", " star ", "#", " pound ").Replace(strings.Join(strings.Split(keys, ""), " ")))
}

func (b *builder) foreachSpeech(c *xmltree.Node) speak {
	e, list := b.element(c), b.speech(c)
	return func(r *rendering) error {
		return r.each(e, func(f *frame) error {
			inner := r.within(f)
			err := inner.all(list)
			r.join(inner.out)
			r.say(" ")
			return err
		})
	}
}
