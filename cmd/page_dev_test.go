package cmd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"taskapi/app/dev"
)

// pageOfADeveloper does in a browser what a front end on a port of its own does.
const pageOfADeveloper = `async (api, email, password) => {
	const call = async (method, path, body, headers = {}) => {
		try {
			const r = await fetch(api + path, {method, credentials: "include", headers: {"Content-Type": "application/json", ...headers}, body: body && JSON.stringify(body)});
			return {status: r.status, fault: r.headers.get("X-Dev-Fault"), again: r.headers.get("Retry-After"), body: await r.json()};
		} catch (e) { return {status: e.name}; }
	};
	const said = [];
	const signIn = await call("POST", "/auth/login", {email, password, cookie: true});
	said.push(signIn.status, "refresh_token" in signIn.body ? "in the body" : "in the cookie");
	const refreshed = await call("POST", "/auth/refresh", {});
	said.push(refreshed.status);
	const bearer = {Authorization: "Bearer " + refreshed.body.access_token};
	const before = (await call("GET", "/tasks/", null, bearer)).body.pagination.total;
	const failed = await call("POST", "/tasks/", {title: "failed"}, {...bearer, "X-Dev-Status": "503"});
	said.push(failed.status, failed.fault, failed.again);
	const key = {...bearer, "Idempotency-Key": crypto.randomUUID()};
	said.push((await call("POST", "/tasks/", {title: "lost"}, {...key, "X-Dev-Drop": "after"})).status);
	said.push((await call("POST", "/tasks/", {title: "lost"}, key)).status);
	said.push((await call("GET", "/tasks/", null, bearer)).body.pagination.total - before);
	said.push((await call("POST", "/dev/reset")).status);
	said.push((await call("POST", "/auth/refresh", {})).status);
	return said.join(" ");
}`

// A front end on another port signs in, is refreshed by the cookie, reads why a request failed,
// repeats one whose answer was lost, and goes back to the seed.
func TestPageOfADeveloper(t *testing.T) {
	b := browser(t)
	p := startDev(t, nil)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>front end</title>")
	}))
	t.Cleanup(front.Close)
	x := open(t, b, strings.Replace(front.URL, "127.0.0.1", "localhost", 1))
	got := x.MustEval(pageOfADeveloper, p.url, p.firstPerson(), dev.Password).String()
	if want := "200 in the cookie 200 503 status 1 TypeError 201 1 200 401"; got != want {
		t.Errorf("got  %s\nwant %s\n%s", got, want, p.log.String())
	}
	if strings.Count(p.log.String(), "[drop after]") != 1 {
		t.Errorf("the browser has sent it again by itself:\n%s", p.log.String())
	}
}
