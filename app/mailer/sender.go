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
	"time"
)

// The transports. With StartTLS, a server that does not offer it is refused:
// falling back would send the mail and the password in clear.
const (
	StartTLS = "starttls"
	TLS      = "tls"
	None     = "none"
)

// stepTimeout is how long a server may take for one step of the dialogue
// (RFC 5321 section 4.5.3.2 allows minutes; nobody who works takes them).
const stepTimeout = 30 * time.Second

// Step is a part of the SMTP dialogue.
type Step string

// The steps, in their order.
const (
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
	// StepTimeout bounds each step. 0 is 30 s.
	StepTimeout time.Duration
	// RootCAs are trusted for TLS. Nil is the system's.
	RootCAs *x509.CertPool
}

// dialogue is one connection to the server. Every step has a deadline, so that
// a silent server holds nobody for ever.
type dialogue struct {
	sender *Sender
	ctx    context.Context
	conn   net.Conn
	client *smtp.Client
	report func(Step)
	done   bool
}

// Send delivers one message. It returns a *SendError. The context ends it
// early. Report, if not nil, is told of every step that has passed.
func (s *Sender) Send(ctx context.Context, m Message, report func(Step)) error {
	d := &dialogue{sender: s, ctx: ctx, report: report}
	if d.report == nil {
		d.report = func(Step) {}
	}
	defer d.close()
	if err := d.connect(); err != nil {
		return err
	}
	// A cancelled context closes the connection under whatever step is on.
	stop := context.AfterFunc(ctx, func() { _ = d.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := d.open(); err != nil {
		return err
	}
	err := d.deliver(m)
	d.done = err == nil
	return err
}

func (d *dialogue) close() {
	if d.done {
		// The mail is accepted; how the goodbye ends is all one.
		d.deadline()
		_ = d.client.Quit()
	}
	if d.conn != nil {
		_ = d.conn.Close()
	}
}

func (d *dialogue) timeout() time.Duration {
	if d.sender.StepTimeout > 0 {
		return d.sender.StepTimeout
	}
	return stepTimeout
}

func (d *dialogue) deadline() {
	if d.ctx.Err() == nil {
		_ = d.conn.SetDeadline(time.Now().Add(d.timeout()))
	}
}

// step runs one step under its own deadline.
func (d *dialogue) step(step Step, do func() error) error {
	d.deadline()
	err := do()
	if err == nil {
		d.report(step)
		return nil
	}
	if cause := d.ctx.Err(); cause != nil {
		err = errors.Join(cause, err)
	}
	var answer *textproto.Error
	permanent := errors.As(err, &answer) && answer.Code >= 500
	// A wrong password of ours must not cost the mails of others.
	return &SendError{Step: step, Permanent: permanent && step != StepAuth, Err: err}
}

func (d *dialogue) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: d.sender.Server, RootCAs: d.sender.RootCAs, MinVersion: tls.VersionTLS12}
}

func (d *dialogue) connect() error {
	dialer := &net.Dialer{Timeout: d.timeout()}
	conn, err := dialer.DialContext(d.ctx, "tcp", net.JoinHostPort(d.sender.Server, strconv.Itoa(d.sender.Port)))
	if err != nil {
		return &SendError{Step: StepConnect, Err: err}
	}
	d.conn = conn
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
	if err := d.step(StepHello, func() error { return d.client.Hello("localhost") }); err != nil {
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

func (d *dialogue) startTLS() error {
	if offered, _ := d.client.Extension("STARTTLS"); !offered {
		return errors.New("the server does not offer STARTTLS")
	}
	return d.client.StartTLS(d.tlsConfig())
}

func (d *dialogue) auth() error {
	_, offered := d.client.Extension("AUTH")
	methods := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(methods, "PLAIN"):
		return d.client.Auth(smtp.PlainAuth("", d.sender.Username, d.sender.Password, d.sender.Server))
	case slices.Contains(methods, "LOGIN"):
		return d.client.Auth(&loginAuth{d.sender.Username, d.sender.Password})
	}
	return errors.New("the server offers no login by PLAIN or LOGIN")
}

func (d *dialogue) deliver(m Message) error {
	if err := d.step(StepSender, func() error { return d.client.Mail(m.From) }); err != nil {
		return err
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

// loginAuth is the login that some servers offer instead of PLAIN: two
// prompts, two answers. The link is encrypted or to this machine (settings).
type loginAuth struct{ username, password string }

func (a *loginAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

func (a *loginAuth) Next(prompt []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case strings.HasPrefix(strings.ToLower(string(prompt)), "user"):
		return []byte(a.username), nil
	case strings.HasPrefix(strings.ToLower(string(prompt)), "pass"):
		return []byte(a.password), nil
	}
	return nil, errors.New("the server asks for something else than name and password")
}

// Advice is a sentence on what to do about a failed dialogue.
func Advice(err error) string {
	var failure *SendError
	if !errors.As(err, &failure) {
		return "Read the message above."
	}
	var unknown x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var timeout net.Error
	switch {
	case errors.As(err, &unknown), errors.As(err, &wrongHost):
		return "The server's certificate is not valid for its name; check --mail-server."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "The server did not answer in time; check --mail-port, --mail-tls, and whether a firewall is between."
	}
	switch failure.Step {
	case StepConnect:
		return "Nothing answers there; check --mail-server and --mail-port."
	case StepTLS, StepGreeting, StepHello:
		return "The server speaks another protocol on this port; check --mail-tls (tls is mostly port 465, starttls port 587)."
	case StepStartTLS:
		return "Try --mail-tls tls with port 465, or none for a server on this machine."
	case StepAuth:
		return "The server refused the login; check --mail-username and --mail-password (many providers want an app password)."
	case StepSender:
		return "The server refused the sender; check --mail-from."
	case StepRecipient:
		return "The server refused the recipient; check the address."
	}
	return "The server refused the message; its answer says why."
}
