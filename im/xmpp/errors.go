package xmpp

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"

	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

	"hark/im"
)

var (
	// errStreamEnd: the server closed the stream.
	errStreamEnd = errors.New("xmpp: the server closed the stream")
	errClosed    = errors.New("xmpp: connection is closed")
	errNoTLS     = errors.New("xmpp: the server offers no encryption")
)

// fail makes an im.Error.
func fail(class im.Class, format string, args ...any) *im.Error {
	return &im.Error{Class: class, Err: fmt.Errorf(format, args...)}
}

// classify says what kind of failure err is. What is not known to be anything else is a broken connection.
func classify(err error) *im.Error {
	var known *im.Error
	if errors.As(err, &known) {
		return known
	}
	var streamErr stream.Error
	if errors.As(err, &streamErr) {
		return &im.Error{Class: streamClass(streamErr.Err), Err: err}
	}
	var stanzaErr stanza.Error
	if errors.As(err, &stanzaErr) {
		return &im.Error{Class: stanzaClass(string(stanzaErr.Condition)), Err: err}
	}
	if isProtocol(err) {
		return &im.Error{Class: im.Protocol, Err: err}
	}
	if isCertificate(err) {
		return &im.Error{Class: im.Config, Err: err}
	}
	return &im.Error{Class: im.Network, Err: err}
}

// streamClass classifies the conditions of RFC 6120, 4.9.3.
func streamClass(condition string) im.Class {
	switch condition {
	case "conflict":
		return im.Conflict
	case "not-authorized":
		return im.Credential
	case "host-gone", "host-unknown", "see-other-host", "unsupported-version", "unsupported-feature":
		return im.Config
	case "policy-violation", "resource-constraint":
		return im.Throttled
	case "connection-timeout", "internal-server-error", "remote-connection-failed", "reset", "system-shutdown", "undefined-condition":
		return im.Network
	}
	return im.Protocol
}

// stanzaClass classifies the conditions of RFC 6120, 8.3.3.
func stanzaClass(condition string) im.Class {
	switch condition {
	case "conflict":
		return im.Conflict
	case "resource-constraint":
		return im.Throttled
	case "internal-server-error", "remote-server-timeout":
		return im.Network
	case "bad-request", "unexpected-request", "jid-malformed":
		return im.Protocol
	}
	return im.Policy
}

// saslClass classifies the conditions of RFC 6120, 6.5.
func saslClass(condition string) im.Class {
	switch condition {
	case "temporary-auth-failure", "aborted":
		return im.Network
	case "encryption-required", "invalid-mechanism", "mechanism-too-weak":
		return im.Config
	case "incorrect-encoding", "malformed-request":
		return im.Protocol
	}
	return im.Credential
}

// saslError classifies what the library's SASL negotiation returned. Its error type for a refusal is internal to the
// library, but it can be read as the XML that the server sent.
func saslError(err error) error {
	var refused interface{ TokenReader() xml.TokenReader }
	if !errors.As(err, &refused) {
		return err
	}
	d := xml.NewTokenDecoder(refused.TokenReader())
	for {
		token, tokenErr := d.Token()
		if start, ok := token.(xml.StartElement); ok && start.Name.Local != "failure" {
			return fail(saslClass(start.Name.Local), "xmpp: login refused: %s", start.Name.Local)
		}
		if tokenErr != nil {
			return fail(im.Credential, "xmpp: login refused")
		}
	}
}

func isProtocol(err error) bool {
	for _, e := range []error{errSize, errMalformed, errRestricted, errText} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func isCertificate(err error) bool {
	var (
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) ||
		errors.As(err, &invalid) || errors.As(err, &record)
}
