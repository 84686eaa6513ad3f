package api_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"taskapi/app"
)

// Whatever one's own id is good for in a path, me is too, and for nobody else.
func TestMeIsOnesOwnID(t *testing.T) {
	for _, row := range []struct{ method, below, body string }{
		{"GET", "", ""}, {"GET", "/", ""}, {"GET", "/audit", ""}, {"GET", "/audit?page=1&per_page=5", ""}, {"GET", "/audit?page=0", ""}, {"GET", "?x=1", ""},
		{"HEAD", "", ""}, {"POST", "", "{}"}, {"OPTIONS", "", ""},
		{"PUT", "", `{"username":"n"}`}, {"PATCH", "", `{"username":"n"}`}, {"PUT", "", `{"username":""}`}, {"PATCH", "", `{"username":5}`}, {"PUT", "", `[]`}, {"PATCH", "", `x`},
		{"PATCH", "", `{"password":"another password","current_password":"` + testPassword + `"}`}, {"PUT", "", `{"password":"another password"}`},
		{"DELETE", "", `{"current_password":5}`}, {"DELETE", "", `[]`}, {"DELETE", "", ""},
	} {
		ask := askOwn(t)
		for _, who := range []string{"nobody", "ann", "admin", "token", "reader"} {
			me := ask(row.method, "me", row.below, who, row.body)
			if me.status < 400 && row.method != "GET" { // it has changed what is there
				ask = askOwn(t)
			}
			byID := ask(row.method, "OWN", row.below, who, row.body)
			if byID.status < 400 && row.method != "GET" {
				ask = askOwn(t)
			}
			if me.status != byID.status || me.header.Get("Allow") != byID.header.Get("Allow") || shape(me.text) != shape(byID.text) {
				t.Errorf("%s /users/me%s by %s: %d %s, by its id: %d %s", row.method, row.below, who, me.status, me.text, byID.status, byID.text)
			}
		}
	}
}

// askOwn starts a server and returns what asks it about somebody's own account.
func askOwn(t *testing.T) func(method, id, below, who, body string) answer {
	s := start(t)
	s.clock.freeze()
	admin, ann := s.admin(), s.signUp("ann")
	good, _ := s.apiToken(ann, app.ScopeAccount)
	reader, _ := s.apiToken(ann, app.ScopeTasksRead)
	tokens := map[string]string{"ann": ann.access, "admin": admin.access, "token": good, "reader": reader}
	own := map[string]int64{"ann": ann.id, "admin": admin.id, "token": ann.id, "reader": ann.id}
	return func(method, id, below, who, body string) answer {
		id = strings.Replace(id, "OWN", fmt.Sprint(max(own[who], 1)), 1)
		return s.call(method, "/users/"+id+below, tokens[who], body)
	}
}

// shape is a text without its times.
func shape(text string) string { return withoutID.ReplaceAllString(text, "") }

func TestMeIsWhoAsks(t *testing.T) {
	s := start(t)
	admin, ann := s.admin(), s.signUp("ann")
	raw, _ := s.apiToken(ann, app.ScopeAccount)
	for token, want := range map[string]person{admin.access: admin, ann.access: ann, raw: ann} {
		if a := s.call("GET", "/users/me", token, ""); a.status != 200 || a.id("id") != want.id || a.str("email") != want.email {
			t.Errorf("%d %s, want %+v", a.status, a.text, want)
		}
		if a := s.call("GET", "/users/me/audit", token, ""); a.status != 200 || !strings.Contains(a.text, fmt.Sprintf(`"user_id":%d`, want.id)) {
			t.Errorf("%d %s, want %+v", a.status, a.text, want)
		}
	}
	for _, path := range []string{"/users/ME", "/users/Me", "/users/me%20", "/users/me%2F", "/tasks/me", "/users/mee"} {
		if a := s.call("GET", path, ann.access, ""); a.status != 404 {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if status, text := s.spelled("GET", "/users/%6De", ann.access, ""); status != 200 {
		t.Errorf("spelled otherwise: %d %s", status, text)
	}
	if a := s.call("DELETE", "/users/me", admin.access, ""); a.status != 409 || a.str("code") != "last_admin" {
		t.Errorf("the only admin: %d %s", a.status, a.text)
	}
	if a := s.call("DELETE", "/users/me", ann.access, ""); a.status != 200 {
		t.Errorf("ann: %d %s", a.status, a.text)
	}
	if a := s.call("GET", "/users/", admin.access, ""); a.id("pagination.total") != 1 || a.at("users") == nil {
		t.Errorf("somebody else was deleted: %s", a.text)
	}
	s = start(t, func(p *parts) { p.users.Store = replacedUsers{p.users.Store} })
	ann = s.signUp("ann")
	for _, method := range []string{"PUT", "PATCH"} {
		if a := s.call(method, "/users/me", ann.access, `{"username":"x"}`); a.status != 409 || a.str("code") != "password_changed" {
			t.Errorf("%s: %d %s", method, a.status, a.text)
		}
	}
}

// Whoever gets tokens learns whose they are, in the words of the registration.
func TestTokensComeWithTheirUser(t *testing.T) {
	s := start(t)
	registered := s.call("POST", "/auth/register", "", fmt.Sprintf(
		`{"username":"ann","email":"ann@example.com","password":%q,"confirm_password":%q}`, testPassword, testPassword))
	want := registered.at("user")
	check := func(name string, a answer) {
		t.Helper()
		got := a.at("user")
		if a.status != 200 || got == nil || !reflect.DeepEqual(got, want) || strings.Contains(a.text, "argon2") {
			t.Errorf("%s: %d %s, want %v", name, a.status, a.text, want)
		}
	}
	login := s.call("POST", "/auth/login", "", signInAs("ann", false))
	check("login", login)
	withCookie := s.call("POST", "/auth/login", "", signInAs("ann", true))
	check("login with a cookie", withCookie)
	cookie, _, _ := strings.Cut(withCookie.header.Get("Set-Cookie"), ";")
	first := s.refresh(login.str("refresh_token"))
	check("refresh", first)
	check("the same refresh again", s.refresh(login.str("refresh_token")))
	check("refresh by cookie", s.with("POST", "/auth/refresh", `{}`, "Content-Type", "application/json", "Cookie", cookie))
	// It is the user of now.
	changed := s.call("PATCH", "/users/me", first.str("access_token"), `{"username":"anna"}`)
	want = changed.at("user")
	check("after a change", s.refresh(first.str("refresh_token")))
	s.clock.advance(time.Minute)
	check("a login after it", s.call("POST", "/auth/login", "", signInAs("ann", false)))
}

func signInAs(name string, cookie bool) string {
	body, err := json.Marshal(map[string]any{"email": name + "@example.com", "password": testPassword, "cookie": cookie})
	if err != nil {
		return err.Error()
	}
	return string(body)
}
