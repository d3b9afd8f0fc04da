package testbed

import (
	"context"
	"time"
)

// ProsodyOptions say how a Prosody is to be. The zero value is a server for localhost without accounts.
type ProsodyOptions struct {
	// Dir is the run folder: configuration, accounts, archive, log. "" makes one that Discard removes again.
	Dir string
	// Host is the address to listen on; "" is 127.0.0.1.
	Host string
	// Port (TCP) for clients is a free one at random when 0.
	Port int
	// Domain is what stands behind the @ of addresses; "" is "localhost".
	Domain string
	// Users are the accounts, by the part before the @, with their passwords.
	Users map[string]string
	// Friends are pairs of users who stand on each other's roster and see each other's presence.
	Friends [][2]string
	// Hibernation is how long a session waits to be resumed after its connection was cut (XEP-0198); 0 is 10 min. Whole
	// seconds.
	Hibernation time.Duration
	// Upload adds file upload (XEP-0363) at upload.DOMAIN, Rooms adds rooms (XEP-0045) at rooms.DOMAIN.
	Upload, Rooms bool
	// BOSH adds XMPP over HTTP (XEP-0124) at Prosody.BOSH.
	BOSH bool
	// LogLevel is the least that the log tells of; "" is "debug", which History and Sessions read. A bench says "info" as
	// servers in the field do: debugging, Prosody writes several lines for each stanza, and is slower for it.
	LogLevel string
}

// Prosody is a running Prosody.
type Prosody struct {
	XMPPServer
	BOSH string // URL of XMPP over HTTP; "" when there is none
}

// StartProsody starts a Prosody and returns when it speaks XMPP. The caller ends it with Stop, Kill or Discard. ctx
// bounds only the start.
func StartProsody(ctx context.Context, o ProsodyOptions) (*Prosody, error) {
	return startXMPP(ctx, o.Port == 0, func() (*Prosody, error) { return layProsody(o) })
}
