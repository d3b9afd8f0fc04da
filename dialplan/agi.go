package dialplan

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// agiHead explains the file to whoever opens it.
const agiHead = `; Written by "hark dialplan --agi". Change Hark's configuration, and have it written anew.
;
; The numbers that Hark answers over FastAGI. Nothing here dials, includes or looks at what the caller sent, so a caller
; gets to Hark and to nowhere else. Hark answers the call itself, and hangs it up when it is done: the lines behind AGI()
; speak when Hark is away or cannot go on.
;
; The second argument of AGI() is Hark's nonce: let nobody but Asterisk read this file.
`

// throughAGI writes the lines of a number behind its "exten =" that give the call to Hark over FastAGI.
func (p Plan) throughAGI(w io.Writer) {
	fmt.Fprintf(w, "AGI(agi://%s/hark,%s)\n", p.AGI, p.Nonce)
	fmt.Fprintf(w, " same = n(%s),Answer(500)\n", SorryLabel)
	fmt.Fprintf(w, " same = n,Playback(%s)\n", p.Apology)
	fmt.Fprintf(w, " same = n,Hangup()\n")
}

// loopback tells whether an address is one of this machine that no other can reach, with a port.
func loopback(address string) bool {
	a, err := netip.ParseAddrPort(address)
	return err == nil && a.Addr().IsLoopback() && a.Addr().Zone() == ""
}

// gateway says what is wrong with the arguments of AGI(): it may only lead to this machine's Hark, by an address that is
// written out. AGI runs programs, too.
func gateway(args string) []string {
	url, _, _ := strings.Cut(args, ",")
	address, isURL := strings.CutPrefix(strings.TrimSpace(url), "agi://")
	address, _, _ = strings.Cut(address, "/")
	switch {
	case strings.Contains(args, "$"):
		return []string{"a variable says which program gets the call"}
	case !isURL || !loopback(address):
		return []string{"it is not known to be harmless"}
	}
	return nil
}
