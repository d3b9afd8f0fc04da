package dialplan

import (
	"errors"
	"fmt"
	"regexp"
)

// A Plan says who answers which number.
type Plan struct {
	// Context of the dialplan that callers come into; "" is "hark".
	Context string
	// Apps are the Stasis applications that a call is offered to in turn, one of each Hark at this Asterisk; nil is "hark".
	Apps []string
	// AGI is the address of Hark's FastAGI listener, "127.0.0.1:4573": calls are given to it, and not to Stasis. "" is Stasis.
	AGI string
	// Nonce goes with AGI: letters, digits, - and _, at least 16.
	Nonce string
	// Apology are the sounds that are played, joined with &, when nobody takes a call; "" is Asterisk's own
	// "sorry&please-try-call-later".
	Apology string
	// Routes answer the numbers. A number written out goes before a pattern; of patterns the first one counts.
	Routes []Route
}

// A Route is one number, or several of one pattern, and who answers it.
type Route struct {
	// Number is digits, with + * and #, up to 32; or "s" for a line that tells no number; or a pattern of Asterisk's, which
	// begins with an underscore: X is any digit, Z one of 1 to 9, N one of 2 to 9, [2-57] one of those.
	Number string
	// Language of the dialogue, such as "en" or "pt-BR"; "" is the default one.
	Language string
	// Dialogue is the dialogue's name; "" is Messenger.
	Dialogue string
	// Page is the URL or file of the first page when Dialogue is VoiceXML, else "".
	Page string
	// To are the user numbers that the page may send messages to for a caller who did not log in; nil is nobody.
	To []string
	// Prompts is the folder of the number's own words and sounds, "" when it has none. Asterisk does not get to know it.
	Prompts string
}

// The dialogues.
const (
	Messenger = "messenger"
	VoiceXML  = "voicexml"
)

// SorryLabel is the label at which each extension apologises; a call that cannot be served is sent there.
const SorryLabel = "sorry"

const (
	defaultName    = "hark"
	defaultApology = "sorry&please-try-call-later"
)

var (
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,78}$`)
	languageForm = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$`)
	nonceForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{16,128}$`)
	apologyForm  = regexp.MustCompile(`^[A-Za-z0-9/_.-]+(&[A-Za-z0-9/_.-]+)*$`)
)

// withDefaults fills in what was left out.
func (p Plan) withDefaults() Plan {
	fill := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	fill(&p.Context, defaultName)
	if len(p.Apps) == 0 {
		p.Apps = []string{defaultName}
	}
	fill(&p.Apology, defaultApology)
	routes := make([]Route, len(p.Routes))
	for i, r := range p.Routes {
		fill(&r.Dialogue, Messenger)
		routes[i] = r
	}
	p.Routes = routes
	return p
}

// Check tells everything that is wrong with the plan, each error with the number that it is about.
func (p Plan) Check() error {
	p = p.withDefaults()
	var errs []error
	refuse := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("dialplan: "+format, args...))
		}
	}
	refuse(nameForm.MatchString(p.Context), "the context %q is not a name of letters, digits, - and _", p.Context)
	for _, app := range p.Apps {
		refuse(nameForm.MatchString(app), "the application %q is not a name of letters, digits, - and _", app)
	}
	refuse(apologyForm.MatchString(p.Apology), "the apology %q is not names of sounds with & in between", p.Apology)
	refuse(p.AGI == "" || loopback(p.AGI), "the FastAGI address %q is not a loopback address with a port", p.AGI)
	refuse(p.AGI == "" || nonceForm.MatchString(p.Nonce), "the nonce is not 16 or more letters, digits, - and _")
	refuse(len(p.Routes) > 0, "there is no number that Hark answers")
	seen := make(map[string]bool)
	for _, r := range p.Routes {
		if err := r.check(); err != nil {
			errs = append(errs, fmt.Errorf("dialplan: number %q: %w", r.Number, err))
		}
		refuse(!seen[r.Number], "number %q: it is there twice", r.Number)
		seen[r.Number] = true
	}
	return errors.Join(errs...)
}

func (r Route) check() error {
	_, err := parsePattern(r.Number)
	switch {
	case err != nil:
		return err
	case r.Language != "" && !languageForm.MatchString(r.Language):
		return fmt.Errorf("%q is no language such as en or pt-BR", r.Language)
	case r.Dialogue == Messenger && r.Page != "":
		return fmt.Errorf("a page belongs to the dialogue %q", VoiceXML)
	case r.Dialogue == Messenger && len(r.To) > 0:
		return fmt.Errorf("to belongs to the dialogue %q", VoiceXML)
	case r.Dialogue == VoiceXML && r.Page == "":
		return fmt.Errorf("the dialogue %q needs a page", VoiceXML)
	case r.Dialogue != Messenger && r.Dialogue != VoiceXML:
		return fmt.Errorf("there is no dialogue %q, but %q and %q", r.Dialogue, Messenger, VoiceXML)
	}
	return nil
}

// Choose returns the route of the number that was dialled, with its Dialogue filled in, and false when nobody answers it.
// Whatever text a caller put in place of a number may be asked about.
func (p Plan) Choose(called string) (Route, bool) {
	p = p.withDefaults()
	for _, r := range p.Routes {
		if r.Number == called && called != "" && called[0] != '_' {
			return r, true
		}
	}
	for _, r := range p.Routes {
		if len(r.Number) == 0 || r.Number[0] != '_' {
			continue
		}
		if pattern, err := parsePattern(r.Number); err == nil && pattern.match(called) {
			return r, true
		}
	}
	return Route{}, false
}
