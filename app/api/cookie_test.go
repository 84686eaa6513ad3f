package api_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestAPageKeepsItsTokenInACookie(t *testing.T) {
	s := start(t)
	s.register("ann")
	a := s.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q,"cookie":true}`, testPassword))
	cookie := a.header.Get("Set-Cookie")
	if a.status != 200 || a.at("refresh_token") != nil || !s.alive(a.str("access_token")) {
		t.Fatalf("%d %s", a.status, a.text)
	}
	for _, part := range []string{"taskapi_refresh_" + s.url[strings.LastIndex(s.url, ":")+1:] + "=", "path=/auth;", "HttpOnly", "SameSite=Strict", "max-age=6047"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("no %s in %s", part, cookie)
		}
	}
	value, _, _ := strings.Cut(cookie, ";")
	ask := func(path, site string) answer {
		return s.with("POST", path, `{}`, "Content-Type", "application/json", "Cookie", value, "Sec-Fetch-Site", site)
	}
	for _, site := range []string{"cross-site", "same-site", "none"} {
		if a := ask("/auth/refresh", site); a.status != 400 {
			t.Errorf("from %s: %d %s", site, a.status, a.text)
		}
	}
	a = ask("/auth/refresh", "same-origin")
	if a.status != 200 || a.at("refresh_token") != nil || a.header.Get("Set-Cookie") == "" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	value, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";")
	access := a.str("access_token")
	a = ask("/auth/logout", "same-origin")
	if a.status != 200 || !strings.Contains(a.header.Get("Set-Cookie"), "=;") || s.alive(access) {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := s.call("POST", "/auth/login", "", `{"email":"a","password":"b","cookie":"yes"}`); a.status != 422 || a.str("errors.cookie") == "" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// cookieOf signs ann in with a cookie and returns it.
func (s *server) cookieOf(name string) (pair string, header string) {
	s.t.Helper()
	a := s.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"%s@example.com","password":%q,"cookie":true}`, name, testPassword))
	if a.status != 200 {
		s.t.Fatalf("%d %s", a.status, a.text)
	}
	header = a.header.Get("Set-Cookie")
	pair, _, _ = strings.Cut(header, ";")
	return pair, header
}

// Whoever can set a cookie for another port or name of the machine signs nobody
// in as somebody else.
func TestACookieOfAStranger(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("secure ", secure), func(t *testing.T) {
			s := start(t, func(p *parts) { p.api.SecureCookies = secure })
			s.register("ann")
			s.register("thief")
			own, header := s.cookieOf("ann")
			if secure && (!strings.HasPrefix(header, "__Host-") || !strings.Contains(header, "path=/;") || !strings.Contains(header, "secure")) {
				t.Errorf("%s", header)
			}
			bad, _ := s.cookieOf("thief")
			_, value, _ := strings.Cut(bad, "=")
			refresh := func(cookies ...string) answer {
				pairs := []string{"Content-Type", "application/json", "Sec-Fetch-Site", "same-origin", "Cookie", strings.Join(cookies, "; ")}
				return s.with("POST", "/auth/refresh", `{}`, pairs...)
			}
			for _, cookies := range [][]string{{bad, own}, {own, bad}} {
				if a := refresh(cookies...); a.status != 400 || a.str("code") != "ambiguous_cookie" {
					t.Errorf("two of one name: %d %s", a.status, a.text)
				}
			}
			for _, other := range []string{"taskapi_refresh=", "taskapi_refresh_1=", "__Host-taskapi_refresh_1="} {
				for _, cookies := range [][]string{{other + value, own}, {own, other + value}} {
					a := refresh(cookies...)
					if a.status != 200 {
						t.Fatalf("%s beside: %d %s", other, a.status, a.text)
					}
					if me := s.call("GET", "/users/", a.str("access_token"), ""); !strings.Contains(me.text, "ann@example.com") {
						t.Errorf("with %s beside: %s", other, me.text)
					}
					for _, set := range a.header.Values("Set-Cookie") {
						if pair, _, _ := strings.Cut(set, ";"); !strings.HasSuffix(pair, "=") {
							own = pair
						}
					}
				}
			}
		})
	}
}

// Who was signed in before the name changed stays signed in, under the new one.
func TestTheOldNameOfTheCookie(t *testing.T) {
	s := start(t)
	s.register("ann")
	pair, _ := s.cookieOf("ann")
	name, value, _ := strings.Cut(pair, "=")
	a := s.with("POST", "/auth/refresh", `{}`, "Content-Type", "application/json", "Cookie", "taskapi_refresh="+value)
	set := strings.Join(a.header.Values("Set-Cookie"), "\n")
	if a.status != 200 || !strings.Contains(set, name+"=") || !strings.Contains(set, "taskapi_refresh=;") {
		t.Errorf("%d %s\n%s", a.status, a.text, set)
	}
}
