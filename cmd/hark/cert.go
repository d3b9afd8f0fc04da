package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// A nodeCA is the certificate authority of a cluster: every node that has the same key file makes the same one, so that
// nodes trust each other without a certificate being carried from one to the other.
type nodeCA struct {
	cert *x509.Certificate
	key  ed25519.PrivateKey
}

// newNodeCA makes the authority from 32 secret bytes. The same bytes give the same certificate.
func newNodeCA(seed []byte) (*nodeCA, error) {
	key := ed25519.NewKeyFromSeed(seed)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Hark nodes"},
		NotBefore:             time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &nodeCA{cert, key}, err
}

// issue makes a certificate for a host, with a key that lives as long as the process.
func (ca *nodeCA) issue(host string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: host},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// pem is the authority's certificate, for clients elsewhere.
func (ca *nodeCA) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
}

// certificate is what this node shows to clients: the one from the files, or one of the cluster's own authority.
func (p *parts) certificate() (tls.Certificate, error) {
	if l := p.config.Listen; l.Cert != "" || l.Key != "" {
		return tls.LoadX509KeyPair(l.Cert, l.Key)
	}
	ca, err := newNodeCA(p.keys.Derive("node certificates"))
	if err != nil {
		return tls.Certificate{}, err
	}
	return ca.issue(hostOf(p.config.Name))
}

// clientTLS is how the doors of this process check other nodes: by the cluster's own authority, the system's, and those
// of listen.ca.
func (p *parts) clientTLS() (*tls.Config, error) {
	ca, err := newNodeCA(p.keys.Derive("node certificates"))
	if err != nil {
		return nil, err
	}
	roots, err := rootsWith("listen.ca", p.config.Listen.CA)
	if err != nil {
		return nil, err
	}
	roots.AddCert(ca.cert)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// rootsWith is the system's certificate authorities and those of a PEM file, which key names; without a file only the
// system's.
func rootsWith(key, file string) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if file == "" {
		return roots, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New(key + ": " + file + " holds no certificate")
	}
	return roots, nil
}

// hostOf is the host of "host:port".
func hostOf(name string) string {
	if host, _, err := net.SplitHostPort(name); err == nil {
		return host
	}
	return name
}
