package dialplan

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// head explains the file to whoever opens it.
const head = `; Written by "hark dialplan". Change Hark's configuration, and have it written anew.
;
; The numbers that Hark answers. Nothing here dials, includes or looks at what the caller sent, so a caller gets to Hark
; and to nowhere else. Hark answers the call itself.
;
; The lines behind Stasis() speak when Hark is not there to take the call; Hark may also send a caller to the label
; "sorry" by itself. Hark winds TIMEOUT(absolute) up again as long as it lives: when it died in a call, and no other Hark
; has taken the call over, the caller comes to extension T.
`

// harkDead is how many seconds a call waits for a Hark that is gone. ivr/stasis winds it up every 10 s, to the same time.
const harkDead = 40

// Write writes the extensions of the plan for Asterisk's extensions.conf, or for a file included there. A plan that Check
// refuses is not written.
func (p Plan) Write(w io.Writer) error {
	if err := p.Check(); err != nil {
		return err
	}
	p = p.withDefaults()
	var b bytes.Buffer
	about := head
	if p.AGI != "" {
		about = agiHead
	}
	fmt.Fprintf(&b, "%s[%s]\n", about, p.Context)
	for _, r := range p.Routes {
		p.extension(&b, r)
	}
	if p.AGI == "" {
		p.abandoned(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// extension writes one number. The language is set for the apology; it is Asterisk's own form of it, with underscores.
func (p Plan) extension(b *bytes.Buffer, r Route) {
	fmt.Fprintf(b, "exten = %s,1,", r.Number)
	if r.Language != "" {
		fmt.Fprintf(b, "Set(CHANNEL(language)=%s)\n same = n,", strings.ReplaceAll(r.Language, "-", "_"))
	}
	if p.AGI != "" {
		p.throughAGI(b)
		return
	}
	fmt.Fprintf(b, "Set(TIMEOUT(absolute)=%d)\n", harkDead)
	for _, app := range p.Apps {
		fmt.Fprintf(b, " same = n,Stasis(%s)\n", app)
		fmt.Fprintf(b, " same = n,GotoIf($[\"${STASISSTATUS}\" = \"SUCCESS\"]?bye)\n")
	}
	fmt.Fprintf(b, " same = n(%s),Answer(500)\n", SorryLabel)
	fmt.Fprintf(b, " same = n,Playback(%s)\n", p.Apology)
	fmt.Fprintf(b, " same = n(bye),Hangup()\n")
}

// abandoned writes what speaks to a caller whose Hark has died in the call.
func (p Plan) abandoned(b *bytes.Buffer) {
	fmt.Fprintf(b, "exten = T,1,Playback(%s)\n same = n,Hangup()\n", p.Apology)
}
