package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Below a path, everything works with it and, where a proxy strips it, without;
// also below paths that are named like addresses of ours.
func TestServedBelowAPath(t *testing.T) {
	for _, base := range []string{"/todo", "/home/to-do", "/tasks", "/users", "/auth", "/docs"} {
		for name, prefix := range map[string]string{"kept": base, "stripped": ""} {
			t.Run(base+" "+name, func(t *testing.T) {
				s := start(t, func(p *parts) { p.api.Base, p.api.SecureCookies = base, true })
				s.url += prefix
				page := s.load("GET", "/", "Accept", "text/html")
				if page.status != 200 || !strings.Contains(page.text, `<meta name="base" content="`+base+`">`) || strings.Contains(page.text, `"/static/`) || !strings.Contains(page.text, `href="`+base+`/manifest.webmanifest"`) {
					t.Fatalf("%d %.400s", page.status, page.text)
				}
				_, script, _ := strings.Cut(page.text, `<script type="module" src="`+base)
				script, _, _ = strings.Cut(script, `"`)
				for _, path := range []string{script, "/sw.js", "/manifest.webmanifest", "/docs", "/guide", "/guide/errors", "/openapi.json", "/client.ts", "/client.js", "/readyz", "/verify-email"} {
					if a := s.load("GET", path); a.status != 200 {
						t.Errorf("%s: %d", path, a.status)
					}
				}
				if a := s.load("GET", "/sw.js"); !strings.Contains(a.text, `const base = "`+base+`"`) {
					t.Error(a.text)
				}
				if a := s.load("GET", "/client.js"); !strings.Contains(a.text, `const served = "`+base+`";`) {
					t.Errorf("%.3000s", a.text)
				}
				var document struct{ Servers []struct{ URL string } }
				must(t, json.Unmarshal([]byte(s.load("GET", "/openapi.json").text), &document))
				if len(document.Servers) != 1 || document.Servers[0].URL != base+"/" {
					t.Errorf("%+v", document)
				}
				checkAPIBelow(t, s, base)
			})
		}
	}
}

func checkAPIBelow(t *testing.T, s *server, base string) {
	t.Helper()
	type got struct {
		status  int
		header  http.Header
		cookies []*http.Cookie
		json    map[string]any
	}
	ask := func(method, path, token, body string) (a got) {
		request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		must(t, err)
		if err := json.NewDecoder(response.Body).Decode(&a.json); err != nil {
			t.Errorf("%s %s: %d, no JSON", method, path, response.StatusCode)
		}
		must(t, response.Body.Close())
		a.status, a.header, a.cookies = response.StatusCode, response.Header, response.Cookies()
		return a
	}
	account := fmt.Sprintf(`{"username":"ann","email":"ann@example.com","password":%[1]q,"confirm_password":%[1]q}`, testPassword)
	if a := ask("POST", "/auth/register", "", account); a.status != 201 {
		t.Fatal(a)
	}
	login := ask("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q,"cookie":true}`, testPassword))
	if c := login.cookies; login.status != 200 || len(c) != 1 || c[0].Path != base+"/auth" || c[0].Name != "__Secure-taskapi_refresh" || !c[0].Secure {
		t.Fatal(login)
	}
	token := login.json["access_token"].(string)
	if a := ask("POST", "/tasks/", token, `{"title":"t"}`); a.status != 201 || a.header.Get("Location") != base+"/tasks/1" {
		t.Error(a)
	}
	if a := ask("GET", "/tasks/?per_page=1", token, ""); a.status != 200 || !strings.HasPrefix(a.header.Get("Link"), "<"+base+"/tasks/?") {
		t.Error(a)
	}
	for _, path := range []string{"/tasks/1", "/users/1", "/users/me", "/users/1/audit", "/auth/sessions", "/sync", "/lists/", "/labels/"} {
		if a := ask("GET", path, token, ""); a.status != 200 {
			t.Errorf("%s: %v", path, a)
		}
	}
	if a := ask("GET", "/none", token, ""); a.status != 404 {
		t.Error(a)
	}
}

// The path alone leads to the page below it, and its like are others'.
func TestTheEdgesOfAPath(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Base = "/todo" })
	if a := s.load("GET", "/todo?x=1"); a.status != 308 || a.header.Get("Location") != "/todo/?x=1" {
		t.Errorf("%d %v", a.status, a.header)
	}
	for _, path := range []string{"/todos/", "/todo2", "/todo/todo/", "//todo/"} {
		if a := s.load("GET", path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := s.load("GET", "/to%64o/healthz"); a.status != 200 {
		t.Errorf("with an escape: %d", a.status)
	}
}
