package vxml

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hark/ivr"
	"hark/prompts"
	"hark/vxml/ecma"
	"hark/vxml/sound"
)

// A Recording is what a caller said, as the value of a variable. It lives as long as the call.
type Recording struct {
	// File is a WAV file on this machine. The call removes it at its end: who wants to keep it copies it.
	File     string
	Duration time.Duration
	Type     string // the media type in which the document submits it; File is WAV whatever it says
	Size     int64  // bytes, in that type
}

func (r *Recording) clip() *prompts.Clip {
	return &prompts.Clip{File: r.File, Duration: r.Duration}
}

// recordTypes are the media types of recordings (appendix E).
var recordTypes = map[string]bool{"audio/x-wav": true, "audio/wav": true, sound.MuLaw: true, sound.ALaw: true}

// bare tells whether a recording is submitted without a header.
func (r *Recording) bare() bool { return r.Type == sound.MuLaw || r.Type == sound.ALaw }

// data is the recording as it is submitted.
func (r *Recording) data() ([]byte, error) {
	file, err := os.ReadFile(r.File)
	if err != nil || !r.bare() {
		return file, err
	}
	samples, err := sound.Decode(file, "")
	if err != nil {
		return nil, err
	}
	return sound.Encode(samples, r.Type)
}

// allKeys are those that end a recording with dtmfterm.
const allKeys = "0123456789*#ABCD"

// record takes the caller's voice (2.3.6).
func (f *formRun) record(i *item) error {
	if f.x.gone {
		return &fatal{ivr.ErrHangup}
	}
	if t := i.recordType(); !recordTypes[t] {
		return throw(evFormat, "recordings of type %s", t)
	}
	list, err := f.activate(i)
	if err != nil {
		return err
	}
	wait := f.firstWait(i)
	req, err := f.recordRequest(i, list)
	if err != nil {
		return err
	}
	rec, err := f.recorded(req, wait)
	switch {
	case err != nil:
		return f.cutShort(i, rec, err)
	case rec.Key != "":
		return f.keyed(i, list, rec)
	case rec.File == "":
		return &Event{Name: evNoInput}
	}
	f.keep(i, rec)
	return f.filled()
}

// recordType is the media type of the element, without parameters.
func (i *item) recordType() string { return mediaType(i.attr("type")) }

// mediaType is a media type without parameters; "" is WAV.
func mediaType(t string) string {
	t, _, _ = strings.Cut(cmp.Or(t, "audio/x-wav"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// unheardType throws what is wrong with the type in which input shall be recorded (VoiceXML 2.1, 7). Keys make no sound:
// lastresult$.recording stays undefined.
func (x *execution) unheardType(f *frame) error {
	t := mediaType(x.property(f, "recordutterancetype"))
	if x.property(f, "recordutterance") == "true" && !recordTypes[t] {
		return throw(evFormat, "recordings of type %s", t)
	}
	return nil
}

// recordRequest reads the element's attributes, and plays what is said before.
func (f *formRun) recordRequest(i *item, list []*active) (ivr.Record, error) {
	fr := f.frame(i)
	r := ivr.Record{
		Max:     seconds(f.x.setting(fr, i.element, "maxtime", "maxtime"), 180*time.Second),
		Silence: seconds(f.x.setting(fr, i.element, "finalsilence", "finalsilence"), 4*time.Second),
		Ends:    endKeys(i, list),
	}
	// A key before the tone would cut the prompt and be lost for the recording: all but the last track are played out.
	tracks := f.x.tracks()
	for k, t := range tracks {
		if k == len(tracks)-1 && t.barge != noKey {
			r.Prompt = t.clips
			break
		}
		if _, err := f.x.line.Gather(f.x.live, ivr.Gather{Play: t.clips, NoBargeIn: true}); err != nil {
			return r, f.x.ended(err)
		}
	}
	if i.attr("beep") == "true" {
		tone, err := f.x.Voice.Earcon("tone")
		if err != nil {
			return r, &Event{Name: evNoResource, Message: "no tone", cause: err}
		}
		r.Tone = tone
	}
	return r, nil
}

// endKeys are the keys that end a recording: any, or those with which something begins that is listened to.
func endKeys(i *item, list []*active) string {
	if i.attr("dtmfterm") != "false" {
		return allKeys
	}
	var keys []byte
	for _, k := range []byte(allKeys) {
		if (&collecting{list: list}).accepts(k) {
			keys = append(keys, k)
		}
	}
	return string(keys)
}

// recorded records until something was said, and File is "" when nothing was. A Line knows one silence only, the one at the
// end of what is said: it listens again as long as the caller may take to begin, half of that silence more or less.
func (f *formRun) recorded(r ivr.Record, wait time.Duration) (ivr.Recorded, error) {
	began := time.Now()
	for {
		rec, err := f.x.line.Record(f.x.live, r)
		if rec.File != "" {
			f.x.files = append(f.x.files, rec.File)
		}
		f.x.listened(began, rec.Key != "")
		tooShort := rec.Why == ivr.Limit && r.Max <= r.Silence // for the Line to notice that nothing is said
		silent := rec.File == "" || (rec.Why == ivr.Silence || rec.Key != "" || tooShort) && !ivr.AudibleIn(rec.File)
		if err != nil || !silent {
			return rec, err
		}
		waited := r.Silence
		if tooShort {
			waited = r.Max
		}
		if wait -= waited; rec.Key != "" || wait < waited/2 || waited <= 0 {
			return ivr.Recorded{Why: rec.Why, Key: rec.Key}, nil
		}
		r.Prompt, r.Tone = nil, prompts.Clip{}
	}
}

// cutShort is what becomes of a recording that was ended by the end of the call: what there is of it is kept.
func (f *formRun) cutShort(i *item, rec ivr.Recorded, err error) error {
	err = f.x.ended(err)
	var event *Event
	if rec.File != "" && errors.As(err, &event) && event.Name == evHangup {
		f.keep(i, rec)
	}
	return err
}

// keyed goes on with the key that ended a recording: with others it may be the end of a recording, or something else that
// the caller wants. When nothing was said before it, the item stays without a value, and nothing is thrown (2.3.6).
func (f *formRun) keyed(i *item, list []*active, rec ivr.Recorded) error {
	c := f.collecting(i, list)
	if err := c.match(rec.Key); err != nil {
		return f.x.ended(err)
	}
	in, err := f.mean(&c.in)
	if err != nil {
		return err
	}
	ends := in.active == nil && i.attr("dtmfterm") != "false"
	switch {
	case !ends && (in.active == nil || in.active.item != i):
		return f.react(in, i)
	case ends:
		in = &input{keys: rec.Key, value: f.x.vm.Value(rec.Key)}
	}
	f.lastResult(in)
	if rec.File == "" {
		return nil
	}
	if ends {
		f.keep(i, rec)
		return f.filled()
	}
	f.keep(i, rec, "utterance", in.keys, "confidence", 1, "inputmode", "dtmf", "interpretation", in.value)
	return f.filled()
}

// keep makes the recording the item's value. more are further shadow variables.
func (f *formRun) keep(i *item, rec ivr.Recorded, more ...any) {
	r := &Recording{File: rec.File, Duration: rec.Duration, Type: i.recordType()}
	if info, err := os.Stat(rec.File); err == nil {
		r.Size = info.Size()
	}
	if r.bare() {
		r.Size = int64(rec.Duration * sound.Rate / time.Second)
	}
	f.fill(i, f.x.vm.Wrap(r, "recording:"+filepath.Base(rec.File)))
	var key any
	if rec.Key != "" && i.attr("dtmfterm") != "false" {
		key = rec.Key
	}
	f.shadow(i, append([]any{"duration", r.Duration.Milliseconds(), "size", r.Size, "termchar", key, "maxtime", rec.Why == ivr.Limit,
		"utterance", nil, "confidence", nil}, more...)...)
}

// asRecording returns the recording that a value is, or nil.
func asRecording(vm *ecma.VM, v ecma.Value) *Recording {
	r, _ := vm.Unwrap(v).(*Recording)
	return r
}
