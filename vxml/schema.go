package vxml

import (
	"fmt"
	"slices"
	"strings"

	"hark/vxml/xmltree"
)

// What may stand in many elements.
const (
	speech = "#text audio break desc emphasis enumerate foreach lexicon mark meta metadata p phoneme prosody s say-as sub value voice "
	action = "#text assign audio clear data disconnect enumerate exit foreach goto if log mark prompt reprompt return script submit throw value var "
	catchy = "catch error help noinput nomatch property "
	fetchy = "fetchhint fetchtimeout maxage maxstale fetchaudio "
	onItem = "name expr cond "
)

// A shape is what an element may hold. A group of attributes "a|b" needs exactly one, "a|b?" at most one; "!" marks one
// that is required, and a "#" in a group is the element's content.
type shape struct{ attrs, kids string }

// shapes is VoiceXML 2.1, with the parts of SSML 1.0 that are spoken. What stands in a grammar is package srgs's affair.
var shapes = map[string]shape{
	"vxml":       {"version! application", catchy + "form link menu meta metadata script var data"},
	"meta":       {"name http-equiv content!", ""},
	"metadata":   {"", "*"},
	"form":       {"id scope", catchy + "block data field filled grammar initial link object record script subdialog transfer var"},
	"menu":       {"id scope dtmf accept", catchy + "#text audio choice enumerate prompt script value"},
	"choice":     {fetchy + "dtmf accept next|expr|event|eventexpr message|messageexpr?", "#text audio enumerate grammar value break emphasis p s phoneme prosody say-as sub voice"},
	"field":      {onItem + "type slot modal", catchy + "#text audio enumerate filled grammar link option prompt value"},
	"option":     {"dtmf accept value", "#text"},
	"initial":    {onItem, catchy + "#text audio enumerate link prompt value"},
	"block":      {onItem, action},
	"record":     {onItem + "modal beep maxtime finalsilence dtmfterm type dest", catchy + "#text audio enumerate filled grammar prompt value"},
	"transfer":   {onItem + "bridge|type? dest|destexpr connecttimeout maxtime transferaudio aai|aaiexpr?", catchy + "#text audio enumerate filled grammar prompt value"},
	"subdialog":  {onItem + fetchy + "src|srcexpr namelist method enctype", catchy + "#text audio enumerate filled param prompt value"},
	"object":     {onItem + fetchy + "classid codebase codetype data type archive", catchy + "#text audio enumerate filled param prompt value"},
	"param":      {"name! expr|value valuetype type", ""},
	"filled":     {"mode namelist", action},
	"link":       {fetchy + "dtmf next|expr|event|eventexpr message|messageexpr?", "grammar"},
	"catch":      {"event cond count", action},
	"error":      {"cond count", action},
	"help":       {"cond count", action},
	"noinput":    {"cond count", action},
	"nomatch":    {"cond count", action},
	"property":   {"name! value!", ""},
	"grammar":    {fetchy + "src|srcexpr|# version root mode type weight tag-format scope", "*"},
	"prompt":     {"bargein bargeintype cond count timeout", speech},
	"enumerate":  {"", speech},
	"audio":      {fetchy + "src|expr", speech},
	"value":      {"expr! mode recsrc class", ""},
	"assign":     {"name! expr!", ""},
	"var":        {"name! expr", ""},
	"clear":      {"namelist", ""},
	"data":       {fetchy + "src|srcexpr name method namelist enctype", ""},
	"disconnect": {"namelist", ""},
	"exit":       {"expr|namelist?", ""},
	"foreach":    {"array! item!", action + speech},
	"goto":       {fetchy + "next|expr|nextitem|expritem", ""},
	"if":         {"cond!", action + "else elseif"},
	"elseif":     {"cond!", ""},
	"else":       {"", ""},
	"log":        {"label expr", "#text value"},
	"reprompt":   {"", ""},
	"return":     {"namelist|event|eventexpr? message|messageexpr?", ""},
	"script":     {fetchy + "src|srcexpr|# charset", "#text"},
	"submit":     {fetchy + "next|expr namelist method enctype", ""},
	"throw":      {"event|eventexpr message|messageexpr?", ""},
	"break":      {"time size strength", ""},
	"desc":       {"", "#text"},
	"emphasis":   {"level", speech},
	"lexicon":    {"uri! type", ""},
	"mark":       {"name|nameexpr", ""},
	"p":          {"", speech},
	"s":          {"", speech},
	"phoneme":    {"ph! alphabet", "#text"},
	"prosody":    {"pitch contour range rate duration volume", speech},
	"say-as":     {"interpret-as type format detail", "#text value"},
	"sub":        {"alias!", "#text"},
	"voice":      {"gender age variant name", speech},
}

// values are the attributes whose values are looked at: those of one element, or of any. The interpreter takes what it
// cannot read for absent; Check tells of it.
var values = map[string]func(string) bool{
	"accept": oneOf("exact", "approximate"), "method": oneOf("get", "post"), "fetchhint": oneOf("prefetch", "safe"),
	"bargein": isBool, "bargeintype": oneOf("speech", "hotword"), "beep": isBool, "dtmfterm": isBool, "modal": isBool, "bridge": isBool,
	"menu dtmf": isBool, "filled mode": oneOf("any", "all"), "grammar mode": oneOf("voice", "dtmf"), "grammar scope": oneOf("document", "dialog"),
	"transfer type": oneOf(blind, bridge, consultation), "enctype": oneOf("application/x-www-form-urlencoded", "multipart/form-data"),
	"timeout": isTime, "fetchtimeout": isTime, "connecttimeout": isTime, "maxtime": isTime, "finalsilence": isTime, "break time": isTime,
	"maxage": isCount, "maxstale": isCount,
}

func oneOf(words ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(words, v) }
}

func isBool(v string) bool { return v == "true" || v == "false" }

// A Problem is something wrong with a document.
type Problem struct {
	Line int
	Text string
	// Fatal means that the document cannot be run; otherwise it does not do what was meant, or might not.
	Fatal bool
}

func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Text) }

// validate checks a tree against shapes and reports what is wrong.
func validate(n *xmltree.Node, report func(Problem)) {
	s, known := shapes[n.Name]
	if !known {
		report(Problem{n.Line, "there is no element <" + n.Name + ">", true})
		return
	}
	validateAttrs(n, s, report)
	if s.kids == "*" {
		return
	}
	kids := strings.Fields(s.kids)
	for _, c := range n.Child {
		switch {
		case c.Kind == xmltree.Text:
			if strings.TrimSpace(c.Data) != "" && !slices.Contains(kids, "#text") {
				report(Problem{c.Line, "text does not belong into <" + n.Name + ">", true})
			}
		case c.Kind == xmltree.Element:
			validateChild(n, c, kids, report)
		}
	}
}

// validateChild checks an element within another one. Spoken elements outside of a <prompt>, which the language does not
// have but people write, are taken where text is.
func validateChild(n, c *xmltree.Node, kids []string, report func(Problem)) {
	if _, known := shapes[c.Name]; known && !slices.Contains(kids, c.Name) {
		taken := slices.Contains(kids, "#text") && slices.Contains(strings.Fields(speech), c.Name)
		report(Problem{c.Line, "<" + c.Name + "> does not belong into <" + n.Name + ">", !taken})
		if !taken {
			return
		}
	}
	validate(c, report)
}

// validateAttrs checks attributes. One that is not known is passed over by the interpreter, and told of by Check.
func validateAttrs(n *xmltree.Node, s shape, report func(Problem)) {
	var known []string
	for rule := range strings.FieldsSeq(s.attrs) {
		names := strings.Split(strings.TrimRight(rule, "!?"), "|")
		known = append(known, names...)
		count := 0
		for _, a := range names {
			if n.Has(a) || a == "#" && hasContent(n) {
				count++
			}
		}
		must := strings.HasSuffix(rule, "!") || len(names) > 1 && !strings.HasSuffix(rule, "?")
		switch {
		case must && count == 0:
			report(Problem{n.Line, "<" + n.Name + "> wants " + strings.Join(words(names), " or "), true})
		case len(names) > 1 && count > 1:
			report(Problem{n.Line, "<" + n.Name + "> wants only one of " + strings.Join(words(names), ", "), true})
		}
	}
	for _, a := range n.Attrs {
		good := values[a.Name]
		if own := values[n.Name+" "+a.Name]; own != nil {
			good = own
		}
		switch {
		case a.Space != "":
		case !slices.Contains(known, a.Name):
			report(Problem{n.Line, "<" + n.Name + "> has no attribute " + a.Name, false})
		case good != nil && !good(strings.TrimSpace(a.Value)):
			report(Problem{n.Line, fmt.Sprintf("%q is no value of the attribute %s of <%s>", a.Value, a.Name, n.Name), false})
		}
	}
}

// words names attributes for people.
func words(names []string) []string {
	out := slices.Clone(names)
	if i := slices.Index(out, "#"); i >= 0 {
		out[i] = "content"
	}
	return out
}

// hasContent tells whether there is anything but blanks in an element.
func hasContent(n *xmltree.Node) bool {
	return slices.ContainsFunc(n.Child, func(c *xmltree.Node) bool {
		return c.Kind == xmltree.Element || c.Kind == xmltree.Text && strings.TrimSpace(c.Data) != ""
	})
}
