package api_test

import (
	"fmt"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
)

// limited starts a server that counts everything.
func limited(t *testing.T) *server {
	t.Helper()
	guard := &account.Guard{Max: 1000}
	s := start(t, func(p *parts) {
		guard.Now = p.sessions.Now
		p.users.Guard, p.sessions.Guard, p.recovery.Guard, p.proofs.Guard = guard, guard, guard, guard
		p.postage.Limiter = &app.Limiter{Now: p.sessions.Now, Max: 1000}
		p.users.ConfirmEmail = true
		trustLoopback(&p.api)
	})
	s.clock.freeze()
	return s
}

// queued counts the mails to an address, to "" those to the account's own.
func (s *server) queued() map[string]int {
	s.t.Helper()
	count := map[string]int{}
	for {
		select {
		case m := <-s.mails:
			count[m.To]++
		default:
			return count
		}
	}
}

// Nobody makes the server fill a mailbox, whatever they ask for and however.
func TestMailsAreCountedByWhoGetsThem(t *testing.T) {
	s := limited(t)
	ann := s.signUp("ann")
	ask := []func(address string, n int) answer{
		func(address string, n int) answer {
			return s.call("PUT", fmt.Sprint("/users/", ann.id), ann.access, fmt.Sprintf(`{"email":%q,"current_password":%q}`, address, testPassword))
		},
		func(address string, _ int) answer {
			return s.call("POST", "/auth/password/forgot", "", fmt.Sprintf(`{"email":%q}`, address))
		},
		func(address string, _ int) answer {
			return s.call("POST", "/auth/email/resend", "", fmt.Sprintf(`{"email":%q}`, address))
		},
		func(address string, n int) answer {
			name := fmt.Sprint("stranger", n)
			return s.call("POST", "/auth/register", "", fmt.Sprintf(`{"username":%q,"email":%q,"password":%q,"confirm_password":%q}`, name, address, testPassword, testPassword))
		},
	}
	refused := 0
	for n := range 40 {
		if ask[n%len(ask)]("Victim@example.com", n).status == 429 {
			refused++
		}
	}
	got := s.queued()
	if sent := got["Victim@example.com"] + got["victim@example.com"]; sent == 0 || sent > 6 || refused < 20 {
		t.Errorf("%d mails to the victim, %d refusals", sent, refused)
	}
}

// One account writes to few strangers.
func TestMailsAreCountedByWhoAsksForThem(t *testing.T) {
	s := limited(t)
	ann := s.signUp("ann")
	path := fmt.Sprint("/users/", ann.id)
	for n := range 30 {
		s.call("PUT", path, ann.access, fmt.Sprintf(`{"email":"stranger%d@example.com","current_password":%q}`, n, testPassword))
	}
	strangers, own := 0, 0
	for to, n := range s.queued() {
		if strings.HasPrefix(to, "stranger") {
			strangers += n
		} else {
			own += n
		}
	}
	// Of her own: the welcome, and of what was done to the account.
	if strangers != 10 || own != 6 {
		t.Errorf("%d mails to strangers, %d to ann", strangers, own)
	}
}

// What a stranger wrote is repeated in a mail only if nothing of it becomes a
// link.
func TestAWelcomeCarriesNoLinkOfAStranger(t *testing.T) {
	for name, greeted := range map[string]bool{
		"ann": true, "Ann O. Nymous": true, "José": true, "山田": true, "Prof. X": true, "...": true,
		"Win at casino.example": false, "https://casino.example": false, "www.casino.example/a": false,
		"ann@casino.example": false, "casino。example": false, "casino．example": false, "mailto:x": false, "a//b": false, "tel:5": false,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.call("POST", "/auth/register", "", fmt.Sprintf(`{"username":%q,"email":"ann@example.com","password":%q,"confirm_password":%q}`, name, testPassword, testPassword))
			want := ""
			if greeted {
				want = name
			}
			if m := s.mail(outbox.MailWelcome); m.Data["Username"] != want {
				t.Errorf("greeted as %q, want %q", m.Data["Username"], want)
			}
		})
	}
}

// Who has an account is told to nobody who is wrong about anything else, and to
// nobody often.
func TestWhoHasAnAccountIsNotTold(t *testing.T) {
	s := limited(t)
	ann := s.signUp("ann")
	for n := range 9 {
		s.register(fmt.Sprint("user", n))
	}
	path := fmt.Sprint("/users/", ann.id)
	for name, body := range map[string]string{
		"change without the password": `{"email":"%s"}`,
		"change with a wrong one":     `{"email":"%s","current_password":"a guess"}`,
		"change with another mistake": `{"email":"%s","username":"","current_password":"` + testPassword + `"}`,
		"empty registration":          `{"email":"%s"}`,
		"weak registration":           `{"email":"%s","username":"x","password":"short","confirm_password":"short"}`,
	} {
		ask := func(address string) answer {
			if strings.Contains(name, "registration") {
				return s.call("POST", "/auth/register", "", fmt.Sprintf(body, address))
			}
			return s.call("PUT", path, ann.access, fmt.Sprintf(body, address))
		}
		taken, free := ask("user1@example.com"), ask("nobody@example.com")
		if taken.status != free.status || taken.text != free.text {
			t.Errorf("%s: %s, of a free one %s", name, taken.text, free.text)
		}
	}
	told := 0
	for n := range 300 {
		a := s.with("POST", "/auth/register", fmt.Sprintf(`{"username":"x","email":"user%d@example.com","password":%q,"confirm_password":%q}`, n%9, testPassword, testPassword),
			"Content-Type", "application/json", "X-Forwarded-For", "198.51.100.7")
		if a.status == 422 {
			told++
		}
	}
	if told == 0 || told > 100 {
		t.Errorf("%d of 300 questions were answered", told)
	}
}
