package mailer

import (
	"errors"
	"net"
	"net/smtp"
	"slices"
	"strings"
)

// auth logs in by PLAIN, or by LOGIN where only that is offered. The password
// never goes over an open link to another machine, whatever is configured.
func (d *dialogue) auth() error {
	s := d.sender
	if _, encrypted := d.client.TLSConnectionState(); !encrypted && !isLoopback(s.Server) {
		return errors.New("the link is not encrypted")
	}
	_, offered := d.client.Extension("AUTH")
	methods := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(methods, "PLAIN"):
		return d.client.Auth(smtp.PlainAuth("", s.Username, s.Password, s.Server))
	case slices.Contains(methods, "LOGIN"):
		return d.client.Auth(&loginAuth{s.Username, s.Password})
	}
	return errors.New("the server offers no login by PLAIN or LOGIN")
}

// isLoopback knows the names that net/smtp, too, holds for this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// loginAuth is the login that some servers offer instead of PLAIN: two
// prompts, two answers. The link was checked before.
type loginAuth struct{ username, password string }

// Start names the mechanism.
func (a *loginAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

// Next answers a prompt.
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
