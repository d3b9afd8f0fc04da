package vxml

import (
	"errors"
	"slices"

	"hark/vxml/ecma"
)

// maxThrown is how many events may follow one another from within handlers.
const maxThrown = 50

// settle handles events until something else is left: nil, a jump, or an event that ends the application.
func (f *formRun) settle(err error, i *item) error {
	for range maxThrown {
		var event *Event
		if !errors.As(err, &event) {
			return err
		}
		var w *within
		if errors.As(err, &w) {
			i = w.item
		}
		f.x.watch(Note{Kind: Thrown, Text: event.Name, Label: event.Message})
		err = f.handle(event, i)
	}
	if err != nil {
		return &fatal{errors.Join(errSteps, err)}
	}
	return nil
}

// handle runs the handler of an event, or does what the platform does without one.
func (f *formRun) handle(event *Event, i *item) error {
	counts := f.count(event, i)
	fr := f.frame(i).inner()
	message := ecma.Undefined()
	if event.Message != "" {
		message = f.x.vm.Value(event.Message)
	}
	fr.scope.Declare("_event", f.x.vm.Value(event.Name))
	fr.scope.Declare("_message", message)
	h, err := f.handler(fr, event, counts, i)
	if err != nil {
		return err
	}
	if h == nil {
		return f.byDefault(event)
	}
	again := false
	fr.reprompt = &again
	f.mute = true
	err = fr.run(h.actions)
	f.mute = !again
	return err
}

// count counts an event under its name and all the beginnings of it.
func (f *formRun) count(event *Event, i *item) map[string]int {
	counts := f.counts[i]
	if counts == nil {
		counts = map[string]int{}
		f.counts[i] = counts
	}
	for _, name := range prefixes(event.Name) {
		counts[name]++
	}
	return counts
}

// handler selects the handler (VoiceXML 2.0, 5.2.4): of those from the item outwards that take the event, and whose
// condition holds, the first with the highest count that was reached.
func (f *formRun) handler(fr *frame, event *Event, counts map[string]int, i *item) (*catch, error) {
	var best *catch
	for _, h := range f.handlers(i) {
		reached := 0
		for _, name := range h.events {
			if covers(name, event.Name) {
				reached = max(reached, counts[name])
			}
		}
		if reached < h.count || best != nil && h.count <= best.count {
			continue
		}
		ok, err := fr.cond(h.element)
		if err != nil {
			return nil, err
		}
		if ok {
			best = h
		}
	}
	return best, nil
}

// handlers lists the handlers from the inside outwards.
func (f *formRun) handlers(i *item) []*catch {
	var list []*catch
	if i != nil {
		list = append(list, i.catches...)
	}
	list = append(list, f.dialog.catches...)
	list = append(list, f.x.doc.catches...)
	if f.x.root != f.x.doc && f.x.root != nil {
		list = append(list, f.x.root.catches...)
	}
	return list
}

// byDefault is what happens without a handler (5.2.5): the caller is asked again, or the application ends.
func (f *formRun) byDefault(event *Event) error {
	asksAgain := func(name string) bool { return covers(name, event.Name) }
	if slices.ContainsFunc([]string{evNoInput, evNoMatch, "help", "cancel", "maxspeechtimeout"}, asksAgain) {
		f.mute = asksAgain("cancel")
		return nil
	}
	f.x.log.Debug("an event that nothing caught", "call", f.x.line.ID(), "event", event.Name)
	return &uncaught{event}
}

// uncaught is an event that ended the application.
type uncaught struct{ event *Event }

func (u *uncaught) Error() string { return "not caught: " + u.event.Error() }
