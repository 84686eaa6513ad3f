package cmd

import (
	"fmt"
	"strings"
	"testing"

	"taskapi/app/dev"
)

// reference opens the reference of the API, and waits until it has read the document.
func (x *tab) reference(url string) {
	x.t.Helper()
	x.MustNavigate(url + "/docs")
	x.wait(`document.querySelector("rapi-doc")?.shadowRoot?.textContent.includes("Trade a refresh token for the next one")`)
}

// try presses the button of GET /tasks in the reference, and returns what was answered.
func (x *tab) try() string {
	x.t.Helper()
	const part = `(() => {
		const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
		return all(document).find((e) => e.localName === "api-request" && e.path === "/tasks" && e.method === "get");
	})()`
	x.wait(part + `?.shadowRoot.querySelector("button[part~=btn-try]")`)
	x.MustEval(`() => { window.tried = ` + part + `; tried.responseMessage = ""; tried.shadowRoot.querySelector("button[part~=btn-try]").click(); }`)
	x.wait(`tried.responseMessage && tried.responseText !== "⌛"`)
	return x.MustEval(`() => tried.responseMessage + " " + tried.responseText`).String()
}

// says waits until the reference says as whom requests are made.
func (x *tab) says(text string) {
	x.t.Helper()
	x.wait(fmt.Sprintf(`document.querySelector("#who [role=status]").textContent.includes(%q)`, text))
}

// asked returns the paths below which the page has asked for something, other than what it is made of.
func (x *tab) asked() string {
	x.t.Helper()
	return x.MustEval(`() => performance.getEntriesByType("resource").map((e) => new URL(e.name).pathname).filter((path) => !path.startsWith("/static/")).join(" ")`).String()
}

// keepsNoToken fails if a token is in what the browser keeps, or in an address.
func (x *tab) keepsNoToken() {
	x.t.Helper()
	kept := x.MustEval(`() => JSON.stringify([location.href, performance.getEntries().map((e) => e.name), {...localStorage}, {...sessionStorage}, document.cookie])`).String()
	if strings.Contains(kept, "eyJ") {
		x.t.Errorf("a token is kept: %s", kept)
	}
}

// The reference makes requests as whoever is signed in on the page, and asks for nothing while
// nobody is.
func TestReferenceKnowsWhoIsSignedIn(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.reference(p.url)
	x.says("Nobody is signed in")
	if got := x.try(); !strings.Contains(got, "token_missing") {
		t.Error(got)
	}
	if got := x.asked(); got != "/openapi.json /tasks" {
		t.Errorf("without anybody it asked for %s", got)
	}

	x.MustNavigate(p.url)
	x.register()
	x.add("from the page")
	x.settled()
	x.reference(p.url)
	x.says("Requests are made as ann.")
	if got := x.try(); !strings.Contains(got, "from the page") {
		t.Error(got)
	}
	if got := x.asked(); got != "/openapi.json /auth/refresh /users/me /tasks" {
		t.Errorf("as ann it asked for %s", got)
	}
	x.keepsNoToken()

	x.MustNavigate(p.url)
	x.click("#menu button")
	x.wait(`document.querySelector("#signin")`)
	x.reference(p.url)
	x.says("Nobody is signed in")
	if got := x.asked(); got != "/openapi.json" {
		t.Errorf("after ann has left it asked for %s", got)
	}
}

// On a developer's server the reference makes requests as any of the seeded people, and renews a
// token that has run out. The session of the page stays what it is.
func TestReferenceOfADeveloper(t *testing.T) {
	b := browser(t)
	p := startDev(t, nil, "--users=12", "--tasks=60")
	x := open(t, b, p.url)
	x.door("signin")
	x.fill("#signin", "email", p.firstPerson())
	x.fill("#signin", "password", dev.Password)
	x.click("#signin button[type=submit]")
	x.wait(`document.querySelector("#new-task")`)
	_, answer := p.call("GET", "/dev/users", "", "")
	name := func(i int) string { return answer["users"].([]any)[i].(map[string]any)["username"].(string) }

	x.reference(p.url)
	x.says("Requests are made as " + name(0))
	x.wait(`document.querySelectorAll("#who button").length === 12`)
	first := x.try()
	x.shot("docs of a developer")
	for _, i := range []int{1, 11} {
		if i > 8 {
			x.click("#who summary")
		}
		x.click(fmt.Sprintf("#who %s button:nth-of-type(%d)", map[bool]string{false: "[role=group] >", true: "details >"}[i >= 8], i%8+1))
		x.says("Requests are made as " + name(i))
		if pressed := x.MustEval(`() => [...document.querySelectorAll("#who [aria-pressed=true]")].map((e) => e.textContent).join()`).String(); pressed != name(i) {
			t.Errorf("pressed is %s, not %s", pressed, name(i))
		}
		if got := x.try(); !strings.Contains(got, `"tasks"`) || got == first {
			t.Errorf("as %s: %.200s", name(i), got)
		}
	}
	x.keepsNoToken()

	p.call("POST", "/dev/clock", "", `{"advance":"PT1H"}`)
	if got := x.try(); !strings.Contains(got, "token_expired") {
		t.Error(got)
	}
	x.says("The token had run out and was renewed")
	if got := x.try(); !strings.Contains(got, `"tasks"`) {
		t.Errorf("after the renewal: %.200s", got)
	}

	// A session that has ended is not asked for again and again.
	x.MustReload()
	x.says("Requests are made as " + name(0))
	p.call("POST", "/dev/reset", "", "")
	if got := x.try(); !strings.Contains(got, `"code"`) {
		t.Error(got)
	}
	x.says("Nobody is signed in")
	if got := x.try(); !strings.Contains(got, "token_missing") {
		t.Error(got)
	}
	if n := strings.Count(x.asked(), "/auth/refresh"); n != 2 {
		t.Errorf("it asked %d times for a token", n)
	}
}
