// Package certs finds the certificates of a server that speaks HTTPS itself:
// in files that are renewed by others, or from an authority that speaks ACME.
package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookAgain is how often the files are looked at for a change.
const lookAgain = 10 * time.Second

// config is what every TLS connection keeps to. HTTP/2 is not spoken.
func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     append([]string{"http/1.1"}, protocols...),
		GetCertificate: get,
	}
}

// Files is a certificate in two PEM files. When they change, the new one
// counts for connections from then on.
type Files struct {
	certFile, keyFile string
	now               func() time.Time
	log               *slog.Logger

	mu     sync.Mutex
	inUse  *tls.Certificate
	stamp  string // of the files that were read last
	looked time.Time
}

// FromFiles reads a certificate with its chain, and its key. It fails if they
// can't be read or do not belong together.
func FromFiles(certFile, keyFile string, now func() time.Time, log *slog.Logger) (*Files, error) {
	f := &Files{certFile: certFile, keyFile: keyFile, now: now, log: log, looked: now()}
	var err error
	if f.stamp, err = f.stat(); err != nil {
		return nil, err
	}
	f.inUse, err = f.load()
	return f, err
}

// TLS is the configuration for a listener.
func (f *Files) TLS() *tls.Config { return config(f.get) }

// Expires is when the certificate in use is good for the last time.
func (f *Files) Expires() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inUse.Leaf.NotAfter
}

// Fault returns why clients will refuse the certificate in use, in a sentence
// for the operator; nil if they need not. Host is whom they ask for; empty is
// anybody.
func (f *Files) Fault(host string, now time.Time) error {
	f.mu.Lock()
	leaf := f.inUse.Leaf
	f.mu.Unlock()
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate has expired on %s; renew it", leaf.NotAfter.Format(time.DateOnly))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate counts only from %s on; look whether the clock is right", leaf.NotBefore.Format(time.RFC3339))
	case host != "" && leaf.VerifyHostname(host) != nil:
		return fmt.Errorf("the certificate is not for %s, the name in --public-url; get one for it, or correct --public-url", host)
	}
	return nil
}

// stat tells one state of the files from another.
func (f *Files) stat() (string, error) {
	cert, certErr := os.Stat(f.certFile)
	key, keyErr := os.Stat(f.keyFile)
	if err := errors.Join(certErr, keyErr); err != nil {
		return "", err
	}
	return fmt.Sprint(cert.ModTime().UnixNano(), cert.Size(), key.ModTime().UnixNano(), key.Size()), nil
}

func (f *Files) load() (*tls.Certificate, error) {
	certificate, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	return &certificate, err
}

// get returns the certificate, and reads the files again if they have changed.
// One that can't be used leaves the old one in force: it may be half written.
func (f *Files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if age := now.Sub(f.looked); age >= 0 && age < lookAgain {
		return f.inUse, nil
	}
	f.looked = now
	stamp, err := f.stat()
	if err == nil && stamp == f.stamp {
		return f.inUse, nil
	}
	var renewed *tls.Certificate
	if err == nil {
		renewed, err = f.load()
	}
	if err != nil {
		f.log.Error("the changed certificate can't be used; the old one stays in force", "error", err)
		return f.inUse, nil
	}
	f.inUse, f.stamp = renewed, stamp
	f.log.Info("the certificate was read again", "expires", renewed.Leaf.NotAfter)
	return f.inUse, nil
}
