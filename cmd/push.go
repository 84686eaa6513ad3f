package cmd

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"taskapi/app/api"
	"taskapi/app/outbox"
	"taskapi/app/push"
	"taskapi/app/sqlite"
	"taskapi/app/todo"
	"taskapi/cmd/settings"
)

// pushPatience bounds the steps of a connection to a push service.
const pushPatience = 10 * time.Second

// reminders is what fires reminders and what pushes them.
type reminders struct {
	alarm  *todo.Alarm
	pushes *push.Sender
}

// reminders builds that, and adds what browsers subscribe with.
func (a *application) reminders(ctx context.Context, s settings.Settings, db *sqlite.DB, config *api.Config) (reminders, error) {
	text, err := db.PushKey(ctx, func() (string, error) { return push.NewKey(rand.Reader) })
	if err != nil {
		return reminders{}, err
	}
	key, err := push.ReadKey(text)
	if err != nil {
		return reminders{}, err
	}
	sender := push.NewSender(db, pushClient(), key, pushSubject(s), a.clock.Now, config.Log)
	alarm := todo.NewAlarm(db, s.Mail.Server != "", a.clock.Now, sender.Wake, config.Log)
	db.OnReminder(alarm.Wake)
	config.Push = &outbox.Subscriptions{Store: db, Key: key.Public(), Allowed: isPublic, Now: a.clock.Now}
	return reminders{alarm, sender}, nil
}

// pushSubject is whom a push service may turn to: the operator.
func pushSubject(s settings.Settings) string {
	if strings.HasPrefix(s.PublicURL, "https://") {
		return s.PublicURL
	}
	if from, err := mail.ParseAddress(s.Mail.From); err == nil {
		return from.Address
	}
	host := "localhost"
	if public, err := url.Parse(s.PublicURL); err == nil && public.Hostname() != "" {
		host = public.Hostname()
	}
	return "postmaster@" + host
}

// pushClient returns a client that reaches the internet only, whatever a name leads to, and goes
// where it is told to and no further.
func pushClient() *http.Client {
	dialer := &net.Dialer{Timeout: pushPatience, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !isPublic(to.Addr()) {
			return errors.New("the address may not be dialled")
		}
		return nil
	}}
	return &http.Client{
		// Not the default transport, which asks the environment for a proxy.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: pushPatience, ForceAttemptHTTP2: true,
			TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12},
			DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 20, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// isPublic reports whether an address is one of the internet.
func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap()
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.Zone() != "" {
		return false
	}
	return !slices.ContainsFunc(reserved(), func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// reserved are networks that look like those of the internet and lead elsewhere (RFC 6890 and
// the registries of IANA).
func reserved() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "168.63.129.16/32",
		"::/8", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}
