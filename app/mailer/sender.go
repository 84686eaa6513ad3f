package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// The transports. With StartTLS, a server that does not offer it is refused:
// falling back would send the mail and the password in clear.
const (
	StartTLS = "starttls"
	TLS      = "tls"
	None     = "none"
)

// stepTimeout is how long a server may take for one step of the dialogue
// (RFC 5321 section 4.5.3.2 allows minutes; no working server needs them).
const stepTimeout = 30 * time.Second

// totalTimeout bounds a whole dialogue, so that a server which is a little
// slow at everything is not waited for either.
const totalTimeout = 2 * time.Minute

// maxAnswers is how many bytes a server may say in one dialogue, certificates
// included. Answers are kept in memory, and nothing else bounds them.
const maxAnswers = 1 << 20

// Step is a part of the SMTP dialogue.
type Step string

// The steps, in their order. StepAddress comes before anything is dialled.
const (
	StepAddress   Step = "address"
	StepConnect   Step = "connect"
	StepTLS       Step = "tls"
	StepGreeting  Step = "greeting"
	StepHello     Step = "hello"
	StepStartTLS  Step = "starttls"
	StepAuth      Step = "auth"
	StepSender    Step = "sender"
	StepRecipient Step = "recipient"
	StepData      Step = "data"
)

// SendError says at which step a dialogue failed.
type SendError struct {
	Step Step
	// Code is the server's answer (RFC 5321 section 4.2), 0 if there was none.
	Code int
	// Permanent: the same mail will never get through.
	Permanent bool
	Err       error
}

// Error names the step and the cause.
func (e *SendError) Error() string { return fmt.Sprintf("at step %q: %v", e.Step, e.Err) }

// Unwrap gives the cause.
func (e *SendError) Unwrap() error { return e.Err }

// Sender speaks SMTP with one server.
type Sender struct {
	Server   string
	Port     int
	Username string
	Password string
	// Transport is StartTLS, TLS or None.
	Transport string
	// HelloName is how we introduce ourselves. "" is the domain that the mail
	// comes from: some servers refuse a name without dots such as localhost.
	HelloName string
	// StepTimeout bounds each step. 0 is 30 s.
	StepTimeout time.Duration
	// RootCAs are trusted for TLS. Nil is the system's.
	RootCAs *x509.CertPool

	noUTF8 atomic.Bool
}

// NoUTF8 reports that the server has said lately that it takes no addresses with
// letters beyond ASCII before the @ (SMTPUTF8, RFC 6531).
func (s *Sender) NoUTF8() bool { return s.noUTF8.Load() }

// dialogue is one connection to the server. Every step has a deadline, so that
// a silent server holds no caller for ever.
type dialogue struct {
	sender  *Sender
	message Message
	ctx     context.Context
	conn    net.Conn
	client  *smtp.Client
	report  func(Step)
}

// Send delivers one message. It returns a *SendError. The context ends it
// early; two minutes end it in any case. Report, if not nil, is told of every
// step that has passed. A failed goodbye after the server has taken the
// message is a success: trying again would deliver it twice.
func (s *Sender) Send(ctx context.Context, m Message, report func(Step)) error {
	if !plainAddress(m.From) || !plainAddress(m.To) {
		return &SendError{Step: StepAddress, Permanent: true, Err: errors.New("the sender or the recipient is not one plain address")}
	}
	return s.speak(ctx, m, report, (*dialogue).deliver)
}

// Try goes as far as Send does before it names a mail: it connects, and signs
// in where a Username is set. It returns a *SendError. From is whose domain we
// introduce ourselves with, unless HelloName is set.
func (s *Sender) Try(ctx context.Context, from string) error {
	return s.speak(ctx, Message{From: from}, nil, func(*dialogue) error { return nil })
}

// speak opens a dialogue, does what it is for, and says goodbye.
func (s *Sender) speak(ctx context.Context, m Message, report func(Step), do func(*dialogue) error) error {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	d := &dialogue{sender: s, message: m, ctx: ctx, report: report}
	if d.report == nil {
		d.report = func(Step) {}
	}
	if err := d.connect(); err != nil {
		return err
	}
	raw := d.conn
	defer func() { _ = raw.Close() }()
	// The end of the context closes the connection under whatever step is on.
	// A deadline in the past would not do: the next step would move it.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	if err := d.open(); err != nil {
		return err
	}
	if err := do(d); err != nil {
		return err
	}
	d.deadline()
	_ = d.client.Quit()
	return nil
}

func (d *dialogue) timeout() time.Duration {
	if d.sender.StepTimeout > 0 {
		return d.sender.StepTimeout
	}
	return stepTimeout
}

func (d *dialogue) deadline() { _ = d.conn.SetDeadline(time.Now().Add(d.timeout())) }

// step runs one step under its own deadline.
func (d *dialogue) step(step Step, do func() error) error {
	d.deadline()
	if err := do(); err != nil {
		return d.failure(step, err)
	}
	d.report(step)
	return nil
}

// failure tells what the next attempt may mend from what it never will.
func (d *dialogue) failure(step Step, err error) error {
	failed := &SendError{Step: step, Err: err}
	if cause := d.ctx.Err(); cause != nil {
		failed.Err = fmt.Errorf("%w (%w)", cause, err)
	}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		failed.Code = answer.Code
		failed.Permanent = answer.Code >= 500 && !ours(step, answer.Code)
	}
	return failed
}

// ours reports whether a refusal is about how we are set up rather than about
// the mail: a wrong password must not cost anybody's mail. The codes are those
// of RFC 4954 section 6, which come at any step if no login was made.
func ours(step Step, code int) bool {
	return step == StepAuth || step == StepStartTLS || slices.Contains([]int{530, 534, 535, 538}, code)
}

func (d *dialogue) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: d.sender.Server, RootCAs: d.sender.RootCAs, MinVersion: tls.VersionTLS12}
}

func (d *dialogue) connect() error {
	dialer := &net.Dialer{Timeout: d.timeout()}
	conn, err := dialer.DialContext(d.ctx, "tcp", net.JoinHostPort(d.sender.Server, strconv.Itoa(d.sender.Port)))
	if err != nil {
		return d.failure(StepConnect, err)
	}
	d.conn = &boundedConn{Conn: conn, left: maxAnswers}
	d.report(StepConnect)
	return nil
}

// open gets as far as where mails are taken.
func (d *dialogue) open() error {
	if d.sender.Transport == TLS {
		err := d.step(StepTLS, func() error {
			secured := tls.Client(d.conn, d.tlsConfig())
			d.conn = secured
			return secured.HandshakeContext(d.ctx)
		})
		if err != nil {
			return err
		}
	}
	if err := d.step(StepGreeting, func() (err error) {
		d.client, err = smtp.NewClient(d.conn, d.sender.Server)
		return err
	}); err != nil {
		return err
	}
	if err := d.step(StepHello, func() error { return d.client.Hello(d.helloName()) }); err != nil {
		return err
	}
	if d.sender.Transport == StartTLS {
		if err := d.step(StepStartTLS, d.startTLS); err != nil {
			return err
		}
	}
	if d.sender.Username == "" {
		return nil
	}
	return d.step(StepAuth, d.auth)
}

func (d *dialogue) helloName() string {
	name := d.sender.HelloName
	if name == "" {
		name = domainOf(d.message.From)
	}
	if !isASCII(name) { // SMTPUTF8 is not known before the answer
		return "localhost"
	}
	return name
}

func (d *dialogue) startTLS() error {
	if offered, _ := d.client.Extension("STARTTLS"); !offered {
		return errors.New("the server does not offer STARTTLS")
	}
	return d.client.StartTLS(d.tlsConfig())
}

func (d *dialogue) deliver() error {
	m := d.message
	if err := d.step(StepSender, func() error { return d.client.Mail(m.From) }); err != nil {
		return err
	}
	// The client announces SMTPUTF8 (RFC 6531) by itself where it is offered.
	offered, _ := d.client.Extension("SMTPUTF8")
	d.sender.noUTF8.Store(!offered)
	if !offered && !isASCII(m.To) {
		return &SendError{Step: StepRecipient, Permanent: true, Err: errors.New("the mail server takes no addresses with letters beyond ASCII")}
	}
	if err := d.step(StepRecipient, func() error { return d.client.Rcpt(m.To) }); err != nil {
		return err
	}
	return d.step(StepData, func() error {
		body, err := d.client.Data()
		if err != nil {
			return err
		}
		_, err = body.Write(m.MIME)
		return errors.Join(err, body.Close())
	})
}

// boundedConn fails once more was read from it than a sane server says.
type boundedConn struct {
	net.Conn
	left int
}

// Read reads what is left at most.
func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, errors.New("the server talks without end")
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
