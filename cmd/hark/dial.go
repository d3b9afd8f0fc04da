package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hark/accounts"
	"hark/ivr"
	"hark/web"
)

// dialConfig is how Hark may call telephones.
type dialConfig struct {
	Trunks endpoints `toml:"trunks"`
	From   string    `toml:"from"`
	Talks  int       `toml:"talks"`
}

// endpoints are where Asterisk reaches numbers, by what these begin with.
type endpoints map[string]string

// UnmarshalTOML implements toml.Unmarshaler: the TOML package passes in silence over what is no table.
func (e *endpoints) UnmarshalTOML(value any) error {
	table, ok := value.(map[string]any)
	if !ok {
		return errors.New("is no table like { \"2\" = \"PJSIP/{number}\" }")
	}
	*e = endpoints{}
	for prefix, endpoint := range table {
		text, ok := endpoint.(string)
		if !ok {
			return fmt.Errorf("has no string for %q", prefix)
		}
		(*e)[prefix] = text
	}
	return nil
}

// trunks are the ways out, those with the longest beginning first. No beginning goes to two of them.
func (d dialConfig) trunks() (t ivr.Trunks) {
	for prefix, endpoint := range d.Trunks {
		t = append(t, ivr.Trunk{Template: endpoint, Prefixes: []string{prefix}})
	}
	slices.SortFunc(t, func(a, b ivr.Trunk) int {
		return cmp.Or(len(b.Prefixes[0])-len(a.Prefixes[0]), strings.Compare(a.Prefixes[0], b.Prefixes[0]))
	})
	return t
}

// wayOut is whom VoiceXML documents may call with <transfer>, whoever the caller is: numbers that begin as vxml.transfer
// says, by the trunk that takes them. Nobody, unless the configuration says so (T14).
func (c *config) wayOut() (out ivr.Trunks, err error) {
	trunks := c.Dial.trunks()
	for _, prefix := range c.VXML.Transfer {
		at := slices.IndexFunc(trunks, func(t ivr.Trunk) bool { return strings.HasPrefix(prefix, t.Prefixes[0]) })
		if at < 0 {
			return nil, fmt.Errorf("%q begins like no number that dial.trunks takes", prefix)
		}
		t := ivr.Trunk{Template: trunks[at].Template, Prefixes: []string{prefix}}
		if err := t.Check(); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// checkDial tells what is wrong with the ways out.
func (c *config) checkDial(bad func(key, format string, args ...any)) {
	for _, trunk := range c.Dial.trunks() {
		if err := trunk.Check(); err != nil {
			bad("dial.trunks", "cannot be used for %q: %v", trunk.Prefixes[0], err)
		}
	}
	if c.Dial.Talks < 0 {
		bad("dial.talks", "must not be below 0")
	}
	if c.Asterisk.PerCaller < 0 {
		bad("asterisk.per_caller", "must not be below 0: 0 is any number")
	}
}

// telephones knows at which telephones users are called, and whether they may be now.
type telephones struct {
	accounts  *accounts.DB
	directory directory
	trunks    ivr.Trunks
	talks     int // a user may have with others a day
	now       func() time.Time
}

var (
	_ ivr.Phones    = telephones{}
	_ ivr.CallBacks = telephones{}
)

// Reach implements ivr.Phones. Hours of rest hold for calls of other users too. Nobody is called by whom he has never
// written to: a number that somebody only tries must not ring, and not tell by it that it is one.
func (t telephones) Reach(ctx context.Context, by, user string) (string, error) {
	if known, err := t.directory.wrote(ctx, by, user); err != nil {
		return "", err
	} else if !known {
		return "", ivr.ErrNoWay
	}
	phone, err := t.accounts.Phone(ctx, user)
	if errors.Is(err, accounts.ErrNotFound) {
		return "", ivr.ErrNoWay
	}
	if err != nil {
		return "", err
	}
	if !phone.Proven || settings(phone).Quiet(t.now()) {
		return "", ivr.ErrNoWay
	}
	endpoint, err := t.trunks.Endpoint(phone.Number)
	if err != nil {
		return "", err
	}
	if err := t.accounts.TakeTalk(ctx, by, t.talks); errors.Is(err, accounts.ErrTooOften) {
		return "", ivr.ErrNoWay
	} else if err != nil {
		return "", err
	}
	return endpoint, nil
}

// settings are what the telephone's owner hears of it.
func settings(p accounts.Phone) ivr.CallBack {
	return ivr.CallBack{Number: p.Number, Proven: p.Proven, Testing: p.Test, On: p.Ring, QuietFrom: p.QuietFrom, QuietTo: p.QuietTo, Daily: p.Daily}
}

// CallBack implements ivr.CallBacks.
func (t telephones) CallBack(ctx context.Context, user string) (ivr.CallBack, error) {
	phone, err := t.accounts.Phone(ctx, user)
	if errors.Is(err, accounts.ErrNotFound) {
		return ivr.CallBack{}, nil
	}
	return settings(phone), err
}

// SetCallBack implements ivr.CallBacks.
func (t telephones) SetCallBack(ctx context.Context, user string, b ivr.CallBack) error {
	return t.accounts.SetPhone(ctx, user, accounts.Phone{Ring: b.On, QuietFrom: b.QuietFrom, QuietTo: b.QuietTo, Daily: b.Daily})
}

// Test implements ivr.CallBacks.
func (t telephones) Test(ctx context.Context, user, number string) error {
	if _, err := t.trunks.Endpoint(number); err != nil {
		return err
	}
	err := t.accounts.TestPhone(ctx, user, number)
	if errors.Is(err, accounts.ErrTooOften) {
		return ivr.ErrTooOften
	}
	return err
}

// Prove implements ivr.CallBacks.
func (t telephones) Prove(ctx context.Context, user, number string) (fresh bool, err error) {
	return t.accounts.ProvePhone(ctx, user, number)
}

// Deny implements ivr.CallBacks.
func (t telephones) Deny(ctx context.Context, user, number string) error {
	return t.accounts.DropPhone(ctx, user, number)
}

// webPhones are the same for the web front, which keeps the settings as the accounts do.
type webPhones struct {
	*accounts.DB
	trunks ivr.Trunks
}

var _ web.Telephones = webPhones{}

// TestPhone implements web.Telephones.
func (w webPhones) TestPhone(ctx context.Context, user, number string) error {
	if _, err := w.trunks.Endpoint(number); err != nil {
		return web.ErrNoWay
	}
	return w.DB.TestPhone(ctx, user, number)
}
