package xmpp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"hark/im"
)

// An endpoint is a place where a domain's server may listen.
type endpoint struct {
	address  string // host:port
	direct   bool   // TLS from the first byte
	priority uint16
}

// connect opens a connection to the account's server; secure tells that it is encrypted already.
func (s *Service) connect(ctx context.Context, account im.Account, domain string) (c net.Conn, secure bool, err error) {
	endpoints, err := s.endpoints(ctx, account, domain)
	if err != nil {
		return nil, false, err
	}
	var failures []error
	for _, e := range endpoints {
		if c, err = s.connectTo(ctx, e, domain); err == nil {
			return c, e.direct, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", e.address, err))
	}
	return nil, false, errors.Join(failures...)
}

// endpoints lists where to try, best first: Account.Server alone, or what the SRV records say (RFC 6120, 3.2;
// XEP-0368), or the domain itself.
func (s *Service) endpoints(ctx context.Context, account im.Account, domain string) ([]endpoint, error) {
	if account.Server != "" {
		if _, _, err := net.SplitHostPort(account.Server); err != nil {
			return nil, fail(im.Config, "xmpp: server %q is not of the form host:port", account.Server)
		}
		return []endpoint{{address: account.Server, direct: account.Options[OptionTLS] == "direct"}}, nil
	}
	found := append(s.lookup(ctx, "xmpps-client", domain, true), s.lookup(ctx, "xmpp-client", domain, false)...)
	slices.SortStableFunc(found, func(a, b endpoint) int { return int(a.priority) - int(b.priority) })
	if len(found) == 0 {
		found = []endpoint{{address: net.JoinHostPort(domain, "5222")}}
	}
	return found, nil
}

// lookup returns the endpoints of one service. A failed look-up is as good as none: the domain itself is tried then.
func (s *Service) lookup(ctx context.Context, service, domain string, direct bool) []endpoint {
	resolver := s.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	_, records, err := resolver.LookupSRV(ctx, service, "tcp", domain)
	if err != nil {
		s.log().Debug("xmpp: no SRV record", "service", service, "domain", domain, "err", err)
	}
	var found []endpoint
	for _, r := range records {
		if r.Target == "." {
			continue // "decidedly not available"
		}
		address := net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port)))
		found = append(found, endpoint{address: address, direct: direct, priority: r.Priority})
	}
	return found
}

func (s *Service) connectTo(ctx context.Context, e endpoint, domain string) (net.Conn, error) {
	dial := s.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	c, err := dial(ctx, "tcp", e.address)
	if err != nil || !e.direct {
		return c, err
	}
	return s.encrypt(ctx, c, domain, "xmpp-client")
}

// encrypt puts TLS over c, which it closes when that fails.
func (s *Service) encrypt(ctx context.Context, c net.Conn, domain string, protocols ...string) (net.Conn, error) {
	t := tls.Client(&brook{Conn: c}, s.tlsConfig(domain, protocols))
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("xmpp: TLS: %w", err)
	}
	return t, nil
}

// tlsConfig is the same object for all logins at a domain, which are many.
func (s *Service) tlsConfig(domain string, protocols []string) *tls.Config {
	key := strings.Join(append(protocols, domain), " ")
	if config, ok := s.configs.Load(key); ok {
		return config.(*tls.Config)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		config = s.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = domain
	}
	config.NextProtos = protocols
	shared, _ := s.configs.LoadOrStore(key, config)
	return shared.(*tls.Config)
}
