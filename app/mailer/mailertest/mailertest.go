// Package mailertest is a real SMTP server on loopback for tests: it takes
// mails over any transport, and refuses or stops answering where configured to.
package mailertest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options say how the server behaves.
type Options struct {
	// TLS is "none", "starttls" or "tls".
	TLS string
	// Username and Password are demanded, if set.
	Username, Password string
	// LoginOnly offers AUTH LOGIN in place of PLAIN.
	LoginOnly bool
	// Refuse maps a step ("hello", "auth", "sender", "recipient", "data") to
	// the code of its refusals; how often is up to Times, 0 being always. See
	// Scripted for the other steps.
	Refuse map[string]int
	Times  int
}

// Server is a running SMTP server.
type Server struct {
	Host    string
	Port    int
	RootCAs *x509.CertPool // trusts the server's certificate
	CAFile  string         // the same as a PEM file, for SSL_CERT_FILE

	options  Options
	received chan Message
	refusals chan struct{} // one element for each refusal still to come
}

// Message is a mail that was taken.
type Message struct {
	From, To   string // envelope
	Header     mail.Header
	Text, HTML string
}

// Start runs a server until the end of the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{Host: "127.0.0.1", options: o, received: make(chan Message, 100)}
	if o.Times > 0 {
		s.refusals = make(chan struct{}, o.Times)
		for range o.Times {
			s.refusals <- struct{}{}
		}
	}
	config := s.certificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = listener.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(s)
	server.Domain = "localhost"
	server.AllowInsecureAuth = true
	server.EnableSMTPUTF8 = true
	server.ErrorLog = log.New(io.Discard, "", 0) // clients that hang up are the point of many tests
	switch o.TLS {
	case "tls":
		listener = tls.NewListener(listener, config)
	case "starttls":
		server.TLSConfig = config
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Log(err)
		}
	})
	return s
}

// Wait returns the next mail that the server takes.
func (s *Server) Wait(t testing.TB) Message {
	t.Helper()
	select {
	case m := <-s.received:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no mail arrived")
		return Message{}
	}
}

// Count returns how many mails were taken and not yet waited for.
func (s *Server) Count() int { return len(s.received) }

func (s *Server) certificate(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mailertest"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.RootCAs = x509.NewCertPool()
	s.RootCAs.AddCert(leaf)
	s.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(s.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// refusal returns the error of a step, nil if it is to pass.
func (s *Server) refusal(step string) error {
	code := s.options.Refuse[step]
	if code == 0 {
		return nil
	}
	if s.refusals != nil {
		select {
		case <-s.refusals:
		default:
			return nil
		}
	}
	return &smtp.SMTPError{Code: code, Message: "refused at " + step + " with " + strconv.Itoa(code)}
}

// NewSession is called by the SMTP library for each connection.
func (s *Server) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &session{server: s}, s.refusal("hello")
}

type session struct {
	server   *Server
	signedIn bool
	message  Message
}

func (c *session) AuthMechanisms() []string {
	switch o := c.server.options; {
	case o.Username == "":
		return nil
	case o.LoginOnly:
		return []string{sasl.Login}
	}
	return []string{sasl.Plain}
}

func (c *session) Auth(mechanism string) (sasl.Server, error) {
	if err := c.server.refusal("auth"); err != nil {
		return nil, err
	}
	if mechanism == sasl.Login {
		return &loginServer{check: c.signIn}, nil
	}
	return sasl.NewPlainServer(func(_, username, password string) error { return c.signIn(username, password) }), nil
}

func (c *session) signIn(username, password string) error {
	if username != c.server.options.Username || password != c.server.options.Password {
		return &smtp.SMTPError{Code: 535, Message: "wrong password"}
	}
	c.signedIn = true
	return nil
}

// loginServer is the server's side of AUTH LOGIN, which the library lacks: two
// prompts, two answers.
type loginServer struct {
	check    func(username, password string) error
	step     int
	username string
}

// Next takes an answer and gives the next prompt.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.username = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.username, string(response))
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if c.server.options.Username != "" && !c.signedIn {
		// RFC 4954 section 6; the library's own error has another code.
		return &smtp.SMTPError{Code: 530, Message: "authentication required"}
	}
	c.message = Message{From: from}
	return c.server.refusal("sender")
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.message.To = to
	return c.server.refusal("recipient")
}

func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := c.server.refusal("data"); err != nil {
		return err
	}
	if err := c.message.read(raw); err != nil {
		return err
	}
	c.server.received <- c.message
	return nil
}

func (c *session) Reset()        {}
func (c *session) Logout() error { return nil }

// read takes a multipart/alternative message apart.
func (m *Message) read(raw []byte) error {
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	m.Header = parsed.Header
	_, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = string(body)
		} else {
			m.Text = string(body)
		}
	}
}
