package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"hark/ivr/fastagi"
)

// nonceForm is what can stand in a dialplan as it is.
var nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,128}$`)

// checkAGI tells what is wrong with listen.agi and its nonce, which must never be printed.
func (c *config) checkAGI(bad func(key, format string, args ...any)) {
	if c.Listen.AGI == "" {
		return
	}
	if !strings.HasPrefix(c.Listen.AGI, "unix:/") {
		address, err := netip.ParseAddrPort(c.Listen.AGI)
		if err != nil || !address.Addr().IsLoopback() {
			bad("listen.agi", "%q is not a loopback address like 127.0.0.1:4573: FastAGI has no authentication", c.Listen.AGI)
		}
	}
	if !nonceForm.MatchString(c.Listen.AGINonce) {
		bad("listen.agi_nonce", "is missing or not 16 or more letters, digits, - and _ (openssl rand -hex 16)")
	}
}

// agiFolder is where Asterisk leaves the recordings of calls over FastAGI.
func (c config) agiFolder() string {
	return filepath.Join(c.Data, "agi")
}

// listenAGI answers the calls of Asterisks without ARI, when configured.
func (p *parts) listenAGI(ctx context.Context) error {
	if p.config.Listen.AGI == "" {
		return nil
	}
	server, err := p.agi()
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

// agi makes the server for them: the same dialogue as over ARI.
func (p *parts) agi() (*fastagi.Server, error) {
	a := p.config.Asterisk
	media, err := mediaMap(a.Sounds)
	if err != nil {
		return nil, err
	}
	dialogues, err := p.dialogues()
	if err != nil {
		return nil, err
	}
	folder := p.config.agiFolder()
	if err := shareWithGroup(folder); err != nil {
		return nil, err
	}
	return &fastagi.Server{
		Addr:        p.config.Listen.AGI,
		Nonce:       p.config.Listen.AGINonce,
		Handle:      dialogues.answer,
		Log:         p.log,
		Media:       media,
		Recordings:  folder,
		MaxCalls:    a.Calls,
		AnswerPause: time.Duration(a.Settle),
	}, nil
}

// shareWithGroup makes a folder in which our group, which Asterisk's user belongs to, can make files; they get that group.
func shareWithGroup(folder string) error {
	return errors.Join(os.MkdirAll(folder, 0o770), os.Chmod(folder, 0o770|os.ModeSetgid))
}

// agiPlanAddress is the address that the dialplan calls: Asterisk has no way to a Unix socket.
func agiPlanAddress(listen string) (string, error) {
	if _, _, err := net.SplitHostPort(listen); err != nil || strings.HasPrefix(listen, "unix:") {
		return "", errors.New("listen.agi must be an address like 127.0.0.1:4573 for this")
	}
	return listen, nil
}
