package cmd

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
)

func TestPageSearch(t *testing.T) {
	_, x := registered(t)
	x.press(input.Enter)
	x.wait(`document.querySelector("#new-problem").textContent === "A title is needed."`)
	for _, title := range []string{"alpha", "beta", "beta done"} {
		x.add(title)
	}
	x.settled()
	x.click("#list .tick")
	x.wait(`document.querySelector(".fold:not([hidden]) summary")?.textContent === "Done (1)"`)
	x.press(input.Escape)
	x.press('/')
	x.wait(`document.activeElement.id === "search"`)
	x.enter("#search", "beta")
	x.wait(`[...document.querySelectorAll(".words")].filter((e) => e.checkVisibility()).map((e) => e.textContent).join() === "beta,beta done"`)
	x.wait(`document.querySelector("#announcer").textContent === "2 tasks match."`)
	x.press(input.Escape)
	x.wait(`document.querySelector("#search").value === "" && document.querySelectorAll("#list .task").length === 2`)
	x.enter("#search", "beta")
	x.wait(`document.querySelectorAll("#list .task").length === 1`)
	x.goTo("inbox")
	x.add("gamma")
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	for n := 3; n > 0; n-- {
		x.click("#list .tick:not(:checked)")
		x.wait(fmt.Sprintf(`document.querySelectorAll("#list .task").length === %d`, n-1))
	}
	x.wait(`document.querySelector(".note").textContent === "All done."`)
	x.shot("all done")
	x.click(".fold summary")
	x.wait(`document.querySelectorAll(".fold .task").length === 4`)
}

// A deletion that waits for a change of mind is sent when the page is left, or
// its person signs out.
func TestPageDeletesWhenLeft(t *testing.T) {
	p, x := registered(t)
	for _, title := range []string{"one", "two", "three"} {
		x.add(title)
	}
	x.settled()
	token := p.login()
	x.click("#list .remove")
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	x.MustNavigate("about:blank")
	until(t, "a deletion of a page that is left", func() bool { return p.tasks(token) == 2 })
	x.MustNavigate(p.url).MustWaitLoad()
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	x.click("#list .remove")
	x.wait(`document.querySelectorAll("#list .task").length === 1`)
	x.click("#menu button")
	x.wait(`document.querySelector("#signin")`)
	if n := p.tasks(token); n != 1 {
		t.Errorf("%d tasks after the sign-out, want 1", n)
	}
}

// Who signs out without the server is told, and the session ends when it is
// back.
func TestPageSignsOutWithoutTheServer(t *testing.T) {
	p, x := registered(t)
	x.add("one")
	x.settled()
	p.stop(os.Interrupt)
	x.add("not sent")
	x.wait(`document.querySelector("#status:not([hidden])")`)
	x.click("#menu button")
	x.wait(`document.querySelector("dialog[open]")?.textContent.includes("1 change has not reached the server")`)
	x.shot("unsent")
	x.click("dialog[open] .quiet")
	x.wait(`document.querySelector("[role=status]")?.textContent.startsWith("You are signed out on this device.")`)
	until(t, "the list is not kept", func() bool { return x.copies() == "" })
	startAt(t, strings.TrimPrefix(p.url, "http://"))
	x.wait(`document.querySelector("[role=status]")?.textContent === "The session has ended on the server too."`)
	_, answer := p.call("GET", "/auth/sessions", p.login(), "")
	if sessions := answer["sessions"].([]any); len(sessions) != 1 {
		t.Errorf("%d sessions, want the test's own", len(sessions))
	}
	x.MustReload()
	x.signIn("ann")
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	x.settled()
}

// What is typed into an edit outlives the task, the fold and a reload.
func TestPageKeepsAnEdit(t *testing.T) {
	p, x := registered(t)
	x.add("to be deleted")
	x.add("to be done")
	x.settled()
	x.click("#list .task:last-child .title")
	x.fill(".edit", "title", "typed for long")
	if status, answer := p.call("DELETE", "/tasks/1", p.login(), ""); status != 200 {
		t.Fatal(status, answer)
	}
	x.MustEval(`() => dispatchEvent(new Event("online"))`)
	x.wait(`document.querySelector("#edit-problem")?.textContent === "This task was deleted elsewhere."`)
	x.shot("edit of a deleted task")
	x.MustReload()
	x.wait(`document.querySelector("#edit-problem")?.textContent === "This task was deleted elsewhere."`)
	x.click(".edit button[type=submit]")
	x.wait(`[...document.querySelectorAll("#list .words")].map((e) => e.textContent).join() === "typed for long,to be done"`)
	x.settled()
	x.click("#list .task:last-child .tick")
	x.wait(`document.querySelector(".fold:not([hidden]) summary")?.textContent === "Done (1)"`)
	x.click("summary")
	x.click(".fold .title")
	x.fill(".edit", "title", "typed into a done one")
	x.MustReload()
	x.wait(`document.querySelector(".edit [name=title]")?.value === "typed into a done one" && document.querySelector(".edit").checkVisibility()`)
	x.fill(".edit", "title", "")
	x.press(input.Enter)
	x.wait(`document.querySelector("#edit-problem")?.textContent === "A title is needed."`)
	x.fill(".edit", "title", "saved by a click beside it")
	x.click("h1")
	x.wait(`!document.querySelector(".edit")`)
	x.add("another")
	x.click("#list .title")
	x.fill(".edit", "title", "saved by opening the next")
	x.click("#list .task:last-child .title")
	x.wait(`document.querySelector("#list .words")?.textContent === "saved by opening the next" && document.querySelector(".edit [name=title]")?.value === "typed for long"`)
	x.press(input.Escape)
	x.click("summary")
	x.wait(`document.querySelector(".fold .words")?.textContent === "saved by a click beside it"`)
	x.settled()
}

// A server that fails is quoted, one that asks to wait is waited for.
func TestPageWhenTheListFails(t *testing.T) {
	p, x := registered(t)
	x.add("one")
	x.settled()
	status := 500
	stop := x.answer("*/sync*", http.MethodGet, func(h *rod.Hijack) {
		h.Response.Payload().ResponseCode = status
		h.Response.SetHeader("Content-Type", "application/json", "Retry-After", "30")
		h.Response.SetBody(map[int]string{
			500: `{"error":"Something went wrong.","code":"internal_error","request_id":"abc123"}`,
			429: `{"error":"Too many requests.","code":"too_many_requests"}`,
		}[status])
	})
	x.MustReload()
	x.wait(`document.querySelector("#status:not([hidden])")?.textContent.includes("(request abc123)")`)
	x.shot("the server fails")
	status = 429
	x.wait(`/goes on in 2\d seconds/.test(document.querySelector("#status:not([hidden])")?.textContent)`)
	stop()
	x.MustReload()
	x.wait(`document.querySelector("#status").hidden && document.querySelectorAll("#list .task").length === 1`)
	if status, answer := p.call("POST", "/tasks/", p.login(), `{"title":"from the phone"}`); status != 201 {
		t.Fatal(status, answer)
	}
	x.MustEval(`() => dispatchEvent(new Event("online"))`)
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	p.stop(os.Interrupt)
	x.MustEval(`() => dispatchEvent(new Event("offline"))`)
	x.wait(`document.querySelector("#status:not([hidden])")`)
	x.click(`#menu a[href="#account"]`)
	x.wait(`document.querySelector("main [role=alert]")?.textContent.startsWith("The server is not answering")`)
	startAt(t, strings.TrimPrefix(p.url, "http://"))
	x.wait(`document.querySelector("#profile")`)
}

func TestPageFocusAndUndo(t *testing.T) {
	_, x := registered(t)
	long := strings.Repeat("w", 100)
	for _, title := range []string{long, "two", "three", "four"} {
		x.add(title)
	}
	x.settled()
	x.press(input.Escape)
	x.press('x')
	x.press('j')
	x.press('x')
	x.wait(`document.querySelector("summary")?.textContent === "Done (2)"`)
	if got := x.focus(); got != "two" {
		t.Errorf("after x j x: %q", got)
	}
	x.press('#')
	x.wait(`document.querySelectorAll("#list .task").length === 1`)
	for range 3 {
		x.press('u')
	}
	x.wait(`document.querySelectorAll("#list .task").length === 4`)
	x.press('k')
	x.press('j')
	x.press('j')
	x.press('j')
	x.press('#')
	x.wait(`document.querySelector("#undo:not([hidden])")`)
	x.MustSetViewport(320, 700, 1, true)
	if tall := x.MustEval(`() => document.querySelector("#undo").offsetHeight`).Int(); tall > 70 {
		t.Errorf("the undo bar is %d px high", tall)
	}
	x.shot("undo of a long title")
	x.MustEval(`() => document.querySelector("#skip").click()`)
	if got := x.MustEval(`() => document.activeElement.id + location.hash`).String(); got != "main#/inbox" {
		t.Errorf("the skip link goes to %s", got)
	}
	emoji := strings.Repeat("🦊", 80)
	x.add(emoji)
	x.enter("#new-task", strings.Repeat("🦊", 101))
	x.wait(`document.querySelector("#new-problem").textContent === "1 character too long: at most 100."`)
	x.settled()
	x.MustSetViewport(1280, 800, 1, false)
}

// Forms keep what is typed over a reload, but no password, and say what has
// happened and nothing else.
func TestPageForms(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.door("register")
	x.fill("#register", "username", "ann")
	x.fill("#register", "email", "ann@example.com")
	x.fill("#register", "password", "secret secret")
	x.MustReload()
	x.wait(`document.querySelector("#register [name=username]")?.value === "ann"`)
	if got := x.MustEval(`() => [...document.querySelectorAll("#register input")].map((e) => e.value).join() + JSON.stringify({ ...sessionStorage, ...localStorage }).includes("secret")`).String(); got != "ann,ann@example.com,,false" {
		t.Errorf("after a reload: %s", got)
	}
	x.register()
	x.click(`#menu a[href="#account"]`)
	x.wait(`document.querySelector("#profile")`)
	x.fill("#profile", "username", "Anna")
	x.MustReload()
	x.wait(`document.querySelector("#profile [name=username]")?.value === "Anna"`)
	x.fill("#profile", "email", "anna@example.com")
	x.fill("#profile", "current_password", plainPassword)
	x.click("#profile button[type=submit]")
	x.wait(`document.querySelector("#profile [role=status]").textContent === "Saved. anna@example.com is your address from now on."`)
	x.fill("#profile", "username", strings.Repeat("n", 51))
	x.click("#profile button[type=submit]")
	x.wait(`document.querySelector("#profile .problem:not(:empty)") && document.querySelector("#profile [role=status]").textContent === ""`)
	x.click("#new-token [name='tasks:read']")
	x.fill("#new-token", "name", "script")
	x.click("#new-token button[type=submit]")
	x.wait(`document.querySelector("#new-token [role=alert]").textContent === "Choose at least one thing that it may do."`)
	x.click("#new-token [name='tasks:read']")
	x.click("#new-token button[type=submit]")
	x.wait(`document.querySelector(".once input")`)
	x.click(`[aria-label="Revoke: script"]`)
	x.wait(`document.activeElement.textContent === "API tokens"`)
	if got := x.MustEval(`() => document.title`).String(); got != "Account – taskapi" {
		t.Errorf("the title is %q", got)
	}
	x.click("#menu button")
	x.wait(`document.querySelector("#signin") && location.hash === ""`)
}

// Where registration is closed, it is not offered; and who was signed out
// elsewhere learns why, after a reload too.
func TestPageSaysWhyItAsksToSignIn(t *testing.T) {
	b := browser(t)
	data := folder(t)
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK)
	world{in: plainPassword}.taskapi(t, "user", "add", "ann@example.com", data).expect(t, exitOK)
	p := start(t, nil, "--registration=closed")
	x := open(t, b, p.url)
	x.wait(`document.querySelector("#signin")`)
	x.shot("registration is closed")
	if x.MustHas("#register") {
		t.Error("registration is offered")
	}
	x.signIn("ann")
	x.MustNavigate("about:blank")
	if status, answer := p.call("POST", "/auth/logout-all", p.login(), "{}"); status != 200 {
		t.Fatal(status, answer)
	}
	x.MustNavigate(p.url).MustWaitLoad()
	x.wait(`document.querySelector("#signin") && document.querySelector("[role=status]").textContent.startsWith("You were signed out")`)
	for _, path := range []string{"/reset%2Dpassword", "/reset-password"} {
		x.MustNavigate(p.url + path).MustWaitLoad()
		x.wait(`document.querySelector("main").textContent.includes("opened by the link in a mail")`)
	}
	x.MustEval(`() => { location.hash = "#" + "a".repeat(43); }`)
	x.wait(`document.querySelector("form [name=password]")`)
}
