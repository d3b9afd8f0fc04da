package testbed

import (
	"bufio"
	"io"
	"os"
	"regexp"
)

// A History is what happened to one account since Prosody was first started, counted from its log.
type History struct {
	Logins  int // times the password was proved, also by a client that then resumed
	Resumed int // times a cut session was taken up again (XEP-0198)
	Ended   int // sessions that came to an end: logged out, or not resumed in time
}

// History counts what happened to an account, such as alice@localhost.
func (p *Prosody) History(jid string) (History, error) {
	log, err := os.Open(p.LogFile)
	if err != nil {
		return History{}, err
	}
	defer log.Close()
	return readHistory(log, jid)
}

// Logins counts how often an account has logged in; see [History].
func (p *Prosody) Logins(jid string) (int, error) {
	h, err := p.History(jid)
	return h.Logins, err
}

// Sessions counts the sessions that are live or wait to be resumed.
func (p *Prosody) Sessions() (int, error) {
	log, err := os.Open(p.LogFile)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	return readSessions(log)
}

func readSessions(log io.Reader) (live int, err error) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Bytes()
		switch {
		case loginLine.Match(line):
			live++
		case resumeLine.Match(line), endLine.Match(line):
			live--
		}
	}
	return live, lines.Err()
}

// The lines that count. The first group is the name that Prosody gives a connection; it may be given again later.
var (
	loginLine  = regexp.MustCompile(`\s(c2s\w+)\s+info\s+Authenticated as (\S+)$`)
	resumeLine = regexp.MustCompile(`\s(c2s\w+)\s+debug\s+mod_smacks resuming existing session `)
	endLine    = regexp.MustCompile(`\sUnbinding resource for ([^/\s]+)/`)
)

func readHistory(log io.Reader, jid string) (History, error) {
	var h History
	owner := map[string]string{} // of a connection
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := loginLine.FindStringSubmatch(line); m != nil {
			owner[m[1]] = m[2]
			h.Logins += count(m[2] == jid)
		} else if m := resumeLine.FindStringSubmatch(line); m != nil {
			h.Resumed += count(owner[m[1]] == jid)
		} else if m := endLine.FindStringSubmatch(line); m != nil {
			h.Ended += count(m[1] == jid)
		}
	}
	return h, lines.Err()
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
