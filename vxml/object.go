package vxml

import (
	"errors"
)

// object calls a function of the platform.
func (f *formRun) object(i *item) error {
	id := i.attr("classid")
	if f.x.objects == nil || id == "" {
		return throw(evObject, "there is no object %s", id)
	}
	values, err := f.paramValues(i)
	if err != nil {
		return err
	}
	params := map[string]any{}
	for name, v := range values {
		if rec := asRecording(f.x.vm, v); rec != nil {
			params[name] = rec
		} else if params[name], err = f.x.vm.Export(v); err != nil {
			return semantic(err)
		}
	}
	if err := f.x.playQueue(); err != nil {
		return err
	}
	out, err := f.x.objects.Call(f.x.ctx(), id, params)
	if err != nil {
		return f.objectFailed(id, err)
	}
	f.fill(i, f.x.fromGo(out))
	return f.filled()
}

func (f *formRun) objectFailed(id string, err error) error {
	var event *Event
	switch {
	case errors.As(err, &event):
		return event
	case errors.Is(err, ErrNoObject):
		return throw(evObject, "there is no object %s", id)
	case f.x.ctx().Err() != nil:
		return f.x.ended(err)
	}
	f.x.log.Warn("an object failed", "call", f.x.line.ID(), "object", id, "err", err)
	return &Event{Name: evNoResource, Message: "the object failed", cause: err}
}
