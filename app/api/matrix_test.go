package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/api"
	"taskapi/app/outbox"
	"taskapi/app/token/tokentest"
)

// TestEveryRouteForEveryone is the matrix of every route × who asks. OWNER and
// TASK stand for the ids of the owner and of a task of theirs.
func TestEveryRouteForEveryone(t *testing.T) {
	const task, name = `{"title":"t"}`, `{"username":"n"}`
	account := `{"username":"n","email":"new@example.com","password":"` + testPassword + `","confirm_password":"` + testPassword + `"}`
	rows := []struct {
		method, path, body               string
		nobody, stranger, owner, anAdmin int
	}{
		{"GET", "/", "", 200, 200, 200, 200},
		{"GET", "/openapi.json", "", 200, 200, 200, 200},
		{"GET", "/healthz", "", 200, 200, 200, 200},
		{"GET", "/readyz", "", 200, 200, 200, 200},
		{"POST", "/auth/register", account, 201, 201, 201, 201},
		{"POST", "/auth/login", `{"email":"owner@example.com","password":"` + testPassword + `"}`, 200, 200, 200, 200},
		{"POST", "/auth/refresh", `{"refresh_token":"REFRESH"}`, 200, 200, 200, 200},
		{"POST", "/auth/logout", `{"refresh_token":"REFRESH"}`, 200, 200, 200, 200},
		{"POST", "/auth/password/forgot", `{"email":"owner@example.com"}`, 202, 202, 202, 202},
		{"POST", "/auth/password/reset", `{"token":"RESET","password":"another password","confirm_password":"another password"}`, 200, 200, 200, 200},
		{"POST", "/auth/email/verify", `{"token":"VERIFY"}`, 200, 200, 200, 200},
		{"POST", "/auth/email/resend", `{"email":"owner@example.com"}`, 202, 202, 202, 202},
		{"GET", "/auth/sessions", "", 401, 200, 200, 200},
		{"DELETE", "/auth/sessions/SESSION", "", 401, 404, 200, 404},
		{"POST", "/auth/logout-all", "", 401, 200, 200, 200},
		{"GET", "/auth/tokens", "", 401, 200, 200, 200},
		{"POST", "/auth/tokens", `{"name":"a","scopes":["account"]}`, 401, 201, 201, 201},
		{"DELETE", "/auth/tokens/TOKEN", "", 401, 404, 200, 404},
		{"GET", "/users/OWNER/audit", "", 401, 403, 200, 200},
		{"GET", "/users/", "", 401, 200, 200, 200},
		{"POST", "/users/", account, 201, 201, 201, 201},
		{"GET", "/users/OWNER", "", 401, 403, 200, 200},
		{"PUT", "/users/OWNER", name, 401, 403, 200, 200},
		{"PATCH", "/users/OWNER", name, 401, 403, 200, 200},
		{"DELETE", "/users/OWNER", "", 401, 403, 200, 200},
		{"GET", "/tasks/", "", 401, 200, 200, 200},
		{"POST", "/tasks/", `{"title":"t","user_id":OWNER}`, 401, 403, 201, 201},
		{"GET", "/tasks/TASK", "", 401, 404, 200, 200},
		{"PUT", "/tasks/TASK", task, 401, 404, 200, 200},
		{"PATCH", "/tasks/TASK", task, 401, 404, 200, 200},
		{"DELETE", "/tasks/TASK", "", 401, 404, 200, 200},
	}
	tested := map[string]bool{}
	for _, row := range rows {
		tested[row.method+" "+strings.NewReplacer("OWNER", ":id", "TASK", ":id", "SESSION", ":id", "TOKEN", ":id").Replace(row.path)] = true
		for who, want := range map[string]int{"nobody": row.nobody, "stranger": row.stranger, "owner": row.owner, "admin": row.anAdmin} {
			s := start(t)
			people := map[string]person{"admin": s.admin(), "owner": s.signUp("owner"), "stranger": s.signUp("stranger")}
			fill := s.placeholders(row.path+row.body, people["owner"])
			a := s.call(row.method, fill.Replace(row.path), people[who].access, fill.Replace(row.body))
			if a.status != want {
				t.Errorf("%s %s by %s: %d %s, want %d", row.method, row.path, who, a.status, a.text, want)
			}
			if a.status == 401 && (a.str("error") != "Token is missing!" || a.header.Get("WWW-Authenticate") != "Bearer") {
				t.Errorf("%s %s by %s: %s %v", row.method, row.path, who, a.text, a.header["Www-Authenticate"])
			}
		}
	}
	server, err := api.New(api.Config{})
	must(t, err)
	for _, route := range server.Routes() {
		if !tested[route[0]+" "+route[1]] && route[1] != "/openapi.yaml" { // no JSON: see contract_test.go
			t.Errorf("%s %s is not in the matrix", route[0], route[1])
		}
	}
}

// placeholders stand for what is the owner's.
func (s *server) placeholders(text string, owner person) *strings.Replacer {
	s.t.Helper()
	values := []string{"OWNER", fmt.Sprint(owner.id), "REFRESH", owner.refresh}
	for name, make := range map[string]func() string{
		"TASK":    func() string { return fmt.Sprint(s.task(owner, "t")) },
		"SESSION": func() string { return sessionOf(s.t, owner) },
		"TOKEN":   func() string { _, id := s.apiToken(owner, app.ScopeAccount); return fmt.Sprint(id) },
		"RESET":   func() string { return s.forgot(owner) },
		"VERIFY": func() string {
			s.call("POST", "/auth/email/resend", "", fmt.Sprintf(`{"email":%q}`, owner.email))
			return s.code(s.mail(outbox.MailVerify))
		},
	} {
		if strings.Contains(text, name) {
			values = append(values, name, make())
		}
	}
	return strings.NewReplacer(values...)
}

func TestForgedAccessTokens(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	if len(strings.Split(ann.access, ".")) != 3 {
		t.Fatal("no JWT")
	}
	forgeries := tokentest.Forgeries([]byte(testSecret), s.clock.Now(), ann.id, sessionOf(t, ann))
	if len(forgeries) < 25 {
		t.Fatalf("only %d forgeries", len(forgeries))
	}
	for _, f := range forgeries {
		want, code := "Invalid token!", "token_invalid"
		if f.Expired {
			want, code = "Token has expired!", "token_expired"
		}
		a := s.with("GET", "/tasks/", "", "Authorization", "Bearer "+f.Raw)
		missing := strings.TrimSpace(f.Raw) == ""
		if missing {
			want, code = "Token is missing!", "token_missing"
		}
		if a.status != 401 || a.str("error") != want || a.str("code") != code || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %d %s", f.Name, a.status, a.text)
		}
	}
	if a := s.call("GET", "/tasks/", ann.access, ""); a.status != 200 {
		t.Errorf("the genuine one: %d %s", a.status, a.text)
	}
}

func sessionOf(t testing.TB, p person) string {
	t.Helper()
	parts := strings.Split(p.access, ".")
	payload, err := decodeSegment(parts[1])
	must(t, err)
	id, ok := payload["sid"].(string)
	if !ok {
		t.Fatal(errors.New("no sid in the access token"))
	}
	return id
}

func TestTokensThatAreNotAccessTokens(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for name, header := range map[string]string{
		"none": "", "basic": "Basic YTpi", "no scheme": ann.access, "empty": "Bearer ", "another scheme": "Token " + ann.access,
	} {
		if a := s.with("GET", "/tasks/", "", "Authorization", header); a.status != 401 || a.str("code") != "token_missing" {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	if a := s.call("GET", "/tasks/", ann.refresh, ""); a.status != 401 || a.str("code") != "token_invalid" {
		t.Errorf("a refresh token as access token: %d %s", a.status, a.text)
	}
	if a := s.call("POST", "/auth/refresh", "", fmt.Sprintf(`{"refresh_token":%q}`, ann.access)); a.status != 401 || a.str("error") != "Invalid or expired refresh token." {
		t.Errorf("an access token as refresh token: %d %s", a.status, a.text)
	}
	s.clock.advance(15 * time.Minute)
	if a := s.call("GET", "/tasks/", ann.access, ""); a.status != 401 || a.str("error") != "Token has expired!" || a.str("code") != "token_expired" {
		t.Errorf("an expired one: %d %s", a.status, a.text)
	}
	ann = s.login("ann")
	if a := s.call("DELETE", fmt.Sprint("/users/", ann.id), ann.access, ""); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := s.call("GET", "/tasks/", ann.access, ""); a.status != 401 {
		t.Errorf("of a deleted user: %d %s", a.status, a.text)
	}
	// A token that is shown must be good, even where none is needed.
	if a := s.call("POST", "/users/", "rubbish", `{}`); a.status != http.StatusUnauthorized {
		t.Errorf("rubbish where none is needed: %d %s", a.status, a.text)
	}
}
