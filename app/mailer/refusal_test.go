package mailer_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"taskapi/app/mailer"
	"taskapi/app/mailer/mailertest"
)

// attempt sends one mail, logging in only where a step needs it.
func attempt(t *testing.T, s *mailer.Sender) (*mailer.SendError, []mailer.Step) {
	t.Helper()
	var passed []mailer.Step
	err := s.Send(context.Background(), compose(t, welcome("Ann", "ann@example.com")), func(step mailer.Step) { passed = append(passed, step) })
	var failure *mailer.SendError
	if err != nil && !errors.As(err, &failure) {
		t.Fatalf("%v is no *SendError", err)
	}
	return failure, passed
}

// scripted is a sender to a server that misbehaves at one step.
func scripted(t *testing.T, step, answer string, timeout time.Duration) *mailer.Sender {
	t.Helper()
	s := &mailer.Sender{Transport: mailer.None, StepTimeout: timeout}
	s.Server, s.Port = mailertest.Scripted(t, step, answer)
	switch step {
	case "starttls":
		s.Transport = mailer.StartTLS
	case "auth":
		s.Username, s.Password = "ann", "secret"
	}
	return s
}

func TestRefusalsAtEveryStep(t *testing.T) {
	for _, c := range []struct {
		at        string // in the words of mailertest
		step      mailer.Step
		permanent bool // for an answer of 5xx
	}{
		{"greeting", mailer.StepGreeting, true},
		{"hello", mailer.StepHello, true},
		{"starttls", mailer.StepStartTLS, false},
		{"auth", mailer.StepAuth, false},
		{"sender", mailer.StepSender, true},
		{"recipient", mailer.StepRecipient, true},
		{"data", mailer.StepData, true},
		{"message", mailer.StepData, true},
	} {
		for _, code := range []int{421, 450, 530, 535, 554} {
			t.Run(c.at+" "+strconv.Itoa(code), func(t *testing.T) {
				failure, passed := attempt(t, scripted(t, c.at, strconv.Itoa(code)+" no", 30*time.Second))
				if failure == nil {
					t.Fatal("the mail passed")
				}
				want := c.permanent && code == 554
				if failure.Step != c.step || failure.Code != code || failure.Permanent != want {
					t.Errorf("got %+v, want a permanence of %t at %s", failure, want, c.step)
				}
				if slices.Contains(passed, c.step) || !slices.Contains(passed, mailer.StepConnect) {
					t.Errorf("passed: %v", passed)
				}
				if advice := mailer.Advice(failure); !strings.HasSuffix(advice, ".") {
					t.Errorf("advice: %q", advice)
				}
			})
		}
	}
}

func TestAStallAtAnyStepEnds(t *testing.T) {
	for at, want := range map[string]mailer.Step{
		"greeting": mailer.StepGreeting, "hello": mailer.StepHello, "starttls": mailer.StepStartTLS, "auth": mailer.StepAuth,
		"sender": mailer.StepSender, "recipient": mailer.StepRecipient, "data": mailer.StepData, "message": mailer.StepData,
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			failure, _ := attempt(t, scripted(t, at, "", time.Second))
			var timeout net.Error
			if failure == nil || failure.Step != want || failure.Permanent || !errors.As(failure, &timeout) || !timeout.Timeout() {
				t.Errorf("got %v, want a timeout at %s", failure, want)
			}
			if !strings.Contains(mailer.Advice(failure), "in time") {
				t.Errorf("advice: %q", mailer.Advice(failure))
			}
		})
	}
}

func TestASilentServerHoldsNobodyOverTLS(t *testing.T) {
	host, port := mailertest.Silent(t)
	expectStep(t, &mailer.Sender{Server: host, Port: port, Transport: mailer.TLS, StepTimeout: 50 * time.Millisecond}, mailer.StepTLS)
}

func TestABadGoodbyeTakesNothingBack(t *testing.T) {
	for _, answer := range []string{"", "421 tired", "554 no", "nonsense"} {
		if failure, passed := attempt(t, scripted(t, "quit", answer, time.Second)); failure != nil || !slices.Contains(passed, mailer.StepData) {
			t.Errorf("%q: %v after %v", answer, failure, passed)
		}
	}
}

func TestNonsenseFromTheServerIsAPassingFailure(t *testing.T) {
	endless := strings.Repeat("220-"+strings.Repeat("x", 1000)+"\r\n", 2000) + "220 hello"
	for name, answer := range map[string]string{"garbage": "HTTP/1.1 400 Bad Request", "binary": "\x15\x03\x01\x00\x02", "endless": endless} {
		failure, _ := attempt(t, scripted(t, "greeting", answer, 30*time.Second))
		if failure == nil || failure.Step != mailer.StepGreeting || failure.Permanent {
			t.Errorf("%s: %v", name, failure)
		}
	}
}

func TestNobodyListening(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	failure, passed := attempt(t, &mailer.Sender{Server: "127.0.0.1", Port: port, Transport: mailer.StartTLS})
	if failure == nil || failure.Step != mailer.StepConnect || failure.Permanent || len(passed) != 0 {
		t.Errorf("got %v after %v", failure, passed)
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

func TestARefusedMailIsNotDelivered(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None, Refuse: map[string]int{"data": 452}, Times: 1})
	s := sender(server, mailer.None)
	if failure, _ := attempt(t, s); failure == nil || failure.Permanent || server.Count() != 0 {
		t.Errorf("the first attempt: %v", failure)
	}
	if failure, _ := attempt(t, s); failure != nil {
		t.Errorf("the second attempt: %v", failure)
	}
	server.Wait(t)
}

func TestLettersBeyondASCIINeedTheServersConsent(t *testing.T) {
	mail := compose(t, welcome("Ånn", "ånn@example.com"))
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None})
	if err := sender(server, mailer.None).Send(context.Background(), mail, nil); err != nil {
		t.Fatal(err)
	}
	if got := server.Wait(t); got.To != "ånn@example.com" {
		t.Errorf("sent to %q", got.To)
	}
	without := scripted(t, "", "", 30*time.Second)
	if without.NoUTF8() {
		t.Error("known before it was asked")
	}
	err := without.Send(context.Background(), mail, nil)
	if !without.NoUTF8() {
		t.Error("not known afterwards")
	}
	var failure *mailer.SendError
	if !errors.As(err, &failure) || failure.Step != mailer.StepRecipient || !failure.Permanent {
		t.Errorf("without SMTPUTF8: %v", err)
	}
}

// A domain beyond ASCII has a form that every server knows.
func TestDomainsBeyondASCIINeedNobodysConsent(t *testing.T) {
	for address, want := range map[string]string{
		"ann@bücher.example": "ann@xn--bcher-kva.example", "ann@BÜCHER.example": "ann@xn--bcher-kva.example",
		"ann@bu\u0308cher.example": "ann@xn--bcher-kva.example", "ann@例え.テスト": "ann@xn--r8jz45g.xn--zckzah",
	} {
		mail := compose(t, welcome("Ann", address))
		server := mailertest.Start(t, mailertest.Options{TLS: mailer.None})
		if err := sender(server, mailer.None).Send(context.Background(), mail, nil); err != nil {
			t.Fatal(err)
		}
		if got := server.Wait(t); got.To != want || got.Header.Get("To") != "<"+want+">" {
			t.Errorf("%s: sent to %q, header %q", address, got.To, got.Header.Get("To"))
		}
	}
}
