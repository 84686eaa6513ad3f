package mailer_test

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"testing"
	"time"

	"taskapi/app/mailer"
	"taskapi/app/mailer/mailertest"
	"taskapi/app/outbox"
	"taskapi/web"
)

func composer(t testing.TB) *mailer.Composer {
	t.Helper()
	c, err := mailer.NewComposer(web.Files(), "Our Tasks <tasks@example.com>", "Our Service", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func welcome(name, to string) outbox.Mail {
	return outbox.Mail{
		ID: 7, Template: outbox.MailWelcome, To: to, MessageID: "abc123", Attempts: 1,
		Data: map[string]string{"Username": name}, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func compose(t testing.TB, m outbox.Mail) mailer.Message {
	t.Helper()
	out, err := composer(t).Compose(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sender(s *mailertest.Server, transport string) *mailer.Sender {
	return &mailer.Sender{Server: s.Host, Port: s.Port, Transport: transport, RootCAs: s.RootCAs, StepTimeout: 10 * time.Second}
}

func TestDeliveryOverEveryTransport(t *testing.T) {
	for _, transport := range []string{mailer.None, mailer.StartTLS, mailer.TLS} {
		for _, login := range []string{"", "ann"} {
			t.Run(transport+" "+login, func(t *testing.T) {
				server := mailertest.Start(t, mailertest.Options{TLS: transport, Username: login, Password: "secret"})
				s := sender(server, transport)
				s.Username, s.Password = login, "secret"
				var steps []mailer.Step
				err := s.Send(context.Background(), compose(t, welcome("Ann <b>", "ann@example.com")), func(step mailer.Step) { steps = append(steps, step) })
				if err != nil {
					t.Fatal(err)
				}
				got := server.Wait(t)
				if got.From != "tasks@example.com" || got.To != "ann@example.com" {
					t.Errorf("envelope: from %s to %s", got.From, got.To)
				}
				for name, want := range map[string]string{
					"Subject": "Welcome to Our Service", "Message-Id": "<abc123@example.com>",
					"To": "<ann@example.com>", "Date": "Fri, 02 Jan 2026 03:04:05 +0000",
				} {
					if have := got.Header.Get(name); have != want {
						t.Errorf("%s: %q, want %q", name, have, want)
					}
				}
				if from, err := mail.ParseAddress(got.Header.Get("From")); err != nil || from.Name != "Our Tasks" || from.Address != "tasks@example.com" {
					t.Errorf("From: %v, %v", from, err)
				}
				if !strings.Contains(got.HTML, "Welcome, Ann &lt;b&gt;!") || !strings.Contains(got.Text, "Welcome, Ann <b>!") {
					t.Errorf("bodies: %q %q", got.HTML, got.Text)
				}
				if len(steps) < 6 {
					t.Errorf("steps: %v", steps)
				}
			})
		}
	}
}

func TestNothingIsSentInClearUnlessAskedFor(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None})
	expectStep(t, sender(server, mailer.StartTLS), mailer.StepStartTLS)
	if server.Count() != 0 {
		t.Error("the mail was delivered in clear")
	}
}

func expectStep(t *testing.T, s *mailer.Sender, want mailer.Step) {
	t.Helper()
	err := s.Send(context.Background(), compose(t, welcome("Ann", "ann@example.com")), nil)
	var failure *mailer.SendError
	if !errors.As(err, &failure) || failure.Step != want || failure.Permanent {
		t.Errorf("got %v, want a passing failure at %s", err, want)
	}
}

func TestAWrongPasswordIsNotTheMailsFault(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.TLS, Username: "ann", Password: "secret"})
	s := sender(server, mailer.TLS)
	s.Username, s.Password = "ann", "wrong"
	expectStep(t, s, mailer.StepAuth)
}

func TestLoginWhereOnlyThatIsOffered(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.StartTLS, Username: "ann", Password: "secret", LoginOnly: true})
	s := sender(server, mailer.StartTLS)
	s.Username, s.Password = "ann", "secret"
	if err := s.Send(context.Background(), compose(t, welcome("Ann", "ann@example.com")), nil); err != nil {
		t.Fatal(err)
	}
	server.Wait(t)
	s.Password = "wrong"
	expectStep(t, s, mailer.StepAuth)
}

func TestALoginIsNeverLeftOut(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.StartTLS})
	s := sender(server, mailer.StartTLS)
	s.Username, s.Password = "ann", "secret"
	expectStep(t, s, mailer.StepAuth)
	if server.Count() != 0 {
		t.Error("the mail went out without the login")
	}
}

func TestAMissingLoginIsNotTheMailsFault(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None, Username: "ann", Password: "secret"})
	expectStep(t, sender(server, mailer.None), mailer.StepSender)
}

func TestAnUnknownCertificateIsRefused(t *testing.T) {
	for transport, step := range map[string]mailer.Step{mailer.TLS: mailer.StepTLS, mailer.StartTLS: mailer.StepStartTLS} {
		s := sender(mailertest.Start(t, mailertest.Options{TLS: transport}), transport)
		s.RootCAs = mailertest.Start(t, mailertest.Options{TLS: mailer.None}).RootCAs
		expectStep(t, s, step)
	}
}
