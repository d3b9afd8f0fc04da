package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"runtime/debug"
	"sync"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	"hark/internal/testbed"
)

// plainMemory measures what an idle login takes in a program that has nothing but the XMPP library: this one. Its
// sessions end before it returns.
func (s *system) plainMemory(ctx context.Context) (_ figure, err error) {
	var served sync.WaitGroup
	var sessions []*xmpp.Session
	open := func(from, to int) (memory int64, err error) {
		for i := from; i < to; i++ {
			session, err := s.plainLogin(ctx, i)
			if err != nil {
				return 0, err
			}
			sessions = append(sessions, session)
			served.Go(func() { _ = session.Serve(nil) }) // its end is the end of the connection
		}
		debug.FreeOSMemory()
		usage, err := testbed.UsageOf(os.Getpid())
		return usage.RSS, err
	}
	before, err := open(0, warmSessions)
	if err != nil {
		return figure{}, err
	}
	after, err := open(warmSessions, warmSessions+plainLogins)
	for _, session := range sessions {
		err = errors.Join(err, session.Close(), session.Conn().Close())
	}
	served.Wait()
	return measured("sessions: a login of the XMPP library alone", "%s", kib((after-before)/plainLogins)), err
}

func (s *system) plainLogin(ctx context.Context, i int) (*xmpp.Session, error) {
	address, err := jid.New(xmppName(i), s.prosody.Domain, "")
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.prosody.Addr)
	if err != nil {
		return nil, err
	}
	return xmpp.NewClientSession(ctx, address, conn,
		xmpp.StartTLS(&tls.Config{ServerName: s.prosody.Domain, InsecureSkipVerify: true}), // it is ours, on loopback
		xmpp.SASL("", "password of "+xmppName(i), sasl.ScramSha256, sasl.ScramSha1),
		xmpp.BindResource())
}
