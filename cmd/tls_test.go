package cmd

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"taskapi/app/sqlite"
	"taskapi/cmd/doctor"
	"taskapi/cmd/settings"
)

// tlsFiles writes the certificate that the standard library's tests use, for
// 127.0.0.1 and example.com, and returns what trusts it.
func tlsFiles(t *testing.T) *tls.Config {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	server.Close()
	certificate := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
	writeFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &tls.Config{RootCAs: roots, ServerName: "example.com"}
}

// speakTLS sends a request over its own connection and reads until the end.
func (p *process) speakTLS(config *tls.Config, request string) (string, tls.ConnectionState) {
	p.t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), config)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		p.t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(answer), conn.ConnectionState()
}

func TestHTTPS(t *testing.T) {
	folder(t)
	trusted := tlsFiles(t)
	p := start(t, nil, "--tls-cert=cert.pem", "--tls-key=key.pem", "--redirect-addr=127.0.0.1:0", "--public-url=https://example.com")
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") {
		t.Error(p.url)
	}
	answer, state := p.speakTLS(trusted, "GET /healthz HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 200") || !strings.Contains(answer, "Strict-Transport-Security: max-age=31536000\r\n") || state.Version != tls.VersionTLS13 {
		t.Errorf("%x %s", state.Version, answer)
	}
	old := trusted.Clone()
	old.MaxVersion = tls.VersionTLS11
	if _, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), old); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	// Nor does the server trust a client to trust it: neither is its fault.
	if _, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), &tls.Config{}); err == nil {
		t.Error("a stranger's certificate is believed")
	}
	// Cookies stay off connections that are not encrypted.
	body := fmt.Sprintf(`{"username":"ann","email":"ann@example.com","password":%[1]q,"confirm_password":%[1]q}`, plainPassword)
	p.speakTLS(trusted, post("/auth/register", body))
	answer, _ = p.speakTLS(trusted, post("/auth/login", fmt.Sprintf(`{"email":"ann@example.com","password":%q,"cookie":true}`, plainPassword)))
	if !regexp.MustCompile(`(?im)^set-cookie: .*; secure`).MatchString(answer) {
		t.Error(answer)
	}
	// The limits of a request, and the answer to who breaks one, stay.
	answer, _ = p.speakTLS(trusted, "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n"+strings.Repeat("x", 1<<20))
	if !strings.HasPrefix(answer, "HTTP/1.1 413") {
		t.Errorf("%.200s", answer)
	}
	world{}.taskapi(t, "health", "--tls-cert=cert.pem", "--tls-key=key.pem", "--addr="+strings.TrimPrefix(p.url, "https://")).expect(t, exitOK, "ready")
	world{}.taskapi(t, "health", p.url).expect(t, exitFailed, "no taskapi answers") // a stranger's certificate

	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	plain := regexp.MustCompile(`msg=redirect addr=(\S+)`).FindStringSubmatch(p.log.String())[1]
	response, err := client.Get("http://" + plain + "/tasks/?page=1")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if log := p.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "status=5") {
		t.Error(log)
	}
	if response.StatusCode != 308 || response.Header.Get("Location") != "https://example.com/tasks/?page=1" {
		t.Error(response.StatusCode, response.Header)
	}
}

func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// A request under way is answered before the end, encrypted or not.
func TestGracefulStopOfHTTPS(t *testing.T) {
	folder(t)
	trusted := tlsFiles(t)
	p := start(t, nil, "--tls-cert=cert.pem", "--tls-key=key.pem")
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), trusted)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	request := post("/auth/login", `{"email":"nobody@example.com","password":"not the right one"}`)
	if _, err := io.WriteString(conn, request[:len(request)-5]); err != nil {
		t.Fatal(err)
	}
	p.speakTLS(trusted, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") // the one above was read before
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for { // the port is closed first
		probe, err := net.Dial("tcp", strings.TrimPrefix(p.url, "https://"))
		if err != nil {
			break
		}
		_ = probe.Close()
	}
	if _, err := io.WriteString(conn, request[len(request)-5:]); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401") {
		t.Errorf("%v %s", err, answer)
	}
	if code := p.wait(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
}

func TestNoHSTSWithoutTLS(t *testing.T) {
	folder(t)
	p := start(t, nil, "--public-url=https://example.com")
	conn := p.dial()
	conn.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if answer := conn.rest(); strings.Contains(answer, "Strict-Transport") {
		t.Error(answer)
	}
	tlsFiles(t)
	world{}.taskapi(t, "doctor", "--addr=127.0.0.1:0", "--tls-cert=cert.pem", "--tls-key=key.pem").finds(t, "ok", "certificate", "is good until 2084")
	world{}.taskapi(t, "doctor", "--addr=127.0.0.1:0", "--tls-cert=none.pem", "--tls-key=key.pem").finds(t, "fail", "certificate", "none.pem: no such file")
	writeFile(t, "cert.pem", "nonsense")
	world{}.taskapi(t, "doctor", "--addr=127.0.0.1:0", "--tls-cert=cert.pem", "--tls-key=key.pem").expect(t, exitFailed).finds(t, "fail", "certificate", "correct --tls-cert and --tls-key")
	world{}.taskapi(t, "serve", "--data-dir=other", "--addr=127.0.0.1:0", "--tls-cert=cert.pem", "--tls-key=cert.pem").expect(t, exitFailed, "the certificate can't be used", "--tls-key")
	if _, err := os.Stat("other/taskapi.db"); err == nil {
		t.Error("a database was made before the certificate was read")
	}
}

// A certificate is held against the clock and against who asks for it.
func TestCertificate(t *testing.T) {
	t.Chdir(t.TempDir())
	tlsFiles(t)
	for _, c := range []struct {
		year int
		url  string
		want string
	}{
		{2026, "https://example.com", "is good until 2084"}, {2090, "https://example.com", "has expired on 2084"},
		{1960, "https://example.com", "counts only from 1970"}, {2026, "https://other.example", "is not for other.example"},
	} {
		s := settings.Settings{TLSCert: "cert.pem", TLSKey: "key.pem", PublicURL: c.url, Addr: "127.0.0.1:443"}
		now := func() time.Time { return time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC) }
		checks := doctor.Checks(doctor.Subject{Settings: s, Backups: &sqlite.Backups{}, Now: now})
		i := slices.IndexFunc(checks, func(check doctor.Check) bool { return check.Name == "certificate" })
		if f := checks[i].Run(t.Context()); !strings.Contains(f.Sentence, c.want) || (f.Grade == doctor.OK) != strings.Contains(c.want, "good") {
			t.Errorf("%v: %v", c, f)
		}
	}
}
