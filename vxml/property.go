package vxml

import (
	"slices"
	"strconv"
	"strings"

	"hark/vxml/srgs"
)

// defaults are the platform's properties.
var defaults = properties{
	"timeout": "5s", "interdigittimeout": "3s", "termtimeout": "0s", "termchar": "#", "bargein": "true", "bargeintype": "speech",
	"inputmodes": "dtmf voice", "universals": "none", "fetchtimeout": "10s", "finalsilence": "4s", "maxtime": "180s",
	"fetchaudiodelay": "2s", "fetchaudiominimum": "0s", "confidencelevel": "0.5", "maxnbest": "1",
}

// kinds are the properties whose values are looked at, with what is a value (VoiceXML 2.0, 6.3).
var kinds = map[string]func(string) bool{
	"timeout": isTime, "interdigittimeout": isTime, "termtimeout": isTime, "completetimeout": isTime, "incompletetimeout": isTime,
	"maxspeechtimeout": isTime, "fetchtimeout": isTime, "fetchaudiodelay": isTime, "fetchaudiominimum": isTime,
	"finalsilence": isTime, "maxtime": isTime,
	"documentmaxage": isCount, "documentmaxstale": isCount, "grammarmaxage": isCount, "grammarmaxstale": isCount,
	"scriptmaxage": isCount, "scriptmaxstale": isCount, "audiomaxage": isCount, "audiomaxstale": isCount, "datamaxage": isCount,
	"datamaxstale": isCount, "maxnbest": isCount,
	"recordutterance": isBool,
	"termchar":        func(v string) bool { return v == "" || len(v) == 1 && srgs.IsKey(v[0]) },
	"bargein":         isBool,
	"bargeintype":     oneOf("speech", "hotword"),
	"inputmodes":      func(v string) bool { return onlyWords(v, "dtmf", "voice") },
	"universals":      func(v string) bool { return onlyWords(v, "none", "all", "help", "cancel", "exit") },
	"confidencelevel": isPart, "sensitivity": isPart, "speedvsaccuracy": isPart,
}

func isTime(v string) bool {
	_, err := duration(v)
	return err == nil
}

func isCount(v string) bool {
	n, err := strconv.Atoi(strings.TrimSpace(v))
	return err == nil && n >= 0
}

// isPart tells whether v is a number from 0 to 1.
func isPart(v string) bool {
	x, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	return err == nil && x >= 0 && x <= 1
}

func onlyWords(v string, known ...string) bool {
	list := strings.Fields(v)
	return len(list) > 0 && !slices.ContainsFunc(list, func(w string) bool { return !slices.Contains(known, w) })
}

// bad returns a property whose value is none, "" when all are good.
func (p properties) bad() (name string) {
	for n, v := range p {
		if good := kinds[n]; good != nil && !good(v) && n > name {
			name = n
		}
	}
	return name
}

// property looks a property up from the item outwards.
func (x *execution) property(f *frame, name string) string {
	levels := x.levels(f)
	for i := len(levels) - 1; i >= 0; i-- {
		if v, ok := levels[i][name]; ok {
			return v
		}
	}
	return ""
}

// badProperty throws error.semantic for a property that counts here and whose value is none.
func (x *execution) badProperty(f *frame) error {
	for _, p := range x.levels(f)[1:] {
		if name := p.bad(); name != "" && x.property(f, name) == p[name] {
			return throw(evSemantic, "%q is no value of the property %s", p[name], name)
		}
	}
	return nil
}

// levels are the properties that count, the outermost first.
func (x *execution) levels(f *frame) []properties {
	levels := []properties{defaults}
	if x.root != nil && x.root != x.doc {
		levels = append(levels, x.root.props)
	}
	if x.doc != nil {
		levels = append(levels, x.doc.props)
	}
	if f != nil && f.form != nil {
		levels = append(levels, f.form.dialog.props)
	}
	if f != nil && f.item != nil {
		levels = append(levels, f.item.props)
	}
	return levels
}
