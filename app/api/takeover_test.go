package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
)

// What a thief with a session of the owner's makes while the owner sets a new
// password is gone when that is set.
func TestNothingAThiefMakesOutlivesAReset(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for round := range 5 {
		thief, code := s.login("ann"), s.forgot(ann)
		var made sync.Map
		var thieves sync.WaitGroup
		for range 8 {
			thieves.Go(func() {
				for {
					a := s.call("POST", "/auth/tokens", thief.access, `{"name":"x","scopes":["tasks:read","tasks:write","account"]}`)
					if a.status == 401 {
						return
					}
					if a.status == 201 {
						made.Store(a.str("token"), true)
					}
				}
			})
		}
		password := fmt.Sprint("the owner's choice ", round)
		if a := s.reset(code, password); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.text)
		}
		thieves.Wait()
		made.Range(func(token, _ any) bool {
			if a := s.call("GET", "/tasks/", token.(string), ""); a.status != 401 {
				t.Errorf("round %d: an API token of the thief's works: %d", round, a.status)
			}
			return true
		})
		// The next round signs in with the usual password.
		if _, err := s.users.SetPassword(context.Background(), ann.id, testPassword, false); err != nil {
			t.Fatal(err)
		}
	}
}

// A link to a mailbox is good while that is the account's, whenever it was
// stored.
func TestALinkIsBoundToItsMailbox(t *testing.T) {
	for _, purpose := range []outbox.Purpose{outbox.PurposeReset, outbox.PurposeVerify, outbox.PurposeChange} {
		t.Run(string(purpose), func(t *testing.T) {
			s := start(t)
			ann := s.signUp("ann")
			seed, hash, err := s.links.Codes.New()
			must(t, err)
			code, _ := s.links.Codes.Code(seed)
			// As a request that began before the change of address would store it.
			must(t, s.db.RecordByEmail(context.Background(), ann.email, func(account.User) (account.Record, error) {
				return account.Record{Mails: []outbox.NewMail{{
					Template: outbox.MailReset, To: "old@example.com", CreatedAt: s.clock.Now(),
					Link: &outbox.NewLink{Hash: hash, Purpose: purpose, ExpiresAt: s.clock.Now().Add(time.Hour)},
				}}}, nil
			}))
			if a := s.reset(code, "the thief's choice"); a.status != 400 || a.str("code") != "link_invalid" {
				t.Errorf("reset: %d %s", a.status, a.text)
			}
			if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, code)); a.status != 400 || a.str("code") != "link_invalid" {
				t.Errorf("verify: %d %s", a.status, a.text)
			}
		})
	}
}

// What a found session must not be enough for needs the password, or a sign-in
// of this moment.
func TestAFoundSessionIsNotEnough(t *testing.T) {
	s := start(t)
	boss, ann, bob := s.admin(), s.signUp("ann"), s.signUp("bob")
	acts := map[string]func(proof string) answer{
		"API token": func(proof string) answer {
			return s.call("POST", "/auth/tokens", ann.access, `{"name":"x","scopes":["account"]`+proof+`}`)
		},
		"deletion": func(proof string) answer {
			return s.call("DELETE", fmt.Sprint("/users/", ann.id), ann.access, `{"a":1`+proof+`}`)
		},
		"another's password": func(proof string) answer {
			return s.call("PUT", fmt.Sprint("/users/", bob.id), boss.access, `{"password":"an admin's choice"`+proof+`}`)
		},
		"another's address": func(proof string) answer {
			return s.call("PUT", fmt.Sprint("/users/", bob.id), boss.access, `{"email":"bob2@example.com"`+proof+`}`)
		},
		"another's deletion": func(proof string) answer {
			return s.call("DELETE", fmt.Sprint("/users/", bob.id), boss.access, `{"a":1`+proof+`}`)
		},
	}
	s.clock.advance(10*time.Minute + time.Second)
	for name, act := range acts {
		if a := act(""); a.status != 422 || a.at("errors.current_password") == nil {
			t.Errorf("%s without the password: %d %s", name, a.status, a.text)
		}
		if a := act(`,"current_password":"a guess"`); a.status != 422 || a.at("errors.current_password") == nil {
			t.Errorf("%s with a wrong password: %d %s", name, a.status, a.text)
		}
	}
	for _, name := range []string{"API token", "another's password", "another's address", "another's deletion", "deletion"} {
		if a := acts[name](fmt.Sprintf(`,"current_password":%q`, testPassword)); a.status >= 300 {
			t.Errorf("%s with the password: %d %s", name, a.status, a.text)
		}
	}
}

// API tokens end with what ends everything else, and the owner hears of each.
func TestWhatEndsAPITokens(t *testing.T) {
	const keep = `,"keep_api_tokens":true`
	ends := map[string]func(s *server, ann person, more string) answer{
		"sign out everywhere": func(s *server, ann person, more string) answer {
			return s.call("POST", "/auth/logout-all", ann.access, `{"a":1`+more+`}`)
		},
		"new password": func(s *server, ann person, more string) answer {
			return s.call("PUT", fmt.Sprint("/users/", ann.id), ann.access, fmt.Sprintf(`{"password":"a changed one","current_password":%q%s}`, testPassword, more))
		},
	}
	for name, end := range ends {
		for more, want := range map[string]struct{ status, ended int }{"": {401, 2}, keep: {200, 0}} {
			t.Run(name+more, func(t *testing.T) {
				s := start(t)
				ann := s.signUp("ann")
				first, _ := s.apiToken(ann, app.ScopeTasksRead)
				if m := s.mail(outbox.MailAPIToken); m.To != "" || m.Data["Name"] != "script" {
					t.Errorf("%+v", m)
				}
				s.apiToken(ann, app.ScopeAccount)
				if a := end(s, ann, more); a.status != 200 || a.id("api_tokens_ended") != int64(want.ended) {
					t.Errorf("%d %s, want %d ended", a.status, a.text, want.ended)
				}
				if a := s.call("GET", "/tasks/", first, ""); a.status != want.status {
					t.Errorf("the API token afterwards: %d, want %d", a.status, want.status)
				}
			})
		}
	}
}

// A body that is not needed is read when it says that it is JSON.
func TestBodiesThatMayBeAbsent(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	self := fmt.Sprint("/users/", ann.id)
	for _, route := range [][2]string{{"DELETE", self}, {"POST", "/auth/logout-all"}} {
		if a := s.call(route[0], route[1], ann.access, `{"broken`); a.status != 400 || a.str("code") != "invalid_json" {
			t.Errorf("%s %s broken: %d %s", route[0], route[1], a.status, a.text)
		}
		if a := s.call(route[0], route[1], ann.access, `{"keep_api_tokens":"yes","current_password":5}`); a.status != 422 {
			t.Errorf("%s %s mistyped: %d %s", route[0], route[1], a.status, a.text)
		}
	}
	if a := s.call("POST", "/auth/logout-all", ann.access, ""); a.status != 200 {
		t.Errorf("no body: %d %s", a.status, a.text)
	}
	if a := s.call("DELETE", self, s.login("ann").access, ""); a.status != 200 {
		t.Errorf("no body: %d %s", a.status, a.text)
	}
}

// A thief who shows an old refresh token ends the session, and what was made in
// it; other sessions' API tokens go on.
func TestAStolenSessionTakesItsAPITokensAlong(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	stolen := s.login("ann")
	bad, _ := s.apiToken(stolen, app.ScopeAccount)
	good, _ := s.apiToken(ann, app.ScopeAccount)
	s.refresh(stolen.refresh)
	s.clock.advance(31 * time.Second)
	s.refresh(stolen.refresh)
	if a := s.call("GET", "/users/", bad, ""); a.status != 401 {
		t.Errorf("made in the stolen session: %d", a.status)
	}
	if a := s.call("GET", "/users/", good, ""); a.status != 200 {
		t.Errorf("made in another: %d", a.status)
	}
	s.logout(ann.refresh)
	if a := s.call("GET", "/users/", good, ""); a.status != 200 {
		t.Errorf("made in a session that ended as it should: %d", a.status)
	}
}

// An API token acts on others' things with the scope admin only, and never on
// passwords, addresses or accounts as a whole.
func TestWhatAnAPITokenMayDo(t *testing.T) {
	s := start(t)
	boss, ann := s.admin(), s.signUp("ann")
	task := s.task(ann, "hers")
	plain, _ := s.apiToken(boss, app.ScopeTasksRead, app.ScopeTasksWrite, app.ScopeAccount)
	admin, _ := s.apiToken(boss, app.ScopeTasksRead, app.ScopeTasksWrite, app.ScopeAccount, app.ScopeAdmin)
	hers, _ := s.apiToken(ann, app.ScopeAccount)
	user, self, her := fmt.Sprint("/users/", ann.id), fmt.Sprint("/users/", boss.id), fmt.Sprint("/tasks/", task)
	for _, c := range []struct {
		method, path, body string
		plain, admin       int
	}{
		{"GET", user, "", 403, 200},
		{"GET", user + "/audit", "", 403, 200},
		{"GET", fmt.Sprint("/tasks/?user_id=", ann.id), "", 403, 200},
		{"POST", "/tasks/", fmt.Sprintf(`{"title":"t","user_id":%d}`, ann.id), 403, 201},
		{"GET", her, "", 404, 200},
		{"PUT", her, `{"title":"x"}`, 404, 200},
		{"PUT", user, `{"username":"x"}`, 403, 200},
		{"PUT", self, `{"username":"x"}`, 200, 200},
		{"PUT", user, `{"password":"a changed one"}`, 403, 403},
		{"PUT", user, `{"email":"thief@example.com"}`, 403, 403},
		{"PUT", self, fmt.Sprintf(`{"password":"a changed one","current_password":%q}`, testPassword), 403, 403},
		{"PUT", self, fmt.Sprintf(`{"email":"new@example.com","current_password":%q}`, testPassword), 403, 403},
		{"DELETE", user, fmt.Sprintf(`{"current_password":%q}`, testPassword), 403, 403},
		{"DELETE", self, fmt.Sprintf(`{"current_password":%q}`, testPassword), 403, 403},
		{"POST", "/auth/tokens", `{"name":"x","scopes":["account"]}`, 403, 403},
		{"DELETE", her, "", 404, 200},
	} {
		if a := s.call(c.method, c.path, plain, c.body); a.status != c.plain {
			t.Errorf("%s %s %s without the scope: %d %s, want %d", c.method, c.path, c.body, a.status, a.text, c.plain)
		}
		if a := s.call(c.method, c.path, admin, c.body); a.status != c.admin {
			t.Errorf("%s %s %s with the scope: %d %s, want %d", c.method, c.path, c.body, a.status, a.text, c.admin)
		}
	}
	if a := s.call("GET", "/users/", plain, ""); a.id("pagination.total") != 1 {
		t.Errorf("all users without the scope: %s", a.text)
	}
	if a := s.call("DELETE", user, hers, ""); a.status != 403 || a.str("code") != "session_required" {
		t.Errorf("deletion by a token of one's own: %d %s", a.status, a.text)
	}
	if a := s.call("POST", "/auth/tokens", ann.access, `{"name":"x","scopes":["admin"]}`); a.status != 422 || !strings.Contains(a.text, "admin") {
		t.Errorf("the scope admin for who is none: %d %s", a.status, a.text)
	}
}
