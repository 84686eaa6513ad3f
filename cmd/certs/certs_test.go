package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write puts a new certificate into two files and returns it.
func write(t *testing.T, dir string) *tls.Certificate {
	t.Helper()
	certificate, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	var log strings.Builder
	first := write(t, dir)
	files, err := FromFiles(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	serves := func(want *tls.Certificate) {
		t.Helper()
		now = now.Add(lookAgain)
		got, err := files.TLS().GetCertificate(&tls.ClientHelloInfo{ServerName: "any"})
		if err != nil || string(got.Certificate[0]) != string(want.Certificate[0]) {
			t.Error("another certificate", err)
		}
	}
	serves(first)
	if files.Expires().Year() != 9999 {
		t.Error(files.Expires())
	}
	later := func(name string, hours int) {
		if err := os.Chtimes(filepath.Join(dir, name), time.Now(), time.Now().Add(time.Duration(hours)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	second := write(t, dir)
	later("key.pem", 1)
	serves(second)
	// Half of a renewal, and a file that is gone.
	write(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	later("key.pem", 2)
	serves(second)
	if err := os.Remove(filepath.Join(dir, "key.pem")); err != nil {
		t.Fatal(err)
	}
	serves(second)
	if strings.Count(log.String(), "level=ERROR") != 2 {
		t.Error(log.String())
	}
	fourth := write(t, dir)
	later("key.pem", 3)
	serves(fourth)
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for _, pair := range [][2]string{{cert, cert}, {key, cert}, {cert, dir + "/nowhere"}, {dir + "/nowhere", key}} {
		if _, err := FromFiles(pair[0], pair[1], time.Now, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%v is accepted", pair)
		}
	}
}

// Who names no domain is answered without asking the authority; a name that is
// not ours is refused.
func TestACMEWithoutTheAuthority(t *testing.T) {
	config, err := FromACME([]string{"tasks.example.com"}, "https://127.0.0.1:1/dir", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "localhost"} {
		if got, err := config.GetCertificate(&tls.ClientHelloInfo{ServerName: name}); err != nil || got == nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := config.GetCertificate(&tls.ClientHelloInfo{ServerName: "other.example.com"}); err == nil {
		t.Error("a certificate for a name that is not ours")
	}
	if config.MinVersion != tls.VersionTLS12 || strings.Join(config.NextProtos, " ") != "http/1.1 acme-tls/1" {
		t.Error(config.MinVersion, config.NextProtos)
	}
}
