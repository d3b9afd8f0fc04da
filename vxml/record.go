package vxml

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"hark/ivr"
	"hark/prompts"
	"hark/vxml/ecma"
)

// A Recording is what a caller said, as the value of a variable. It lives as long as the call.
type Recording struct {
	// File is a WAV file on this machine. The call removes it at its end: who wants to keep it copies it.
	File     string
	Duration time.Duration
	Size     int64 // bytes
}

func (r *Recording) clip() *prompts.Clip {
	return &prompts.Clip{File: r.File, Duration: r.Duration}
}

// anyKey ends a recording with dtmfterm.
const anyKey = "0123456789*#ABCD"

// record takes the caller's voice.
func (f *formRun) record(i *item) error {
	if f.x.gone {
		return &fatal{ivr.ErrHangup}
	}
	if t := i.attr("type"); t != "" && t != "audio/wav" && t != "audio/x-wav" {
		return throw(evFormat, "recordings of type %s", t)
	}
	req, err := f.recordRequest(i)
	if err != nil {
		return err
	}
	began := time.Now()
	rec, err := f.x.line.Record(f.x.live, req)
	if rec.File != "" {
		f.x.files = append(f.x.files, rec.File)
	}
	f.x.listened(began, false)
	err = f.x.ended(err)
	var event *Event
	if err != nil && !(errors.As(err, &event) && event.Name == evHangup) {
		return err
	}
	if rec.File == "" || rec.Why == ivr.Silence && rec.Duration <= req.Silence {
		if err == nil {
			err = &Event{Name: evNoInput}
		}
		return err
	}
	f.keep(i, rec)
	if err != nil {
		return err
	}
	return f.filled()
}

// recordRequest reads the element's attributes.
func (f *formRun) recordRequest(i *item) (ivr.Record, error) {
	fr := f.frame(i)
	r := ivr.Record{
		Max:     seconds(f.x.setting(fr, i.element, "maxtime", "maxtime"), 180*time.Second),
		Silence: seconds(f.x.setting(fr, i.element, "finalsilence", "finalsilence"), 4*time.Second),
	}
	if i.attr("dtmfterm") != "false" {
		r.Ends = anyKey
	}
	// A key before the tone would cut the prompt and be lost for the recording: all but the last track are played out.
	list := f.x.tracks()
	for k, t := range list {
		if k == len(list)-1 && !t.deaf {
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

// keep makes the recording the item's value.
func (f *formRun) keep(i *item, rec ivr.Recorded) {
	r := &Recording{File: rec.File, Duration: rec.Duration}
	if info, err := os.Stat(rec.File); err == nil {
		r.Size = info.Size()
	}
	f.fill(i, f.x.vm.Wrap(r, "recording:"+filepath.Base(rec.File)))
	var key any
	if rec.Key != "" {
		key = rec.Key
	}
	f.shadow(i, "duration", r.Duration.Milliseconds(), "size", r.Size, "termchar", key, "maxtime", rec.Why == ivr.Limit,
		"utterance", nil, "confidence", nil)
}

// asRecording returns the recording that a value is, or nil.
func asRecording(vm *ecma.VM, v ecma.Value) *Recording {
	r, _ := vm.Unwrap(v).(*Recording)
	return r
}
