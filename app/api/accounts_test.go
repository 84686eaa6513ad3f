package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
)

func TestSessionsAreListedAndEnded(t *testing.T) {
	s := start(t)
	firefox := "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	s.register("ann")
	a := s.with("POST", "/auth/login", `{"email":"ann@example.com","password":"`+testPassword+`"}`, "Content-Type", "application/json", "User-Agent", firefox)
	phone := person{access: a.str("access_token"), refresh: a.str("refresh_token")}
	s.clock.advance(10 * time.Minute)
	laptop, bob := s.login("ann"), s.signUp("bob")

	list := s.call("GET", "/auth/sessions", laptop.access, "")
	sessions, _ := list.json["sessions"].([]any)
	if list.status != 200 || len(sessions) != 2 || list.id("pagination.total") != 2 {
		t.Fatalf("%d %s", list.status, list.text)
	}
	newest, oldest := sessions[0].(map[string]any), sessions[1].(map[string]any)
	if newest["current"] != true || oldest["current"] != false || oldest["device"] != "Firefox on Linux" || oldest["address"] != "127.0.0.1" {
		t.Errorf("%s", list.text)
	}
	if oldest["date_created"].(string) >= newest["date_created"].(string) || oldest["date_last_used"] != oldest["date_created"] {
		t.Errorf("the dates: %s", list.text)
	}
	path := fmt.Sprint("/auth/sessions/", oldest["id"])
	if a := s.call("DELETE", path, bob.access, ""); a.status != 404 || a.str("code") != "session_not_found" {
		t.Errorf("a stranger: %d %s", a.status, a.text)
	}
	if !s.alive(phone.access) {
		t.Fatal("ended by a stranger")
	}
	if a := s.call("DELETE", path, laptop.access, ""); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if s.alive(phone.access) || s.refresh(phone.refresh).status != 401 || !s.alive(laptop.access) {
		t.Error("the wrong session was ended, or none")
	}
	if a := s.call("DELETE", path, laptop.access, ""); a.status != 404 {
		t.Errorf("again: %d %s", a.status, a.text)
	}
	tablet := s.login("ann")
	if a := s.call("POST", "/auth/logout-all", laptop.access, ""); a.status != 200 || a.id("sessions_ended") != 2 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if s.alive(tablet.access) || s.alive(laptop.access) || !s.alive(bob.access) {
		t.Error("logout-all ended too few or too many")
	}
}

func TestPasswordReset(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	script, _ := s.apiToken(ann, app.ScopeTasksRead)
	first, second := s.forgot(ann), s.forgot(ann)
	for body, want := range map[string]int{
		`{"password":"a new password","confirm_password":"a new password"}`:                                      422, // no token
		fmt.Sprintf(`{"token":%q,"password":"short","confirm_password":"short"}`, first):                         422,
		fmt.Sprintf(`{"token":%q,"password":"ann@example.com","confirm_password":"ann@example.com"}`, first):     422,
		fmt.Sprintf(`{"token":%q,"password":"a new password","confirm_password":"another"}`, first):              422,
		fmt.Sprintf(`{"token":%q,"password":"a new password","confirm_password":"a new password"}`, flip(first)): 400,
		`{"token":"x","password":"a new password","confirm_password":"a new password"}`:                          400,
	} {
		if a := s.call("POST", "/auth/password/reset", "", body); a.status != want {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	if !s.alive(ann.access) {
		t.Fatal("a reset that failed ended the session")
	}
	if a := s.reset(first, "a new password"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if s.alive(ann.access) || s.refresh(ann.refresh).status != 401 || s.alive(script) {
		t.Error("what was signed in before the reset still is")
	}
	for name, code := range map[string]string{"used": first, "other": second} {
		if a := s.reset(code, "yet another one"); a.status != 400 || a.str("code") != "link_invalid" {
			t.Errorf("the %s link: %d %s", name, a.status, a.text)
		}
	}
	if m := s.mail(outbox.MailPasswordReset); m.Data["Address"] != "127.0.0.1" {
		t.Errorf("the notice: %+v", m)
	}
	if a := s.call("POST", "/auth/login", "", `{"email":"ann@example.com","password":"a new password"}`); a.status != 200 {
		t.Errorf("login with the new password: %d %s", a.status, a.text)
	}
	late := s.forgot(ann)
	s.clock.advance(30 * time.Minute)
	if a := s.reset(late, "too late for this"); a.status != 400 {
		t.Errorf("after 30 minutes: %d %s", a.status, a.text)
	}
}

// Whoever has the password may have asked for a new address or a link. A new
// password ends those wishes too.
func TestANewPasswordEndsWhatAThiefHasSetUp(t *testing.T) {
	for name, renew := range map[string]func(*server, person){
		"change": func(s *server, ann person) {
			a := s.call("PUT", fmt.Sprint("/users/", ann.id), ann.access, fmt.Sprintf(`{"password":"a new password","current_password":%q}`, testPassword))
			if a.status != 200 || a.at("user.pending_email") != nil {
				s.t.Errorf("%d %s", a.status, a.text)
			}
		},
		"reset": func(s *server, ann person) { s.reset(s.forgot(ann), "a new password") },
		"command": func(s *server, ann person) {
			_, err := s.users.SetPassword(context.Background(), ann.id, "a new password", false)
			must(s.t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(p *parts) { p.users.ConfirmEmail = true })
			ann := s.signUp("ann")
			thief := s.login("ann")
			s.call("PUT", fmt.Sprint("/users/", ann.id), thief.access, fmt.Sprintf(`{"email":"thief@example.com","current_password":%q}`, testPassword))
			change, earlier := s.code(s.mail(outbox.MailVerify)), s.forgot(ann)
			renew(s, ann)
			if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, change)); a.status != 400 || a.str("code") != "link_invalid" {
				t.Errorf("the thief's address: %d %s", a.status, a.text)
			}
			if a := s.reset(earlier, "the thief's own"); a.status != 400 || a.str("code") != "link_invalid" {
				t.Errorf("a link from before: %d %s", a.status, a.text)
			}
		})
	}
}

// A mailbox that is no longer the user's opens nothing.
func TestLinksToAnOldAddressAreDead(t *testing.T) {
	s := start(t, func(p *parts) { p.users.ConfirmEmail = true })
	ann, boss := s.signUp("ann"), s.admin()
	path := fmt.Sprint("/users/", ann.id)
	confirmed := func() {
		s.call("PUT", path, ann.access, fmt.Sprintf(`{"email":"new@example.com","current_password":%q}`, testPassword))
		s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, s.code(s.mail(outbox.MailVerify))))
	}
	byAdmin := func() { s.call("PUT", path, boss.access, `{"email":"newer@example.com"}`) }
	for n, change := range []func(){confirmed, byAdmin} {
		old := s.forgot(ann)
		change()
		if a := s.reset(old, "a new password"); a.status != 400 || a.str("code") != "link_invalid" {
			t.Errorf("change %d: %d %s", n, a.status, a.text)
		}
		ann.email = "new@example.com"
	}
}

// The bound is the same whether or not there is an account, and a reset that
// worked lifts it.
func TestForgotIsLimitedByAddress(t *testing.T) {
	s := start(t, func(p *parts) { p.postage.Limiter = &app.Limiter{Now: p.sessions.Now, Max: 1000} })
	ann := s.signUp("ann")
	code := ""
	for range 5 {
		code = s.forgot(ann)
		s.call("POST", "/auth/password/forgot", "", `{"email":"nobody@example.com"}`)
	}
	// The sixth mail to ann welcomed her.
	s.call("POST", "/auth/password/forgot", "", `{"email":"nobody@example.com"}`)
	known := s.call("POST", "/auth/password/forgot", "", `{"email":"ann@example.com"}`)
	unknown := s.call("POST", "/auth/password/forgot", "", `{"email":"nobody@example.com"}`)
	if known.status != 429 || known.text != unknown.text || known.header.Get("Retry-After") == "" {
		t.Errorf("%d %s, %d %s", known.status, known.text, unknown.status, unknown.text)
	}
	s.reset(code, "a new password")
	s.forgot(ann)
}

func TestForgotTellsNothing(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	known := s.call("POST", "/auth/password/forgot", "", `{"email":"ann@example.com"}`)
	unknown := s.call("POST", "/auth/password/forgot", "", `{"email":"nobody@example.com"}`)
	if known.status != 202 || unknown.status != 202 || known.text != unknown.text {
		t.Errorf("%d %s, %d %s", known.status, known.text, unknown.status, unknown.text)
	}
	for _, path := range []string{"/auth/password/forgot", "/auth/email/resend"} {
		for body, want := range map[string]int{`{}`: 422, `{"email":null}`: 422, `{"email":"nonsense"}`: 422, `{"email":5}`: 422} {
			if a := s.call("POST", path, "", body); a.status != want || a.str("errors.email") == "" {
				t.Errorf("%s %s: %d %s", path, body, a.status, a.text)
			}
		}
	}
}

func TestVerificationOnRegistration(t *testing.T) {
	s := start(t, func(p *parts) { p.sessions.VerifiedOnly = true })
	s.register("ann")
	code := s.code(s.mail(outbox.MailWelcome))
	login := func() answer {
		return s.call("POST", "/auth/login", "", `{"email":"ann@example.com","password":"`+testPassword+`"}`)
	}
	if a := login(); a.status != 403 || a.str("code") != "email_not_verified" {
		t.Errorf("before: %d %s", a.status, a.text)
	}
	if a := s.call("POST", "/auth/login", "", `{"email":"ann@example.com","password":"a wrong one"}`); a.status != 401 {
		t.Errorf("a wrong password: %d %s", a.status, a.text)
	}
	if a := s.call("POST", "/auth/email/resend", "", `{"email":"ann@example.com"}`); a.status != 202 {
		t.Errorf("resend: %d %s", a.status, a.text)
	}
	again := s.code(s.mail(outbox.MailVerify))
	if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, code)); a.status != 200 || a.str("email") != "ann@example.com" {
		t.Errorf("%d %s", a.status, a.text)
	}
	a := login()
	if a.status != 200 {
		t.Fatalf("after: %d %s", a.status, a.text)
	}
	if u := s.call("GET", "/users/1", a.str("access_token"), ""); u.at("email_verified") != true {
		t.Errorf("%s", u.text)
	}
	for _, used := range []string{code, again} {
		if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, used)); a.status != 400 {
			t.Errorf("again: %d %s", a.status, a.text)
		}
	}
}

func TestChangeOfAddressIsConfirmed(t *testing.T) {
	s := start(t, func(p *parts) { p.users.ConfirmEmail = true })
	ann := s.signUp("ann")
	path := fmt.Sprint("/users/", ann.id)
	change := func(email string) answer {
		t.Helper()
		return s.call("PUT", path, ann.access, fmt.Sprintf(`{"email":%q,"current_password":%q}`, email, testPassword))
	}
	if a := change("typo@example.com"); a.status != 200 || a.str("user.email") != "ann@example.com" || a.str("user.pending_email") != "typo@example.com" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	typo := s.mail(outbox.MailVerify)
	if told := s.mail(outbox.MailEmailPending); told.To != "ann@example.com" || told.Data["Email"] != "typo@example.com" || typo.To != "typo@example.com" {
		t.Errorf("%+v %+v", told, typo)
	}
	if a := change("new@example.com"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	code := s.code(s.mail(outbox.MailVerify))
	if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, s.code(typo))); a.status != 400 {
		t.Errorf("the link to an address that is no longer wanted: %d %s", a.status, a.text)
	}
	if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, code)); a.status != 200 || a.str("email") != "new@example.com" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if told := s.mail(outbox.MailEmail); told.To != "ann@example.com" || told.Data["Email"] != "new@example.com" {
		t.Errorf("%+v", told)
	}
	u := s.call("GET", path, ann.access, "")
	if u.str("email") != "new@example.com" || u.at("pending_email") != nil || u.at("email_verified") != true {
		t.Errorf("%s", u.text)
	}
	// The wish is taken back by the address that is in use.
	change("third@example.com")
	third := s.code(s.mail(outbox.MailVerify))
	if a := change("new@example.com"); a.at("user.pending_email") != nil {
		t.Errorf("%s", a.text)
	}
	if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, third)); a.status != 400 {
		t.Errorf("a wish taken back: %d %s", a.status, a.text)
	}
	// Somebody else was faster.
	change("taken@example.com")
	code = s.code(s.mail(outbox.MailVerify))
	s.register("taken")
	if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, code)); a.status != 422 || a.str("errors.email") == "" {
		t.Errorf("an address taken meanwhile: %d %s", a.status, a.text)
	}
}

func TestAPITokens(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	task := s.task(ann, "one")
	read, readID := s.apiToken(ann, app.ScopeTasksRead)
	write, _ := s.apiToken(ann, app.ScopeTasksWrite)
	account, _ := s.apiToken(ann, app.ScopeAccount)
	for _, row := range []struct {
		method, path, body   string
		read, write, account int
	}{
		{"GET", "/tasks/", "", 200, 403, 403}, {"GET", fmt.Sprint("/tasks/", task), "", 200, 403, 403},
		{"POST", "/tasks/", `{"title":"x"}`, 403, 201, 403}, {"PUT", fmt.Sprint("/tasks/", task), `{"title":"y"}`, 403, 200, 403},
		{"GET", fmt.Sprint("/users/", ann.id), "", 403, 403, 200}, {"GET", "/users/", "", 403, 403, 200}, {"GET", "/auth/sessions", "", 403, 403, 200},
		{"GET", fmt.Sprint("/users/", ann.id, "/audit"), "", 403, 403, 200}, {"GET", fmt.Sprint("/users/", bob.id), "", 403, 403, 403},
		{"GET", "/auth/tokens", "", 403, 403, 200}, {"POST", "/auth/tokens", `{"name":"x","scopes":["account"]}`, 403, 403, 403},
		{"GET", "/sync", "", 200, 403, 403}, {"POST", "/batch", `{"requests":[{"method":"POST","path":"/tasks/","body":{"title":"z"}}]}`, 403, 200, 403},
		{"DELETE", "/auth/tokens/4711", "", 403, 403, 404}, {"POST", "/users/", `{}`, 403, 403, 422},
	} {
		for raw, want := range map[string]int{read: row.read, write: row.write, account: row.account} {
			a := s.call(row.method, row.path, raw, row.body)
			if a.status != want {
				t.Errorf("%s %s: %d %s, want %d", row.method, row.path, a.status, a.text, want)
			}
			if a.status == 403 && a.str("code") != "forbidden" && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer error="insufficient_scope"`) {
				t.Errorf("%s %s: %v", row.method, row.path, a.header)
			}
		}
	}
	if a := s.call("POST", "/tasks/", read, `{"title":"x"}`); !strings.Contains(a.str("error"), "tasks:write") || !strings.Contains(a.header.Get("WWW-Authenticate"), `scope="tasks:write"`) {
		t.Errorf("what it lacks is not said: %s %v", a.text, a.header)
	}
	if a := s.refresh(read); a.status != 401 {
		t.Errorf("as a refresh token: %d %s", a.status, a.text)
	}
	list := s.call("GET", "/auth/tokens", ann.access, "")
	if list.id("pagination.total") != 3 || strings.Contains(list.text, "tapi_") {
		t.Errorf("%s", list.text)
	}
	if a := s.call("DELETE", fmt.Sprint("/auth/tokens/", readID), ann.access, ""); a.status != 200 || s.alive(read) {
		t.Errorf("revoked: %d %s", a.status, a.text)
	}
	until := s.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	a := s.call("POST", "/auth/tokens", ann.access, fmt.Sprintf(`{"name":"for an hour","scopes":["tasks:read"],"expires_at":%q}`, until))
	if a.status != 201 || !s.alive(a.str("token")) {
		t.Errorf("%d %s", a.status, a.text)
	}
	s.clock.advance(time.Hour)
	if a := s.call("GET", "/tasks/", a.str("token"), ""); a.status != 401 || a.str("error") != "Token has expired!" || a.str("code") != "token_expired" {
		t.Errorf("an expired one: %d %s", a.status, a.text)
	}
}

func TestWhatAnAPITokenMayBe(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for body, field := range map[string]string{
		`{"scopes":["account"]}`: "name", `{"name":" ","scopes":["account"]}`: "name", `{"name":5,"scopes":["account"]}`: "name",
		`{"name":"` + strings.Repeat("x", 51) + `","scopes":["account"]}`: "name",
		`{"name":"x"}`: "scopes", `{"name":"x","scopes":[]}`: "scopes", `{"name":"x","scopes":"account"}`: "scopes", `{"name":"x","scopes":["account",5]}`: "scopes",
		`{"name":"x","scopes":["admin"]}`: "scopes", `{"name":"x","scopes":[["account"]]}`: "scopes", `{"name":"x","scopes":{"a":1}}`: "scopes",
		`{"name":"x","scopes":["account"],"expires_at":"tomorrow"}`: "expires_at", `{"name":"x","scopes":["account"],"expires_at":5}`: "expires_at",
		`{"name":"x","scopes":["account"],"expires_at":"2020-01-01T00:00:00Z"}`:      "expires_at",
		`{"name":"x","scopes":["account"],"expires_at":"9999-12-31T23:59:59-23:00"}`: "expires_at",
	} {
		if a := s.call("POST", "/auth/tokens", ann.access, body); a.status != 422 || a.str("errors."+field) == "" {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	for range account.MaxTokens {
		s.apiToken(ann, app.ScopeAccount)
	}
	if a := s.call("POST", "/auth/tokens", ann.access, `{"name":"x","scopes":["account"]}`); a.status != http.StatusConflict || a.str("code") != "too_many_api_tokens" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestTheAuditRecord(t *testing.T) {
	s := start(t)
	ann, boss := s.signUp("ann"), s.admin()
	path := fmt.Sprint("/users/", ann.id)
	s.call("POST", "/auth/login", "", `{"email":"ann@example.com","password":"a wrong one"}`)
	next := s.refresh(ann.refresh)
	s.clock.advance(time.Minute)
	s.refresh(ann.refresh)
	ann = s.login("ann")
	s.call("PUT", path, ann.access, `{"password":"a new password","current_password":"wrong"}`)
	s.call("PUT", path, ann.access, fmt.Sprintf(`{"password":"a new password","username":"Anna","current_password":%q}`, testPassword))
	s.call("PUT", path, boss.access, `{"email":"anna@example.com"}`)
	_, id := s.apiToken(ann, app.ScopeAccount)
	s.call("DELETE", fmt.Sprint("/auth/tokens/", id), ann.access, "")
	s.logout(ann.refresh)

	a := s.call("GET", path+"/audit?per_page=100", boss.access, "")
	var page struct {
		Events []struct {
			Event, Address string
			ActorID        *int64 `json:"actor_id"`
		}
	}
	must(t, json.Unmarshal([]byte(a.text), &page))
	var got []string
	for _, e := range page.Events {
		who := "nobody"
		switch {
		case e.ActorID == nil:
		case *e.ActorID == ann.id:
			who = "ann"
		case *e.ActorID == boss.id:
			who = "boss"
		}
		got = append([]string{e.Event + " " + who}, got...)
		if e.Address != "127.0.0.1" {
			t.Errorf("%s from %q", e.Event, e.Address)
		}
	}
	want := []string{
		"user_created nobody", "login ann", "login_refused nobody", "refresh_token_replayed nobody", "login ann", "current_password_refused ann",
		"username_changed ann", "password_changed ann", "email_changed boss", "api_token_created ann", "api_token_revoked ann", "logout nobody",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, secret := range []string{testPassword, "a new password", next.str("refresh_token"), "wrong"} {
		if strings.Contains(a.text, `"`+secret) {
			t.Errorf("%q is in the record", secret)
		}
	}
	for _, template := range []outbox.MailTemplate{outbox.MailReplay, outbox.MailPassword, outbox.MailEmail} {
		s.mail(template) // each was queued, in this order
	}
}

func TestOwnersSeeThatGuessingWasSlowed(t *testing.T) {
	s := start(t, func(p *parts) { p.sessions.Guard = &account.Guard{Now: p.sessions.Now, Max: 1000} })
	ann := s.signUp("ann")
	for range 7 {
		s.call("POST", "/auth/login", "", `{"email":"ann@example.com","password":"a wrong one"}`)
		s.call("POST", "/auth/login", "", `{"email":"nobody@example.com","password":"a wrong one"}`)
	}
	a := s.call("GET", fmt.Sprint("/users/", ann.id, "/audit"), ann.access, "")
	if strings.Count(a.text, `"rate_limited"`) != 1 || strings.Count(a.text, `"login_refused"`) != 5 {
		t.Errorf("%s", a.text)
	}
}

// replacedUsers is a store in which the hash is always replaced in between.
type replacedUsers struct{ account.UserStore }

func (replacedUsers) UpdateUser(context.Context, app.Caller, int64, account.UserChange, account.Record) (account.User, account.Ended, error) {
	return account.User{}, account.Ended{}, account.ErrHashReplaced
}

func TestRareRefusals(t *testing.T) {
	s := start(t)
	ann, boss := s.signUp("ann"), s.admin()
	read, _ := s.apiToken(ann, app.ScopeTasksRead)
	task := s.task(ann, "t")
	for _, row := range []struct {
		method, path, token, body string
		status                    int
		code                      string
	}{
		{"PATCH", "/users/4711", boss.access, `{}`, 404, "user_not_found"},
		{"PUT", "/users/4711", boss.access, `{}`, 404, "user_not_found"},
		{"GET", "/users/4711/audit", boss.access, "", 404, "user_not_found"},
		{"GET", "/users/4711/audit", ann.access, "", 403, "forbidden"},
		{"GET", "/users/0/audit", ann.access, "", 404, "user_not_found"},
		{"GET", fmt.Sprint("/users/", ann.id, "/audit?page=0"), ann.access, "", 400, "invalid_pagination"},
		{"GET", "/auth/tokens?page=x", ann.access, "", 400, "invalid_pagination"},
		{"GET", "/auth/sessions?per_page=101", ann.access, "", 400, "invalid_pagination"},
		{"POST", "/auth/register", "no token", `{}`, 401, "token_invalid"},
		{"DELETE", fmt.Sprint("/tasks/", task), read, "", 403, "insufficient_scope"},
		{"PATCH", fmt.Sprint("/tasks/", task), read, `{}`, 403, "insufficient_scope"},
		{"DELETE", "/auth/sessions/x", read, "", 403, "insufficient_scope"},
		{"POST", "/auth/logout-all", read, "", 403, "insufficient_scope"},
	} {
		if a := s.call(row.method, row.path, row.token, row.body); a.status != row.status || a.str("code") != row.code {
			t.Errorf("%s %s: %d %s", row.method, row.path, a.status, a.text)
		}
	}
	s = start(t, func(p *parts) { p.users.Store = replacedUsers{p.users.Store} })
	ann = s.signUp("ann")
	for _, method := range []string{"PUT", "PATCH"} {
		if a := s.call(method, "/users/1", ann.access, `{"username":"x"}`); a.status != 409 || a.str("code") != "password_changed" {
			t.Errorf("%s: %d %s", method, a.status, a.text)
		}
	}
}

// TestAPageKeepsItsTokenInACookie: out of the reach of scripts, sent to /auth
// only, and counted for pages of this server only.
