package cmd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-rod/rod"

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

// openFrontEnd opens an empty page that comes from a port of its own.
func openFrontEnd(t *testing.T, b *rod.Browser) *tab {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>front end</title>")
	}))
	t.Cleanup(front.Close)
	return open(t, b, strings.Replace(front.URL, "127.0.0.1", "localhost", 1))
}

// A front end on another port signs in, is refreshed by the cookie, reads why a request failed,
// repeats one whose answer was lost, and goes back to the seed.
func TestPageOfADeveloper(t *testing.T) {
	b := browser(t)
	p := startDev(t, nil)
	x := openFrontEnd(t, b)
	got := x.MustEval(pageOfADeveloper, p.url, p.firstPerson(), dev.Password).String()
	if want := "200 in the cookie 200 503 status 1 TypeError 201 1 200 401"; got != want {
		t.Errorf("got  %s\nwant %s\n%s", got, want, p.log.String())
	}
	if strings.Count(p.log.String(), "[drop after]") != 1 {
		t.Errorf("the browser has sent it again by itself:\n%s", p.log.String())
	}
}

// clientOfADeveloper does with the client that the server gives what a front end on a port of its own
// does. It is run twice in one window: the second time after a reload.
const clientOfADeveloper = `async (url, email, password, reloaded) => {
	const {Taskapi} = await import(url + "/client.js");
	const said = [], sent = [];
	const fetch = (input, init) => { sent.push(new URL(input).pathname); return globalThis.fetch(input, init); };
	const refreshes = () => sent.filter((path) => path === "/auth/refresh").length;
	const api = new Taskapi(url, {fetch, onSignedOut: (error) => said.push("out " + error?.code)});
	said.push(api.signedIn);
	if (!reloaded) {
		await api.signIn(email, password);
		said.push(Object.values(localStorage).join().includes('"refresh"') ? "kept by the page" : "kept in the cookie");
		await api.setDevClock({advance: "PT1H"});
	}
	await Promise.all(Array.from({length: 20}, () => api.listTasks()));
	said.push(refreshes());
	const other = new Taskapi(url, {fetch}); // as another tab has one
	const copy = other.follow();
	await copy.ready;
	await api.createDevFault({route: "POST /tasks", drop: "after", times: 1});
	const live = (await api.createTask({title: "live"})).task.id;
	for (const end = Date.now() + 10000; !copy.tasks.has(live) && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 20));
	said.push(copy.tasks.get(live)?.title);
	copy.stop();
	if (reloaded) {
		await api.signOut();
		said.push(await other.listTasks().then(() => "still in", (error) => error.code), other.signedIn, new Taskapi(url).signedIn);
	}
	return said.join(" ");
}`

// The client of a front end on another port keeps its session in the cookie, through a reload, and
// follows what happens.
func TestPageClientOfADeveloper(t *testing.T) {
	b := browser(t)
	p := startDev(t, nil)
	x := openFrontEnd(t, b)
	for i, want := range []string{
		"false kept in the cookie 1 live",
		"true 1 live out undefined token_missing false false",
	} {
		if got := x.MustEval(clientOfADeveloper, p.url, p.firstPerson(), dev.Password, i == 1).String(); got != want {
			t.Errorf("got  %s\nwant %s\n%s", got, want, p.log.String())
		}
		x.MustReload().MustWaitLoad()
	}
}
