package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// LetsEncrypt is the directory of the authority that is asked by default.
const LetsEncrypt = acme.LetsEncryptURL

// FromACME returns the configuration of a listener whose certificates for the
// domains come from an authority, which proves that they are ours by a
// connection to port 443 (TLS-ALPN-01, RFC 8737). They are asked for when
// a client first connects, renewed a month before they expire, and kept in dir,
// which is made for this user only. Who names no domain, such as a health
// check on this machine, gets an unsigned certificate.
func FromACME(domains []string, directory, dir string) (*tls.Config, error) {
	local, err := selfSigned()
	if err != nil {
		return nil, err
	}
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(dir), HostPolicy: autocert.HostWhitelist(domains...),
		Client: &acme.Client{DirectoryURL: directory, UserAgent: "taskapi"},
	}
	return config(func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "" || hello.ServerName == "localhost" {
			return local, nil
		}
		return manager.GetCertificate(hello)
	}, acme.ALPNProto), nil
}

// selfSigned makes a certificate that is kept in memory only.
func selfSigned() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		// It says nothing about anybody, so it need not end.
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
