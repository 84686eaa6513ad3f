package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/api"
)

// withBody are the routes that take a body, as the admin sees them.
func withBody(userID, taskID int64) [][2]string {
	return [][2]string{
		{"POST", "/auth/register"}, {"POST", "/auth/login"}, {"POST", "/auth/refresh"}, {"POST", "/auth/logout"},
		{"POST", "/auth/password/forgot"}, {"POST", "/auth/password/reset"}, {"POST", "/auth/email/verify"}, {"POST", "/auth/email/resend"}, {"POST", "/auth/tokens"},
		{"POST", "/users/"}, {"PUT", fmt.Sprint("/users/", userID)}, {"PATCH", fmt.Sprint("/users/", userID)},
		{"POST", "/tasks/"}, {"PUT", fmt.Sprint("/tasks/", taskID)}, {"PATCH", fmt.Sprint("/tasks/", taskID)},
	}
}

func TestWhatIsNotAJSONObjectIsRefusedTheSameWay(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	task := s.task(ann, "t")
	bodies := map[string]string{
		"nothing": "", "null": "null", "a number": "5", "a list": "[]", "a text": `"x"`, "a bool": "true",
		"broken": `{"title": `, "unquoted": `{title: "x"}`, "a comma too many": `{"title": "x",}`, "two": `{} {}`, "trailing": `{} x`,
		"a name twice": `{"title": "x", "title": "y"}`, "a name twice inside": `{"a": {"b": 1, "b": 2}}`,
		"NaN": `{"title": NaN}`, "Infinity": `{"user_id": Infinity}`, "a leading zero": `{"user_id": 01}`,
		"a lone surrogate": `{"title": "\ud800"}`, "surrogates swapped": `{"title": "\udc00\ud800"}`,
		"a surrogate in bytes": "{\"title\": \"\xed\xa0\x80\"}", "no UTF-8": "{\"title\": \"\xff\"}", "a mark": "\xef\xbb\xbf{}",
		"a raw newline": "{\"title\": \"a\nb\"}", "deep lists": strings.Repeat("[", 3000),
		"deep objects": strings.Repeat(`{"a":`, 3000), "deep inside": `{"a":` + strings.Repeat("[", 3000) + strings.Repeat("]", 3000) + "}",
	}
	for _, route := range withBody(ann.id, task) {
		for name, body := range bodies {
			a := s.call(route[0], route[1], ann.access, body)
			if a.status != 400 || a.str("error") != "Request body must be JSON." || a.str("code") != "invalid_json" {
				t.Errorf("%s %s with %s: %d %s", route[0], route[1], name, a.status, a.text)
			}
		}
	}
}

func TestTheContentTypeMustBeJSON(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for contentType, want := range map[string]int{
		"application/json": 201, "application/json; charset=utf-8": 201, "APPLICATION/JSON": 201,
		"application/merge-patch+json": 201, "Application/Vnd.Example.V2+JSON; charset=utf-8": 201, "application/ld+json": 201,
		"": 400, "text/plain": 400, "application/x-www-form-urlencoded": 400, "application/xjson": 400, "application/+json": 400,
		"text/json": 400, "text/x+json": 400, "application/json+xml": 400, "application/": 400, "json": 400, "+json": 400,
		"multipart/form-data; boundary=x": 400, "application/json; =": 400,
	} {
		request, err := http.NewRequest("POST", s.url+"/tasks/", strings.NewReader(`{"title": "t"}`))
		must(t, err)
		request.Header.Set("Authorization", "Bearer "+ann.access)
		request.Header.Set("Content-Type", contentType)
		if a := s.do(request); a.status != want {
			t.Errorf("%q: %d %s", contentType, a.status, a.text)
		}
	}
}

// Every route that takes JSON takes it under its other names, and tells those
// that ask what a PATCH may be.
func TestMergePatchIsTakenEverywhere(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	task := s.task(ann, "t")
	for _, route := range withBody(ann.id, task) {
		asJSON := s.call(route[0], route[1], ann.access, `{"username":5,"title":5}`)
		for _, kind := range []string{"application/merge-patch+json", "application/vnd.api+json"} {
			a := s.with(route[0], route[1], `{"username":5,"title":5}`, "Content-Type", kind, "Authorization", "Bearer "+ann.access)
			if a.status != asJSON.status || a.str("code") == "invalid_json" || a.text != asJSON.text {
				t.Errorf("%s %s as %s: %d %s, as JSON: %d %s", route[0], route[1], kind, a.status, a.text, asJSON.status, asJSON.text)
			}
		}
	}
	bearer := "Bearer " + ann.access
	for path, body := range map[string]string{fmt.Sprint("/tasks/", task): `{"title":"new"}`, fmt.Sprint("/users/", ann.id): `{"username":"new"}`} {
		if a := s.with("PATCH", path, body, "Content-Type", "application/merge-patch+json", "Authorization", bearer); a.status != 200 || !strings.Contains(a.text, `"new"`) {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if a := s.with("POST", "/auth/logout-all", `{"keep_api_tokens":5}`, "Content-Type", "application/merge-patch+json", "Authorization", bearer); a.status != 422 {
		t.Errorf("a body that is optional was not read: %d %s", a.status, a.text)
	}
}

func TestAcceptPatchStandsWherePatchDoes(t *testing.T) {
	s := start(t)
	server, err := api.New(api.Config{})
	must(t, err)
	patched := map[string]bool{}
	for _, route := range server.Routes() {
		patched[route[1]] = patched[route[1]] || route[0] == "PATCH"
	}
	for path, patch := range patched {
		want := ""
		if patch {
			want = "application/merge-patch+json, application/json"
		}
		if got := s.call("OPTIONS", strings.ReplaceAll(path, ":id", "1"), "", "").header.Get("Accept-Patch"); got != want {
			t.Errorf("%s: Accept-Patch is %q", path, got)
		}
	}
}

// TestNoFieldMakesAServerError gives every field of every route every kind of
// value. That nothing is a 5xx or no JSON is checked by call itself.
func TestNoFieldMakesAServerError(t *testing.T) {
	s := start(t)
	admin := s.admin()
	ann := s.signUp("ann")
	task := s.task(ann, "t")
	values := []any{
		nil, true, 5, -1, 5.5, json.Number("1e300"), json.Number("99999999999999999999"), []any{}, []any{"a"}, map[string]any{}, map[string]any{"$ne": 1},
		"", "   ", "x", "\x00", "a\nb", "a\tb", "\u202e", "\u200b", "🎉", strings.Repeat("ä", 300), strings.Repeat("x", 20_000),
		"@", "a@", "a@b", "a@b@c", `"a b"@c.d`, "a@b.c\r\nBcc: d@e.f", "' OR 1=1 --", "<script>", "4", "true", "..", "%s%n",
	}
	fields := []string{"username", "email", "password", "confirm_password", "current_password", "title", "description", "completed", "user_id", "refresh_token"}
	for _, route := range withBody(ann.id, task) {
		for _, field := range fields {
			if mails := route[1] == "/auth/password/forgot" || route[1] == "/auth/email/resend"; mails && field != "email" {
				continue // they look up an account one after the other, and refuse who asks faster
			}
			for _, value := range values {
				in := map[string]any{"title": "t", "username": "u"}
				if strings.HasPrefix(route[1], "/auth") {
					in = map[string]any{"username": "u", "email": "u@example.com", "password": testPassword}
				}
				in[field] = value
				body, err := json.Marshal(in)
				must(t, err)
				if a := s.call(route[0], route[1], admin.access, string(body)); a.status == 0 {
					t.Fatalf("%s %s %s", route[0], route[1], body)
				}
			}
		}
	}
}

func TestFieldsAreCheckedAllAtOnce(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	long := strings.Repeat("ä", 101)
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/tasks/", `{}`, `{"title":"The field title is required."}`},
		{"POST", "/tasks/", `{"title":null}`, `{"title":"The field title is required."}`},
		{"POST", "/tasks/", `{"title":"  "}`, `{"title":"The field title is required."}`},
		{"POST", "/tasks/", "{\"title\":\"\u200b\"}", `{"title":"The field title is required."}`},
		{"POST", "/tasks/", `{"title":"` + long + `"}`, `{"title":"The field title must be at most 100 characters."}`},
		{"POST", "/tasks/", `{"title":"a\tb"}`, `{"title":"The field title contains invalid characters."}`},
		{"POST", "/tasks/", `{"title":5,"description":[],"completed":"true","user_id":"4"}`,
			`{"completed":"The field completed must be a boolean.","description":"The field description must be a string.",` +
				`"title":"The field title must be a string.","user_id":"The field user_id must be an integer."}`},
		{"POST", "/tasks/", `{"title":"t","description":"a\u0007"}`, `{"description":"The field description contains invalid characters."}`},
		{"POST", "/tasks/", `{"title":"t","user_id":4.0}`, `{"user_id":"The field user_id must be an integer."}`},
		{"PUT", "/tasks/1", `{"title":""}`, `{"title":"The field title is required."}`},
		{"POST", "/auth/login", `{}`, `{"email":"The field email is required.","password":"The field password is required."}`},
		{"POST", "/auth/register", `{}`, `{"confirm_password":"The field confirm_password is required.","email":"The field email is required.",` +
			`"password":"The field password is required.","username":"The field username is required."}`},
		// Whose the address is comes last: it is not told to who gets nothing else right.
		{"POST", "/auth/register", `{"username":"u","email":"ANN@example.com ","password":"short","confirm_password":"other"}`,
			`{"confirm_password":"Passwords do not match.","password":"Password must be at least 8 characters."}`},
		{"POST", "/auth/register", `{"username":"u","email":"ANN@example.com ","password":"a good password","confirm_password":"a good password"}`,
			`{"email":"The email is already registered."}`},
		{"POST", "/auth/register", `{"username":"u","email":"u@@u","password":5,"confirm_password":5}`,
			`{"confirm_password":"The field confirm_password must be a string.","email":"The field email must be a valid e-mail address.","password":"Password must be a string."}`},
	} {
		s.task(ann, "t")
		a := s.call(c.method, c.path, ann.access, c.body)
		got, err := json.Marshal(a.json["errors"])
		must(t, err)
		if a.status != 422 || a.str("code") != "validation_failed" || string(got) != c.want {
			t.Errorf("%s %s %s: %d %s, want %s", c.method, c.path, c.body, a.status, a.text, c.want)
		}
	}
}

func TestPasswordPolicy(t *testing.T) {
	s := start(t)
	for password, want := range map[string]string{
		strings.Repeat("ä", 7):         "Password must be at least 8 characters.",
		strings.Repeat("ä", 129):       "Password must be at most 128 characters.",
		"with\u0000null":               "Password contains invalid characters.",
		"PassWord123":                  "Password is one of the most common ones. Choose another.",
		"someone@EXAMPLE.com":          "Password must not be your username or e-mail address.",
		"some username":                "Password must not be your username or e-mail address.",
		strings.Repeat("ä ", 64):       "",
		"contraseña segura 日本語 🎉":      "",
		"' OR 1=1; DROP TABLE users--": "",
	} {
		body, err := json.Marshal(map[string]string{"username": "some username", "email": "someone@example.com", "password": password, "confirm_password": password})
		must(t, err)
		a := s.call("POST", "/auth/register", "", string(body))
		if want != "" && (a.status != 422 || a.str("errors.password") != want) || want == "" && a.status != 201 {
			t.Errorf("%q: %d %s", password, a.status, a.text)
		}
		if a.status == 201 {
			must(t, s.db.DeleteUser(t.Context(), app.Operator(), a.id("user.id"), account.PassShared, account.Record{}))
		}
	}
}

func TestUnknownFieldsHaveNoEffect(t *testing.T) {
	s := start(t)
	a := s.call("POST", "/auth/register", "", fmt.Sprintf(`{"username":"eve","email":"eve@example.com","password":%q,"confirm_password":%q,
		"id":77,"role":"admin","password_hash":"x","user_id":9,"is_admin":true,"Role":"admin"}`, testPassword, testPassword))
	if a.status != 201 || a.id("user.id") != 1 || a.str("user.role") != "user" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	eve := s.login("eve")
	a = s.call("PUT", "/users/1", eve.access, `{"role":"admin","id":5,"password_hash":"x"}`)
	if a.status != 200 || a.str("user.role") != "user" || a.id("user.id") != 1 {
		t.Errorf("%d %s", a.status, a.text)
	}
	a = s.call("POST", "/tasks/", eve.access, `{"title":"t","id":55,"date_created":"2000-01-01T00:00:00Z","Completed":true}`)
	if a.status != 201 || a.id("task.id") != 1 || a.at("task.completed") != false {
		t.Errorf("%d %s", a.status, a.text)
	}
}
