package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"hark/internal/testbed"
)

// A bosh is a session over HTTP (XEP-0124) of a program that polls: the server answers at once, whether there is
// something or not (section 12).
type bosh struct {
	http *http.Client
	url  string
	sid  string
	rid  int64 // of the last request
}

// measureBOSH measures how Prosody answers polls of as many sessions as there are accounts.
func measureBOSH(ctx context.Context, prosody *testbed.Prosody, accounts map[string]string) ([]figure, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(accounts)}}
	defer client.CloseIdleConnections()
	var all []*bosh
	for name, password := range accounts {
		b := &bosh{http: client, url: prosody.BOSH}
		if err := b.login(ctx, prosody.Domain, name, password); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	load, err := putLoad(ctx, len(all), webRate, func(ctx context.Context, i int) error {
		_, err := all[i].ask(ctx, "", "")
		return err
	})
	return loadFigures("web: beside that, a poll (BOSH) at Prosody", load, "", 0), err
}

var boshSID = regexp.MustCompile(`\ssid=['"]([^'"]+)`)

// login opens a session and proves the password.
func (b *bosh) login(ctx context.Context, domain, name, password string) error {
	b.rid = 1000
	answer, err := b.ask(ctx, fmt.Sprintf(`to='%s' wait='0' hold='1' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'`, domain), "")
	if err != nil {
		return err
	}
	sid := boshSID.FindSubmatch(answer)
	if sid == nil {
		return fmt.Errorf("BOSH: no session in %s", answer)
	}
	b.sid = string(sid[1])
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
	for _, step := range []struct{ attrs, stanza, want string }{
		{"", `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>` + plain + `</auth>`, "<success"},
		{"xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'", "", "bind"},
		{"", `<iq type='set' id='b' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`, "<jid>"},
	} {
		if answer, err = b.ask(ctx, step.attrs, step.stanza); err != nil {
			return err
		}
		if !bytes.Contains(answer, []byte(step.want)) {
			return fmt.Errorf("BOSH: no %q in %s", step.want, answer)
		}
	}
	return nil
}

// ask makes the session's next request; nothing in it is a poll.
func (b *bosh) ask(ctx context.Context, attrs, stanza string) ([]byte, error) {
	b.rid++
	if b.sid != "" {
		attrs += " sid='" + b.sid + "'"
	}
	body := fmt.Sprintf(`<body xmlns='http://jabber.org/protocol/httpbind' rid='%d' %s>%s</body>`, b.rid, attrs, stanza)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	answer, err := b.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || bytes.Contains(text, []byte("type='terminate'"))) {
		err = fmt.Errorf("BOSH: %s: %s", answer.Status, text)
	}
	return text, err
}
