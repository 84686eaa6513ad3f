package doctor

import (
	"context"
	"errors"
	"log/slog"
	"net/mail"
	"os"
	"strings"
	"time"

	"taskapi/app/mailer"
	"taskapi/cmd/certs"
	"taskapi/cmd/datadir"
	"taskapi/cmd/listen"
	"taskapi/cmd/settings"
)

const (
	// soonExpired is when a certificate should have been renewed: those of Let's
	// Encrypt are, a month before.
	soonExpired = 14 * 24 * time.Hour
	// mailStep is how long the mail server may take for a step.
	mailStep = 8 * time.Second
)

// checkPort takes the address for a moment, unless our own server has it.
func checkPort(ctx context.Context, s Subject, d datadir.Dir) Finding {
	addr := s.Settings.Addr
	served := d.Served()
	err := listen.Vacant(ctx, addr, "--addr")
	ours := served && d.Address() == s.Probe.Place()
	if err == nil && !ours {
		return okay("%s is free; no server is running there", addr)
	}
	if _, dirErr := os.Stat(d.Path); dirErr == nil && !served {
		return failure("%v", err)
	}
	// Our server, or one whose folder is gone.
	probe := s.Probe
	switch failing, probeErr := probe.Ready(ctx); {
	case probeErr != nil && served:
		return failure("a taskapi uses the data folder but does not answer at %s; if that is its address, restart it", probe.Place())
	case probeErr != nil:
		return failure("%v", err)
	case failing != "":
		return failure("a taskapi is serving at %s but can't do all of its work (%s); its log says why", probe.Place(), failing)
	}
	return okay("a taskapi is serving at %s", probe.Place())
}

// checkSide takes an address beside the main one for a moment. That it is taken
// while our server runs is as it should be.
func checkSide(ctx context.Context, one settings.Side, d datadir.Dir) Finding {
	switch err := listen.Vacant(ctx, one.Addr, "--"+one.Flag); {
	case err == nil:
		return okay("%s is free", one.Addr)
	case errors.Is(err, listen.ErrTaken) && d.Served():
		return okay("%s is in use, and a taskapi is running", one.Addr)
	default:
		return failure("%v", err)
	}
}

func checkMail(ctx context.Context, s *mailer.Sender, from string) Finding {
	if s.Server == "" {
		return okay("no mail server is set: mails stay in the outbox")
	}
	s.StepTimeout = mailStep
	if address, err := mail.ParseAddress(from); err == nil {
		from = address.Address
	}
	if err := s.Try(ctx, from); err != nil {
		return failure("%s refuses us %v. %s", s.Server, err, mailer.Advice(err))
	}
	return okay("%s, port %d, lets us in; \"taskapi mail test ADDRESS\" sends a mail", s.Server, s.Port)
}

func checkCertificate(s settings.Settings, now time.Time) Finding {
	files, err := certs.FromFiles(s.TLSCert, s.TLSKey, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if err != nil {
		return failure("the certificate can't be used (%s); correct --tls-cert and --tls-key", strings.Join(strings.Fields(err.Error()), " "))
	}
	if err := files.Fault(s.CertificateHost(), now); err != nil {
		return failure("%v", err)
	}
	expires := files.Expires()
	if expires.Sub(now) < soonExpired {
		return warning("the certificate expires on %s; renew it", expires.Format(time.DateOnly))
	}
	return okay("the certificate is good until %s", expires.Format(time.DateOnly))
}
