package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/api"
	"taskapi/app/outbox"
	"taskapi/app/token/tokentest"
)

// matrix is every route × who asks. OWNER, TASK and the like stand for what is the owner's;
// LIST is a list that the viewer and the editor share.
func matrix() []matrixRow {
	const task, name = `{"title":"t"}`, `{"username":"n"}`
	account := `{"username":"n","email":"new@example.com","password":"` + testPassword + `","confirm_password":"` + testPassword + `"}`
	same := func(status int) everybody { return everybody{status, status, status, status, status, status, status} }
	// own is for what is the owner's alone.
	own := func(others, owner, anAdmin int) everybody {
		return everybody{401, others, others, others, others, owner, anAdmin}
	}
	// shared is for what is in a list.
	shared := func(viewer, editor, owner, anAdmin int) everybody {
		return everybody{401, 404, 404, viewer, editor, owner, anAdmin}
	}
	member := own(200, 200, 200)
	return []matrixRow{
		{"GET", "/", "", same(200)},
		{"GET", "/openapi.json", "", same(200)},
		{"GET", "/healthz", "", same(200)},
		{"GET", "/readyz", "", same(200)},
		{"POST", "/auth/register", account, same(201)},
		{"POST", "/auth/login", `{"email":"owner@example.com","password":"` + testPassword + `"}`, same(200)},
		{"POST", "/auth/refresh", `{"refresh_token":"REFRESH"}`, same(200)},
		{"POST", "/auth/logout", `{"refresh_token":"REFRESH"}`, same(200)},
		{"POST", "/auth/password/forgot", `{"email":"owner@example.com"}`, same(202)},
		{"POST", "/auth/password/reset", `{"token":"RESET","password":"another password","confirm_password":"another password"}`, same(200)},
		{"POST", "/auth/email/verify", `{"token":"VERIFY"}`, same(200)},
		{"POST", "/auth/email/resend", `{"email":"owner@example.com"}`, same(202)},
		{"GET", "/auth/sessions", "", member},
		{"DELETE", "/auth/sessions/SESSION", "", own(404, 200, 404)},
		{"POST", "/auth/logout-all", "", member},
		{"GET", "/auth/tokens", "", member},
		{"POST", "/auth/tokens", `{"name":"a","scopes":["account"]}`, own(201, 201, 201)},
		{"DELETE", "/auth/tokens/TOKEN", "", own(404, 200, 404)},
		{"GET", "/push/key", "", member},
		{"GET", "/push/subscriptions", "", member},
		{"POST", "/push/subscriptions", aBrowser("https://push.example.com/new"), own(201, 201, 201)},
		{"DELETE", "/push/subscriptions/BROWSER", "", own(404, 200, 404)},
		{"GET", "/users/OWNER/audit", "", own(403, 200, 200)},
		{"GET", "/users/", "", member},
		{"POST", "/users/", account, same(201)},
		{"GET", "/users/OWNER", "", own(403, 200, 200)},
		{"PUT", "/users/OWNER", name, own(403, 200, 200)},
		{"PATCH", "/users/OWNER", name, own(403, 200, 200)},
		{"DELETE", "/users/OWNER", "", own(403, 200, 200)},
		{"GET", "/tasks/", "", member},
		{"GET", "/tasks/counts", "", member},
		{"POST", "/tasks/", `{"title":"t","user_id":OWNER}`, own(403, 201, 201)},
		{"GET", "/tasks/TASK", "", own(404, 200, 200)},
		{"PUT", "/tasks/TASK", task, own(404, 200, 200)},
		{"PATCH", "/tasks/TASK", task, own(404, 200, 200)},
		{"POST", "/tasks/TASK/move", "", own(404, 200, 200)},
		{"DELETE", "/tasks/TASK", "", own(404, 200, 200)},
		{"POST", "/tasks/TRASHED/restore", "", own(404, 200, 200)},
		{"POST", "/tasks/", `{"title":"t","list_id":LIST}`, shared(403, 201, 201, 404)},
		{"GET", "/tasks/?list_id=LIST", "", shared(200, 200, 200, 404)},
		{"GET", "/tasks/SHARED", "", shared(200, 200, 200, 200)},
		{"PUT", "/tasks/SHARED", task, shared(403, 200, 200, 200)},
		{"PATCH", "/tasks/SHARED", task, shared(403, 200, 200, 200)},
		{"PATCH", "/tasks/SHARED", `{"reminders":[]}`, shared(200, 200, 200, 200)},
		{"POST", "/tasks/SHARED/move", "", shared(403, 200, 200, 200)},
		{"DELETE", "/tasks/SHARED", "", shared(403, 200, 200, 200)},
		{"DELETE", "/trash", "", member},
		{"GET", "/sync", "", member},
		{"GET", "/events", "", member},
		{"POST", "/events/tickets", "", own(201, 201, 201)},
		{"POST", "/batch", `{"requests":[{"method":"POST","path":"/tasks/","body":{"title":"t"}}]}`, member},
		{"POST", "/batch", `{"requests":[{"method":"PATCH","path":"/tasks/SHARED","body":{"title":"t"}}]}`, everybody{401, 409, 409, 409, 200, 200, 200}},
		{"POST", "/undo", `{"change":CHANGE}`, own(404, 200, 404)},
		{"POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, member},
		{"GET", "/labels/", "", member},
		{"PATCH", "/labels/home", `{"name":"house"}`, shared(404, 200, 200, 404)},
		{"DELETE", "/labels/home", "", shared(404, 200, 200, 404)},
		{"GET", "/feeds/", "", member},
		{"POST", "/feeds/", `{"as":"both"}`, own(201, 201, 201)},
		{"POST", "/feeds/", `{"as":"todo","list_id":LIST}`, shared(201, 201, 201, 404)},
		{"DELETE", "/feeds/FEED", "", own(404, 200, 404)},
		{"GET", "/feeds/SECRET.ics", "", same(200)},
		{"GET", "/webhooks/", "", member},
		{"POST", "/webhooks/", `{"url":"https://192.0.2.1/","events":["task.created"]}`, own(422, 422, 422)},
		{"POST", "/webhooks/", `{"url":"http://127.0.0.1:9/","events":["task.created"]}`, own(201, 201, 201)},
		{"POST", "/webhooks/", `{"url":"http://127.0.0.1:9/","events":["task.created"],"list_id":LIST}`, shared(201, 201, 201, 404)},
		{"GET", "/webhooks/HOOK", "", own(404, 200, 404)},
		{"PATCH", "/webhooks/HOOK", `{"events":["task.created"]}`, own(404, 200, 404)},
		{"DELETE", "/webhooks/HOOK", "", own(404, 200, 404)},
		{"POST", "/webhooks/HOOK/rotate", "", own(404, 200, 404)},
		{"POST", "/webhooks/HOOK/resume", `{"from":"now"}`, own(404, 200, 404)},
		{"POST", "/webhooks/HOOK/test", "", own(404, 200, 404)},
		{"GET", "/webhooks/HOOK/deliveries", "", own(404, 200, 404)},
		{"POST", "/webhooks/HOOK/deliveries/EVENT/redeliver", "", own(404, 200, 404)},
		{"GET", "/lists/", "", member},
		{"POST", "/lists/", `{"name":"n"}`, own(201, 201, 201)},
		{"GET", "/lists/LIST", "", shared(200, 200, 200, 404)},
		{"PUT", "/lists/LIST", `{"name":"n"}`, shared(403, 403, 200, 404)},
		{"PATCH", "/lists/LIST", `{"name":"n"}`, shared(403, 403, 200, 404)},
		{"PATCH", "/lists/LIST", `{"archived":true}`, shared(200, 200, 200, 404)},
		{"POST", "/lists/LIST/move", "", shared(200, 200, 200, 404)},
		{"DELETE", "/lists/LIST", "", shared(403, 403, 200, 404)},
		{"POST", "/lists/GONE/restore", "", shared(404, 404, 200, 404)},
		{"GET", "/lists/LIST/members", "", shared(200, 200, 200, 404)},
		{"PATCH", "/lists/LIST/members/EDITOR", `{"role":"viewer"}`, shared(403, 403, 200, 404)},
		{"DELETE", "/lists/LIST/members/VIEWER", "", shared(200, 403, 200, 404)},
		{"GET", "/lists/LIST/invitations", "", shared(403, 403, 200, 404)},
		{"POST", "/lists/LIST/invitations", `{"role":"viewer"}`, shared(403, 403, 201, 404)},
		{"DELETE", "/lists/LIST/invitations/INVITATION", "", shared(403, 403, 200, 404)},
		{"GET", "/invitations/OFFER", "", member},
		{"POST", "/invitations/accept", `{"token":"OFFER"}`, member},
	}
}

type matrixRow struct {
	method, path, body string
	want               everybody
}

// everybody is the status that each gets.
type everybody struct{ nobody, stranger, former, viewer, editor, owner, admin int }

func (e everybody) byName() map[string]int {
	return map[string]int{"nobody": e.nobody, "stranger": e.stranger, "former": e.former, "viewer": e.viewer, "editor": e.editor, "owner": e.owner, "admin": e.admin}
}

// TestEveryRouteForEveryone asks each route as everybody. Those who only read or
// are refused ask one server, since that must change nothing: whoever changes
// something has a server of their own.
func TestEveryRouteForEveryone(t *testing.T) {
	tested := map[string]bool{}
	for _, row := range matrix() {
		path, _, _ := strings.Cut(row.path, "?")
		tested[row.method+" "+patternOf.Replace(path)] = true
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			ask := newAsker(t, row)
			for who, want := range row.want.byName() {
				if want >= 400 || row.method == "GET" {
					ask(who, want)
				}
			}
			for who, want := range row.want.byName() {
				if want < 400 && row.method != "GET" {
					newAsker(t, row)(who, want)
				}
			}
		})
	}
	server, err := api.New(api.Config{})
	must(t, err)
	for _, route := range server.Routes() {
		if !tested[route[0]+" "+route[1]] && !slices.Contains([]string{"/openapi.yaml", "/client.ts", "/client.js"}, route[1]) { // no JSON: see contract_test.go and client_test.go
			t.Errorf("%s %s is not in the matrix", route[0], route[1])
		}
	}
}

// newAsker starts a server for a row of the matrix. What it returns asks as
// somebody and compares the status.
func newAsker(t *testing.T, row matrixRow) func(who string, want int) {
	s := start(t)
	people := s.everybody(row.path + row.body)
	fill := s.placeholders(row.path+row.body, people)
	return func(who string, want int) {
		a := s.call(row.method, fill.Replace(row.path), people[who].access, fill.Replace(row.body))
		if a.status != want {
			t.Errorf("%s %s %s by %s: %d %s, want %d", row.method, row.path, row.body, who, a.status, a.text, want)
		}
		if a.status == 401 && (a.str("error") != "Token is missing!" || a.header.Get("WWW-Authenticate") != "Bearer") {
			t.Errorf("%s %s by %s: %s %v", row.method, row.path, who, a.text, a.header["Www-Authenticate"])
		}
	}
}

// patternOf turns a path of the matrix into that of a route.
var patternOf = strings.NewReplacer("members/EDITOR", "members/:user_id", "members/VIEWER", "members/:user_id", "INVITATION", ":invitation_id", "OFFER", ":token", "labels/home", "labels/:name", "HOOK", ":id", "EVENT", ":seq", "FEED", ":id", "SECRET", ":secret",
	"OWNER", ":id", "TASK", ":id", "SHARED", ":id", "TRASHED", ":id", "SESSION", ":id", "BROWSER", ":id", "TOKEN", ":id", "LIST", ":id", "GONE", ":id")

// everybody signs up those who ask, and those in the list where one is asked for.
func (s *server) everybody(text string) map[string]person {
	people := map[string]person{"admin": s.admin(), "owner": s.signUp("owner"), "stranger": s.signUp("stranger")}
	for _, name := range []string{"former", "viewer", "editor"} {
		if needsList(text) {
			people[name] = s.signUp(name)
		} else {
			people[name] = people["stranger"]
		}
	}
	return people
}

// needsList reports whether a row of the matrix is about a list that is shared.
func needsList(text string) bool {
	for _, name := range []string{"LIST", "SHARED", "GONE", "labels/home", "INVITATION", "OFFER"} {
		if strings.Contains(text, name) {
			return true
		}
	}
	return false
}

// share makes a list of the owner's with a viewer and an editor in it, which somebody has
// left.
func (s *server) share(people map[string]person) int64 {
	s.t.Helper()
	owner := people["owner"]
	a := s.call("POST", "/lists/", owner.access, `{"name":"shared"}`)
	list := a.id("list.id")
	for name, role := range map[string]string{"viewer": "viewer", "editor": "editor", "former": "editor"} {
		s.join(list, owner, people[name], role)
	}
	path := fmt.Sprintf("/lists/%d/members/%d", list, people["former"].id)
	if a := s.call("DELETE", path, people["former"].access, ""); a.status != 200 {
		s.t.Fatalf("leaving: %d %s", a.status, a.text)
	}
	return list
}

// join makes somebody a member of a list by an invitation.
func (s *server) join(list int64, owner, guest person, role string) {
	s.t.Helper()
	token := s.invite(list, owner, role)
	if a := s.call("POST", "/invitations/accept", guest.access, fmt.Sprintf(`{"token":%q}`, token)); a.status != 200 {
		s.t.Fatalf("accept: %d %s", a.status, a.text)
	}
}

// invite returns what stands in the link of a new invitation.
func (s *server) invite(list int64, owner person, role string) string {
	s.t.Helper()
	a := s.call("POST", fmt.Sprintf("/lists/%d/invitations", list), owner.access, fmt.Sprintf(`{"role":%q}`, role))
	_, token, found := strings.Cut(a.str("invitation.url"), "#")
	if a.status != 201 || !found {
		s.t.Fatalf("invite: %d %s", a.status, a.text)
	}
	return token
}

// placeholders stand for what is the owner's.
func (s *server) placeholders(text string, people map[string]person) *strings.Replacer {
	s.t.Helper()
	owner := people["owner"]
	values := []string{"OWNER", fmt.Sprint(owner.id), "REFRESH", owner.refresh, "EDITOR", fmt.Sprint(people["editor"].id), "VIEWER", fmt.Sprint(people["viewer"].id)}
	var list int64
	if needsList(text) {
		list = s.share(people)
		values = append(values, "LIST", fmt.Sprint(list))
		if strings.Contains(text, "labels/home") {
			s.call("POST", "/tasks/", owner.access, fmt.Sprintf(`{"title":"t","list_id":%d,"labels":["home"]}`, list))
		}
	}
	for name, make := range map[string]func() string{
		"TASK": func() string { return fmt.Sprint(s.task(owner, "t")) },
		"CHANGE": func() string {
			return s.call("PATCH", fmt.Sprint("/tasks/", s.task(owner, "t")), owner.access, `{"title":"other"}`).header.Get("Change")
		},
		"TRASHED": func() string {
			id := s.task(owner, "t")
			s.call("DELETE", fmt.Sprint("/tasks/", id), owner.access, "")
			return fmt.Sprint(id)
		},
		"SHARED": func() string {
			return fmt.Sprint(s.call("POST", "/tasks/", owner.access, fmt.Sprintf(`{"title":"t","list_id":%d}`, list)).id("task.id"))
		},
		"GONE": func() string {
			s.call("DELETE", fmt.Sprint("/lists/", list), owner.access, "")
			return fmt.Sprint(list)
		},
		"OFFER": func() string { return s.invite(list, owner, "viewer") },
		"INVITATION": func() string {
			return fmt.Sprint(s.call("POST", fmt.Sprintf("/lists/%d/invitations", list), owner.access, `{"role":"viewer"}`).id("invitation.id"))
		},
		"HOOK": func() string {
			return fmt.Sprint(s.call("POST", "/webhooks/", owner.access, `{"url":"http://127.0.0.1:9/","events":["task.created"]}`).id("webhook.id"))
		},
		"FEED":   func() string { return fmt.Sprint(s.feed(owner, `{"as":"todo"}`).id("feed.id")) },
		"SECRET": func() string { return secretOf(s.feed(owner, `{"as":"todo"}`)) },
		"EVENT": func() string {
			return fmt.Sprint(s.call("GET", fmt.Sprint("/tasks/", s.task(owner, "t")), owner.access, "").id("version"))
		},
		"BROWSER": func() string { return fmt.Sprint(s.subscribe(owner, "https://push.example.com/1")) },
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
