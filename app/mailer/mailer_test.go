package mailer_test

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/mailer"
	"taskapi/app/mailer/mailertest"
	"taskapi/web"
)

func composer(t testing.TB) *mailer.Composer {
	t.Helper()
	c, err := mailer.NewComposer(web.Files(), "Our Service <tasks@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func welcome(name, to string) app.Mail {
	return app.Mail{
		ID: 7, Template: app.MailWelcome, To: to, MessageID: "abc123", Attempts: 1,
		Data: map[string]string{"Username": name}, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func compose(t testing.TB, m app.Mail) mailer.Message {
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
				if from, err := mail.ParseAddress(got.Header.Get("From")); err != nil || from.Name != "Our Service" || from.Address != "tasks@example.com" {
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

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		step      string
		code      int
		permanent bool
	}{
		{"sender", 451, false}, {"sender", 550, true},
		{"recipient", 450, false}, {"recipient", 550, true},
		{"data", 452, false}, {"data", 554, true},
	} {
		server := mailertest.Start(t, mailertest.Options{TLS: mailer.None, Refuse: map[string]int{c.step: c.code}})
		err := sender(server, mailer.None).Send(context.Background(), compose(t, welcome("Ann", "ann@example.com")), nil)
		var failure *mailer.SendError
		if !errors.As(err, &failure) || string(failure.Step) != c.step || failure.Permanent != c.permanent {
			t.Errorf("%s %d: %v", c.step, c.code, err)
		}
		if mailer.Advice(err) == "" || server.Count() != 0 {
			t.Errorf("%s %d: no advice, or the mail arrived", c.step, c.code)
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

func TestAnUnknownCertificateIsRefused(t *testing.T) {
	for transport, step := range map[string]mailer.Step{mailer.TLS: mailer.StepTLS, mailer.StartTLS: mailer.StepStartTLS} {
		s := sender(mailertest.Start(t, mailertest.Options{TLS: transport}), transport)
		s.RootCAs = mailertest.Start(t, mailertest.Options{TLS: mailer.None}).RootCAs
		expectStep(t, s, step)
	}
}

func TestASilentServerHoldsNobody(t *testing.T) {
	host, port := mailertest.Silent(t)
	for transport, step := range map[string]mailer.Step{mailer.None: mailer.StepGreeting, mailer.StartTLS: mailer.StepGreeting, mailer.TLS: mailer.StepTLS} {
		expectStep(t, &mailer.Sender{Server: host, Port: port, Transport: transport, StepTimeout: 50 * time.Millisecond}, step)
	}
}

func TestACancelledContextEndsADialogue(t *testing.T) {
	host, port := mailertest.Silent(t)
	ctx, cancel := context.WithCancel(context.Background())
	s := &mailer.Sender{Server: host, Port: port, Transport: mailer.None, StepTimeout: time.Hour}
	err := s.Send(ctx, compose(t, welcome("Ann", "ann@example.com")), func(mailer.Step) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNobodyWritesHeadersOfTheirOwn(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None})
	for _, name := range []string{"Ann\r\nBcc: eve@example.com", "Ann\n\nBody", "Ann\u2028X-Evil: 1", "=?utf-8?q?=0D=0ABcc:_eve?=", strings.Repeat("ä", 50)} {
		if err := sender(server, mailer.None).Send(context.Background(), compose(t, welcome(name, "ann@example.com")), nil); err != nil {
			t.Fatal(err)
		}
		got := server.Wait(t)
		for header := range got.Header {
			switch header {
			case "Subject", "From", "To", "Date", "Message-Id", "Mime-Version", "Content-Type", "Auto-Submitted":
			default:
				t.Errorf("%q wrote the header %s", name, header)
			}
		}
	}
	for _, to := range []string{"a@b.c\r\nBcc: eve@example.com", "a@b.c>\r\nRCPT TO:<eve@example.com", "a@b.c, eve@example.com", "Eve <eve@example.com>", ""} {
		if _, err := composer(t).Compose(welcome("Ann", to)); err == nil {
			t.Errorf("%q was taken for an address", to)
		}
	}
}

func TestMissingTemplatesAndDataAreErrors(t *testing.T) {
	c := composer(t)
	unknown, empty := welcome("Ann", "ann@example.com"), welcome("Ann", "ann@example.com")
	unknown.Template, empty.Data = "no-such", nil
	for _, m := range []app.Mail{unknown, empty} {
		if _, err := c.Compose(m); err == nil {
			t.Errorf("%+v was composed", m)
		}
	}
	if _, err := mailer.NewComposer(web.Files(), "no address"); err == nil {
		t.Error("a sender that is no address was taken")
	}
}
