package api_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/token"
	"taskapi/app/token/tokentest"
)

// attack is one thing that somebody tries, and the rule which says that it
// must fail.
type attack struct {
	source string // a section of OWASP ASVS 5.0, RFC 8725 or RFC 9700
	name   string
	try    func(s *server, victim, thief person) answer
	want   int // the status of the refusal
}

func attacks() []attack {
	return slices.Concat(tokenAttacks(), massAssignments(), linkAttacks(), foreignThings(), listAttacks())
}

// tokenAttacks show one kind of token in the place of another.
func tokenAttacks() []attack {
	return []attack{
		{"RFC 8725 3.12", "refresh token as access token", func(s *server, v, _ person) answer { return s.call("GET", "/tasks/", v.refresh, "") }, 401},
		{"RFC 8725 3.12", "access token as refresh token", func(s *server, v, _ person) answer { return s.refresh(v.access) }, 401},
		{"RFC 8725 3.12", "API token as refresh token", func(s *server, v, _ person) answer {
			raw, _ := s.apiToken(v, app.ScopeAccount)
			return s.refresh(raw)
		}, 401},
		{"RFC 8725 3.12", "code of a mail as access token", func(s *server, v, _ person) answer { return s.call("GET", "/tasks/", s.forgot(v), "") }, 401},
		{"RFC 8725 3.12", "access token as code of a mail", func(s *server, v, _ person) answer { return s.reset(v.access, "stolen password") }, 400},
		{"ASVS 10.4.5", "replay of a retired refresh token", func(s *server, v, _ person) answer {
			s.refresh(v.refresh)
			s.clock.advance(31 * time.Second)
			return s.refresh(v.refresh)
		}, 401},
		{"RFC 9700 4.14.2", "the successor, after the replay of its ancestor", func(s *server, v, _ person) answer {
			next := s.refresh(v.refresh)
			s.clock.advance(31 * time.Second)
			s.refresh(v.refresh)
			return s.refresh(next.str("refresh_token"))
		}, 401},
		{"ASVS 7.4.1", "access token after logout", func(s *server, v, _ person) answer {
			s.logout(v.refresh)
			return s.call("GET", "/tasks/", v.access, "")
		}, 401},
		{"ASVS 7.4.3", "access token of another session after a change of password", func(s *server, v, _ person) answer {
			other := s.login("victim")
			s.call("PUT", fmt.Sprint("/users/", v.id), other.access, fmt.Sprintf(`{"password":"a changed one","current_password":%q}`, testPassword))
			return s.call("GET", "/tasks/", v.access, "")
		}, 401},
		{"ASVS 7.4.2", "access token of a deleted user", func(s *server, v, _ person) answer {
			s.call("DELETE", fmt.Sprint("/users/", v.id), v.access, "")
			return s.call("GET", "/tasks/", v.access, "")
		}, 401},
		{"ASVS 7.4.2", "API token of a deleted user", func(s *server, v, _ person) answer {
			raw, _ := s.apiToken(v, app.ScopeTasksRead)
			s.call("DELETE", fmt.Sprint("/users/", v.id), v.access, "")
			return s.call("GET", "/tasks/", raw, "")
		}, 401},
		{"ASVS 8.3.2", "access token of a demoted admin", func(s *server, v, _ person) answer { return s.demoted(v, false) }, 401},
		{"ASVS 8.3.2", "API token of a demoted admin", func(s *server, v, _ person) answer { return s.demoted(v, true) }, 401},
		{"ASVS 8.2.1", "API token that makes another", func(s *server, v, _ person) answer {
			raw, _ := s.apiToken(v, app.ScopeAccount)
			return s.call("POST", "/auth/tokens", raw, `{"name":"x","scopes":["account"]}`)
		}, 403},
		{"ASVS 8.2.1", "API token beyond its scope", func(s *server, v, _ person) answer {
			raw, _ := s.apiToken(v, app.ScopeTasksRead)
			return s.call("POST", "/tasks/", raw, `{"title":"x"}`)
		}, 403},
		{"ASVS 9.2.1", "API token after its end", func(s *server, v, _ person) answer {
			until := s.clock.Now().Add(time.Minute).UTC().Format(time.RFC3339)
			a := s.call("POST", "/auth/tokens", v.access, fmt.Sprintf(`{"name":"x","scopes":["tasks:read"],"expires_at":%q}`, until))
			s.clock.advance(time.Minute)
			return s.call("GET", "/tasks/", a.str("token"), "")
		}, 401},
		{"ASVS 7.2.4", "access token in the query", func(s *server, v, _ person) answer { return s.call("GET", "/tasks/?access_token="+v.access, "", "") }, 401},
		{"ASVS 7.2.4", "access token in a cookie", func(s *server, v, _ person) answer {
			return s.with("GET", "/tasks/", "", "Cookie", "access_token="+v.access)
		}, 401},
	}
}

// demoted makes the victim an admin, and an ordinary user again.
func (s *server) demoted(v person, script bool) answer {
	s.t.Helper()
	s.admin() // another one, who stays
	set := func(role app.Role) {
		_, err := s.db.SetRole(context.Background(), v.id, role, account.Record{})
		must(s.t, err)
	}
	set(app.RoleAdmin)
	v = s.login("victim")
	bearer := v.access
	if script {
		bearer, _ = s.apiToken(v, app.ScopeAccount, app.ScopeAdmin)
	}
	if a := s.call("GET", "/users/", bearer, ""); a.id("pagination.total") < 2 {
		s.t.Fatalf("no admin: %s", a.text)
	}
	set(app.RoleUser)
	return s.call("GET", "/users/", bearer, "")
}

// massAssignments name fields that are not the client's to set. They are
// ignored, so the attempt succeeds and changes nothing: the answer is checked
// for what must not be in it.
func massAssignments() []attack {
	var out []attack
	for _, field := range []string{`"role":"admin"`, `"id":4711`, `"password_hash":"x"`, `"email_verified":true`, `"verified_at":5`, `"date_created":"2000-01-01T00:00:00Z"`, `"pending_email":"e@example.com"`, `"is_admin":true`} {
		unchanged := func(a answer) answer {
			for _, bad := range []string{`"role":"admin"`, `4711`, `password_hash`, `"email_verified":true`, `2000-01-01`, `e@example.com`, `is_admin`} {
				if strings.Contains(a.text, bad) {
					a.status = 0
				}
			}
			return a
		}
		out = append(out,
			attack{"ASVS 15.3.3", "registration with " + field, func(s *server, _, _ person) answer {
				return unchanged(s.call("POST", "/auth/register", "", fmt.Sprintf(`{"username":"n","email":"n@example.com","password":%q,"confirm_password":%q,%s}`, testPassword, testPassword, field)))
			}, 201},
			attack{"ASVS 15.3.3", "update with " + field, func(s *server, _, thief person) answer {
				return unchanged(s.call("PUT", fmt.Sprint("/users/", thief.id), thief.access, `{"username":"n",`+field+`}`))
			}, 200},
			attack{"ASVS 15.3.3", "API token with " + field, func(s *server, _, thief person) answer {
				return unchanged(s.call("POST", "/auth/tokens", thief.access, `{"name":"n","scopes":["account"],`+field+`}`))
			}, 201})
	}
	return append(out,
		attack{"ASVS 8.2.2", "task for somebody else", func(s *server, v, thief person) answer {
			return s.call("POST", "/tasks/", thief.access, fmt.Sprintf(`{"title":"t","user_id":%d}`, v.id))
		}, 403},
		attack{"ASVS 8.2.2", "task given to somebody else", func(s *server, v, thief person) answer {
			return s.call("PUT", fmt.Sprint("/tasks/", s.task(thief, "t")), thief.access, fmt.Sprintf(`{"user_id":%d}`, v.id))
		}, 403})
}

// linkAttacks misuse what is mailed.
func linkAttacks() []attack {
	return []attack{
		{"ASVS 6.5.1", "reset link used twice", func(s *server, v, _ person) answer {
			code := s.forgot(v)
			s.reset(code, "the owner's choice")
			return s.reset(code, "the thief's choice")
		}, 400},
		{"ASVS 6.5.5", "reset link after 30 minutes", func(s *server, v, _ person) answer {
			code := s.forgot(v)
			s.clock.advance(30 * time.Minute)
			return s.reset(code, "the thief's choice")
		}, 400},
		{"ASVS 6.5.1", "older reset link after a newer one was used", func(s *server, v, _ person) answer {
			old := s.forgot(v)
			s.reset(s.forgot(v), "the owner's choice")
			return s.reset(old, "the thief's choice")
		}, 400},
		{"ASVS 6.4.3", "verification code as reset code", func(s *server, v, _ person) answer {
			s.call("POST", "/auth/email/resend", "", fmt.Sprintf(`{"email":%q}`, v.email))
			return s.reset(s.code(s.mail(outbox.MailVerify)), "the thief's choice")
		}, 400},
		{"ASVS 6.4.3", "reset code as verification code", func(s *server, v, _ person) answer {
			return s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, s.forgot(v)))
		}, 400},
		{"ASVS 6.4.3", "reset code made under another key", func(s *server, _, _ person) answer {
			codes, err := token.NewCodes([]byte(strings.Repeat("x", 32)), strings.NewReader(strings.Repeat("y", 16)))
			must(s.t, err)
			seed, _, err := codes.New()
			must(s.t, err)
			code, _ := codes.Code(seed)
			return s.reset(code, "the thief's choice")
		}, 400},
		{"ASVS 6.5.2", "the seed that waits in the outbox as reset code", func(s *server, v, _ person) answer {
			s.call("POST", "/auth/password/forgot", "", fmt.Sprintf(`{"email":%q}`, v.email))
			return s.reset(s.mail(outbox.MailReset).Data["Seed"], "the thief's choice")
		}, 400},
		{"ASVS 6.3.7", "change of password without the current one", func(s *server, v, _ person) answer {
			return s.call("PUT", fmt.Sprint("/users/", v.id), v.access, `{"password":"the thief's choice"}`)
		}, 422},
		{"ASVS 6.3.7", "change of address without the current password", func(s *server, v, _ person) answer {
			return s.call("PUT", fmt.Sprint("/users/", v.id), v.access, `{"email":"thief2@example.com"}`)
		}, 422},
	}
}

// foreignThings reach for what is somebody else's.
func foreignThings() []attack {
	reach := func(method, path, body string, want int) attack {
		return attack{"ASVS 8.2.2", method + " " + path + " of somebody else", func(s *server, v, thief person) answer {
			fill := s.placeholders(path+body, map[string]person{"owner": v})
			return s.call(method, fill.Replace(path), thief.access, fill.Replace(body))
		}, want}
	}
	return []attack{
		reach("GET", "/tasks/TASK", "", 404), reach("PUT", "/tasks/TASK", `{"title":"x"}`, 404), reach("PATCH", "/tasks/TASK", `{"completed":true}`, 404),
		reach("DELETE", "/tasks/TASK", "", 404), reach("GET", "/tasks/?user_id=OWNER", "", 403), reach("GET", "/users/OWNER", "", 403),
		reach("PUT", "/users/OWNER", `{"username":"x"}`, 403), reach("DELETE", "/users/OWNER", "", 403), reach("GET", "/users/OWNER/audit", "", 403),
		reach("DELETE", "/auth/sessions/SESSION", "", 404), reach("DELETE", "/auth/tokens/TOKEN", "", 404),
	}
}

// TestAttacks runs every row on a server of its own, and looks afterwards for
// secrets in the log and the database.
func TestAttacks(t *testing.T) {
	all := attacks()
	for _, row := range all {
		t.Run(row.source+" "+row.name, func(t *testing.T) {
			s := start(t)
			victim, thief := s.signUp("victim"), s.signUp("thief")
			if a := row.try(s, victim, thief); a.status != row.want {
				t.Errorf("%d %s, want %d", a.status, a.text, row.want)
			}
			s.searchForSecrets(victim, thief)
		})
	}
	s := start(t)
	victim := s.signUp("victim")
	forgeries := tokentest.Forgeries([]byte(testSecret), s.clock.Now(), victim.id, sessionOf(t, victim))
	t.Logf("%d rows, beside the %d forged access tokens of TestForgedAccessTokens", len(all), len(forgeries))
}

// searchForSecrets looks for what nobody may read in the log and in the
// database.
func (s *server) searchForSecrets(people ...person) {
	s.t.Helper()
	texts := s.db.Contents(s.t)
	texts["the log"] = s.log.String()
	secrets := []string{testPassword, "the thief's choice", "the owner's choice", "a changed one"}
	for _, p := range people {
		secrets = append(secrets, p.access, p.refresh)
	}
	for drained := false; !drained; {
		select {
		case m := <-s.mails:
			if m.Link != nil {
				secrets = append(secrets, s.code(m))
			}
		default:
			drained = true
		}
	}
	// In the database, "api_token_created" may stand behind a byte that is a t.
	personal := regexp.MustCompile(token.PersonalPrefix + `[A-Za-z0-9-]{10}`)
	for where, text := range texts {
		if found := personal.FindString(text); found != "" {
			s.t.Errorf("the API token %s… is in %s", found, where)
		}
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				s.t.Errorf("%q is in %s", secret, where)
			}
		}
	}
}

// TestGuessing: from one network guessing becomes slow, other networks are
// not touched by it, and a reset opens the way again.
func TestGuessing(t *testing.T) {
	guard := &account.Guard{Max: 1000}
	s := start(t, func(p *parts) {
		p.users.Guard, p.sessions.Guard, p.recovery.Guard, p.proofs.Guard = guard, guard, guard, guard
		trustLoopback(&p.api)
	})
	s.clock.freeze()
	guard.Now = s.clock.Now
	ann := s.signUp("ann")
	login := func(from, password string) answer {
		return s.with("POST", "/auth/login", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, password), "Content-Type", "application/json", "X-Forwarded-For", from)
	}
	tried, waited := 0, time.Duration(0)
	for waited < time.Hour {
		a := login("198.51.100.7", "a guess")
		if a.status == http.StatusTooManyRequests {
			wait, err := time.ParseDuration(a.header.Get("Retry-After") + "s")
			must(t, err)
			s.clock.advance(wait)
			waited += wait
			continue
		}
		if a.status != 401 {
			t.Fatalf("%d %s", a.status, a.text)
		}
		tried++
	}
	if tried < 10 || tried > 25 {
		t.Errorf("%d guesses in an hour from one address", tried)
	}
	if a := login("198.51.100.7", "another guess"); a.status != 401 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	tried++
	if a := login("198.51.100.7", testPassword); a.status != 429 {
		t.Errorf("the right password from where was guessed: %d %s", a.status, a.text)
	}
	if a := login("203.0.113.5", testPassword); a.status != 200 {
		t.Errorf("the owner from elsewhere: %d %s", a.status, a.text)
	}
	code := s.forgot(ann)
	a := s.with("POST", "/auth/password/reset", fmt.Sprintf(`{"token":%q,"password":"a brand new one","confirm_password":"a brand new one"}`, code), "Content-Type", "application/json", "X-Forwarded-For", "198.51.100.7")
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := login("198.51.100.7", "a brand new one"); a.status != 200 {
		t.Errorf("after a reset from there: %d %s", a.status, a.text)
	}
	record := s.call("GET", fmt.Sprint("/users/", ann.id, "/audit?per_page=100"), s.loginWith("a brand new one").access, "")
	if n := strings.Count(record.text, `"login_refused"`); n != tried {
		t.Errorf("%d refusals in the record, want %d", n, tried)
	}
}

// loginWith signs ann in with another password than the usual one.
func (s *server) loginWith(password string) person {
	s.t.Helper()
	a := s.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, password))
	if a.status != http.StatusOK {
		s.t.Fatalf("%d %s", a.status, a.text)
	}
	return person{access: a.str("access_token"), refresh: a.str("refresh_token")}
}
