package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"taskapi/app/account"
)

// raw is call for answers that may be a 5xx.
func (s *server) raw(method, path, body string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	must(s.t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	must(s.t, err)
	text, err := io.ReadAll(response.Body)
	must(s.t, err)
	must(s.t, response.Body.Close())
	return answer{status: response.StatusCode, header: response.Header, text: string(text)}
}

// brokenUsers is a store that fails in a way of its own.
type brokenUsers struct {
	account.UserStore
	fail func() error
}

func (b brokenUsers) UserByEmail(context.Context, string) (account.User, error) {
	return account.User{}, b.fail()
}

func TestFaultsOfOursTellNothingOfTheInside(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("the secret cause") },
		"a panic":  func() error { panic("the secret cause") },
	} {
		s := start(t, func(p *parts) { p.users.Store = brokenUsers{p.users.Store, fail} })
		a := s.raw("POST", "/auth/register", `{"username":"a","email":"a@example.com","password":"correct horse","confirm_password":"correct horse"}`)
		id := a.header.Get("X-Request-Id")
		if a.status != 500 || strings.Contains(a.text, "secret") || !strings.Contains(a.text, `"code":"internal_error"`) || !strings.Contains(a.text, id) {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
		if log := s.log.String(); !strings.Contains(log, "the secret cause") || strings.Count(log, id) != 2 || name == "a panic" && !strings.Contains(log, "faults_test.go") {
			t.Errorf("%s: the log: %s", name, log)
		}
		if a := s.raw("GET", "/", ""); a.status != 200 {
			t.Errorf("%s: the server is gone: %d", name, a.status)
		}
	}
}

func TestTheAccessLog(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.task(ann, "a private title")
	next := s.refresh(ann.refresh)
	s.call("GET", "/tasks/1?_=secret-query", ann.access, "")
	s.call("GET", "/no/such/secret-path", ann.access, "")
	s.logout(next.str("refresh_token"))
	log := s.log.String()
	for _, want := range []string{
		"method=POST route=/auth/register status=201", "method=POST route=/auth/login status=200", "method=GET route=/tasks/:id status=200",
		"method=GET route=- status=404", "user_id=1", "duration_ms=", "request_id=",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in the log:\n%s", want, log)
		}
	}
	for _, secret := range []string{testPassword, ann.access, ann.refresh, next.str("refresh_token"), "argon2", "private title", "secret-", "ann@example.com"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if lines := strings.Count(log, "msg=request "); lines != 7 {
		t.Errorf("%d lines for 7 requests:\n%s", lines, log)
	}
}
