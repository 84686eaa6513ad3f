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
				for _, path := range []string{script, "/sw.js", "/manifest.webmanifest", "/docs", "/guide", "/guide/errors", "/openapi.json", "/readyz", "/verify-email"} {
					if a := s.load("GET", path); a.status != 200 {
						t.Errorf("%s: %d", path, a.status)
					}
				}
				if a := s.load("GET", "/sw.js"); !strings.Contains(a.text, `const base = "`+base+`"`) {
					t.Error(a.text)
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
	ask := func(method, path, token, body string) (*http.Response, map[string]any) {
		request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		must(t, err)
		var answer map[string]any
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			t.Errorf("%s %s: %d, no JSON", method, path, response.StatusCode)
		}
		must(t, response.Body.Close())
		return response, answer
	}
	account := fmt.Sprintf(`{"username":"ann","email":"ann@example.com","password":%[1]q,"confirm_password":%[1]q}`, testPassword)
	if response, answer := ask("POST", "/auth/register", "", account); response.StatusCode != 201 {
		t.Fatal(answer)
	}
	response, answer := ask("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q,"cookie":true}`, testPassword))
	cookies := response.Cookies()
	if response.StatusCode != 200 || len(cookies) != 1 || cookies[0].Path != base+"/auth" || cookies[0].Name != "__Secure-taskapi_refresh" || !cookies[0].Secure {
		t.Fatal(response.StatusCode, cookies)
	}
	token := answer["access_token"].(string)
	if response, answer := ask("POST", "/tasks/", token, `{"title":"t"}`); response.StatusCode != 201 || response.Header.Get("Location") != base+"/tasks/1" {
		t.Errorf("%v %v", response.Header, answer)
	}
	response, answer = ask("GET", "/tasks/?per_page=1", token, "")
	if response.StatusCode != 200 || !strings.HasPrefix(response.Header.Get("Link"), "<"+base+"/tasks/?") {
		t.Errorf("%d %v %v", response.StatusCode, response.Header, answer)
	}
	for _, path := range []string{"/tasks/1", "/users/1", "/users/me", "/users/1/audit", "/auth/sessions"} {
		if response, answer := ask("GET", path, token, ""); response.StatusCode != 200 {
			t.Errorf("%s: %d %v", path, response.StatusCode, answer)
		}
	}
	if response, _ := ask("GET", "/none", token, ""); response.StatusCode != 404 {
		t.Errorf("nothing: %d", response.StatusCode)
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
