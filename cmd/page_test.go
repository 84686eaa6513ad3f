package cmd

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// tasks returns how many tasks the server has of the first user.
func (p *process) tasks(token string) int {
	p.t.Helper()
	status, answer := p.call("GET", "/tasks/", token, "")
	if status != 200 {
		p.t.Fatal(status, answer)
	}
	return int(answer["pagination"].(map[string]any)["total"].(float64))
}

func TestPageOutlivesItsAccessToken(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil, "--access-ttl=1s", "--rate-limit=off")
	first := open(t, b, p.url)
	first.register()
	second := open(t, b, p.url)
	second.wait(`document.querySelector("#new-task")`)
	for n := range 4 { // each with a token that has run out, in both tabs at once
		first.wait(fmt.Sprintf("Date.now() > %d", time.Now().Add(1100*time.Millisecond).UnixMilli()))
		done := make(chan struct{})
		go func() { defer close(done); second.add(fmt.Sprint("second ", n)) }()
		first.add(fmt.Sprint("first ", n))
		<-done
	}
	for _, x := range []*tab{first, second} {
		x.settled()
		x.wait(`document.querySelectorAll("#list .task").length === 8`) // each shows what the other did
	}
}

func TestPageWhileTheServerIsAway(t *testing.T) {
	p, x := registered(t)
	x.add("before")
	x.settled()
	p.stop(os.Interrupt)
	x.add("while it was away")
	x.wait(`document.querySelector("#status:not([hidden])")?.textContent.includes("(1)")`)
	x.shot("offline")
	x.enter("#new-task", "half a thou")
	startAt(t, strings.TrimPrefix(p.url, "http://"))
	x.wait(`document.querySelector("#status").hidden`)
	x.settled()
	x.MustReload()
	x.wait(`document.querySelectorAll("#list .task").length === 2 && document.querySelector("#new-task").value === "half a thou"`)
	if got := x.titles(); got != "while it was away|before" {
		t.Errorf("after the restart: %s", got)
	}
}

// TestPageNeverDuplicates: the server creates the task, and its answer is lost.
func TestPageNeverDuplicates(t *testing.T) {
	p, x := registered(t)
	x.add("known before")
	x.settled()
	lost := 0
	router := x.HijackRequests()
	router.MustAdd("*/tasks/", func(h *rod.Hijack) {
		if h.Request.Method() != http.MethodPost || lost == 2 {
			h.ContinueRequest(&proto.FetchContinueRequest{})
			return
		}
		lost++
		h.MustLoadResponse()
		h.Response.Fail(proto.NetworkErrorReasonConnectionReset)
	})
	go router.Run()
	x.add("only once")
	x.settled()
	x.add("only once") // a second one that is meant
	x.settled()
	if err := router.Stop(); err != nil {
		t.Error(err)
	}
	token := p.login()
	if n := p.tasks(token); n != 3 || lost != 2 {
		t.Errorf("%d tasks after %d lost answers, want 3", n, lost)
	}
}

// A reload while the server can't be reached loses nothing.
func TestPageKeepsWhatWasTyped(t *testing.T) {
	p, x := registered(t)
	x.add("old")
	x.settled()
	x.wait(`navigator.serviceWorker?.controller`)
	p.stop(os.Interrupt)
	x.add("new")
	x.click("#list .task:last-child .title")
	x.fill(".edit", "title", "older")
	x.MustReload()
	x.wait(`document.body.textContent.includes("not answering")`)
	x.shot("offline start")
	startAt(t, strings.TrimPrefix(p.url, "http://"))
	x.wait(`document.querySelector(".edit [name=title]")?.value === "older"`)
	x.click(".edit button[type=submit]")
	x.settled()
	x.MustReload()
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	if got := x.titles(); got != "new|older" {
		t.Errorf("%s", got)
	}
}

func TestPageByKeyboardOnly(t *testing.T) {
	_, x := registered(t)
	for _, title := range []string{"one", "two", "three"} {
		x.add(title)
	}
	x.settled()
	x.press(input.Escape)
	focus := func() string {
		return x.MustEval(`() => document.activeElement.closest(".task")?.querySelector(".words")?.textContent ?? document.activeElement.id`).String()
	}
	if got := focus(); got != "three" {
		t.Errorf("Esc goes to %q", got)
	}
	x.press('j')
	x.press('j')
	x.press('k')
	if got := focus(); got != "two" {
		t.Errorf("j j k goes to %q", got)
	}
	x.press('x')
	x.wait(`document.querySelector("summary")?.textContent === "Done (1)"`)
	if got := focus(); got != "one" {
		t.Errorf("after the tick: %q", got)
	}
	x.press('u')
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	x.press('e')
	x.wait(`document.activeElement.name === "title"`)
	x.press(input.End)
	x.enter(".edit [name=title]", "!")
	x.KeyActions().Press(input.ControlLeft).Type(input.Enter).MustDo()
	x.wait(`[...document.querySelectorAll("#list .words")].some((e) => e.textContent === "one!")`)
	x.press('#')
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	if got := focus(); got != "two" {
		t.Errorf("after the deletion: %q", got)
	}
	x.press('u')
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	x.press('n')
	if got := focus(); got != "new-task" {
		t.Errorf("n goes to %q", got)
	}
	x.press(input.Escape)
	x.press('/')
	x.wait(`document.activeElement.id === "search"`)
	if got := focus(); got != "search" {
		t.Errorf("/ goes to %q", got)
	}
	x.enter("#search", "TW")
	x.wait(`document.querySelectorAll("#list .task").length === 1`)
	x.press(input.Escape)
	x.press('?')
	x.wait(`document.querySelector("#help").open`)
	x.shot("help")
	x.press(input.Escape)
	x.wait(`!document.querySelector("#help").open`)
}

func TestPageWithFiveThousandTasks(t *testing.T) {
	p, x := registered(t, "--durability=normal")
	token := p.login()
	for n := range 5000 {
		if status, answer := p.call("POST", "/tasks/", token, fmt.Sprintf(`{"title":"task number %d"}`, n+1)); status != 201 {
			t.Fatal(status, answer)
		}
	}
	x.MustReload()
	x.wait(`document.querySelectorAll("#list .task").length >= 50`)
	x.goTo("search")
	x.enter("#search", "number 4711")
	x.wait(`document.querySelectorAll("#list .task").length === 1`)
	x.replace("#search", "")
	x.press(input.Backspace)
	rows := x.MustEval(`async () => {
		const rows = () => document.querySelectorAll("#list .task").length;
		for (let n = 0; n < 600 && rows() <= 1000; n++) {
			scrollTo(0, document.body.scrollHeight);
			await new Promise(requestAnimationFrame);
		}
		return rows();
	}`).Int()
	if rows <= 1000 {
		t.Errorf("scrolling to the end again and again shows %d rows", rows)
	}
}

func TestAccountPage(t *testing.T) {
	p, x := registered(t)
	other := p.login()
	x.click(`#menu a[href="#account"]`)
	x.wait(`document.querySelectorAll(".things li").length === 2`)
	x.shot("account")
	x.fill("#profile", "username", "Anna")
	x.click("#profile button[type=submit]")
	x.wait(`document.querySelector("#profile [role=status]")?.textContent === "Saved."`)
	x.fill("#new-token", "name", "script")
	x.click("#new-token button[type=submit]")
	x.wait(`document.querySelector(".once input")?.value.startsWith("tapi_")`)
	x.shot("account token")
	raw := x.MustElement(".once input").MustProperty("value").String()
	if status, answer := p.call("GET", "/tasks/", raw, ""); status != 200 {
		t.Error(status, answer)
	}
	x.fill("#change-password", "current_password", plainPassword)
	x.fill("#change-password", "password", "quite another one")
	x.fill("#change-password", "confirm_password", "quite another one")
	x.click("#change-password button[type=submit]")
	x.wait(`document.querySelector("#change-password [role=status]")?.textContent.startsWith("The password is changed")`)
	if status, _ := p.call("GET", "/tasks/", other, ""); status != 401 {
		t.Errorf("the other session: %d", status)
	}
	if status, _ := p.call("GET", "/tasks/", raw, ""); status != 401 {
		t.Errorf("an API token after the change of password: %d", status)
	}
	// As the server answers who signed in long ago.
	stop := x.answer("*/users/*", http.MethodDelete, func(h *rod.Hijack) {
		h.Response.Payload().ResponseCode = http.StatusUnprocessableEntity
		h.Response.SetHeader("Content-Type", "application/json")
		h.Response.SetBody(`{"errors":{"current_password":"You signed in more than 10 minutes ago: give your current password, too."},"code":"validation_failed"}`)
	})
	x.enter("#delete-account [name=confirm_email]", "ann@example.com")
	x.click("#delete-account button")
	x.wait(`document.activeElement.id === "delete-current_password"`)
	x.shot("account proof")
	stop()
	x.fill("#delete-account", "current_password", "quite another one")
	x.click("#delete-account button")
	x.wait(`document.querySelector("#signin")`)
	if status, _ := p.call("GET", "/tasks/", raw, ""); status != 401 {
		t.Errorf("a token of the deleted account: %d", status)
	}
}

func TestUsersPage(t *testing.T) {
	b := browser(t)
	data := folder(t)
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK)
	world{in: plainPassword}.taskapi(t, "user", "add", "boss@example.com", "--admin", data).expect(t, exitOK)
	p := start(t, nil, "--rate-limit=off")
	for n := range 60 {
		body := fmt.Sprintf(`{"username":"user%[1]d","email":"user%[1]d@example.com","password":%[2]q,"confirm_password":%[2]q}`, n, plainPassword)
		if status, answer := p.call("POST", "/auth/register", "", body); status != 201 {
			t.Fatal(status, answer)
		}
	}
	x := open(t, b, p.url)
	x.signIn("boss")
	x.wait(`document.querySelector('#menu a[href="#users"]')`)
	x.click(`#menu a[href="#users"]`)
	x.wait(`document.querySelectorAll("tbody tr").length === 50`)
	x.shot("users")
	x.enter("main input[type=search]", "user59")
	x.wait(`document.querySelectorAll("tbody tr").length === 1`)
}

// TestLinkPage follows the link of a mail in the outbox.
func TestLinkPage(t *testing.T) {
	b := browser(t)
	data := folder(t)
	p := start(t, nil)
	p.signUp()
	if status, answer := p.call("POST", "/auth/password/forgot", "", `{"email":"ann@example.com"}`); status != 202 {
		t.Fatal(status, answer)
	}
	var link string
	for link == "" { // the mail is queued right after the answer
		got := world{}.taskapi(t, "mail", "show", "2", data, "--public-url="+p.url)
		for line := range strings.Lines(got.out) {
			if strings.HasPrefix(line, "http") {
				link = strings.TrimSpace(line)
			}
		}
	}
	x := open(t, b, link)
	x.wait(`document.querySelector("form.narrow")`)
	x.shot("reset")
	x.fill("form", "password", "short")
	x.fill("form", "confirm_password", "short")
	x.click("form button")
	x.wait(`document.querySelector(".problem:not(:empty)")?.textContent.includes("at least 8")`)
	x.fill("form", "password", "quite another one")
	x.fill("form", "confirm_password", "quite another one")
	x.click("form button")
	x.wait(`document.querySelector("[role=status][tabindex]")?.textContent.startsWith("Your password has been changed")`)
	if strings.Contains(x.MustInfo().URL, "#") {
		t.Error("the code still stands in the address")
	}
	if status, _ := p.call("POST", "/auth/login", "", `{"email":"ann@example.com","password":"quite another one"}`); status != 200 {
		t.Errorf("login: %d", status)
	}
}

// Who is signed out elsewhere is told, and keeps what was typed.
func TestPageSignedOutElsewhere(t *testing.T) {
	p, x := registered(t)
	x.add("one")
	x.settled()
	// The change is under way when the session ends.
	stop := x.answer("*/tasks/", http.MethodPost, func(h *rod.Hijack) {
		p.done("POST", "/auth/logout-all", p.login(), "{}")
		h.ContinueRequest(&proto.FetchContinueRequest{})
	})
	x.enter("#new-task", "typed in vain?")
	x.press(input.Enter)
	x.wait(`document.querySelector("[role=status]")?.textContent.startsWith("You were signed out")`)
	stop()
	x.shot("signed out")
	x.signIn("ann")
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	x.settled()
	if n := p.tasks(p.login()); n != 2 {
		t.Errorf("%d tasks", n)
	}
}

// A server that asks to wait is waited for; one that refuses a change is
// quoted in the row, and the change can be tried again or dropped.
func TestPageWhenTheServerRefuses(t *testing.T) {
	p, x := registered(t)
	answers := []int{429, 422}
	router := x.HijackRequests()
	router.MustAdd("*/tasks/", func(h *rod.Hijack) {
		if h.Request.Method() != http.MethodPost || len(answers) == 0 {
			h.ContinueRequest(&proto.FetchContinueRequest{})
			return
		}
		h.Response.Payload().ResponseCode = answers[0]
		h.Response.SetHeader("Content-Type", "application/json", "Retry-After", "2")
		h.Response.SetBody(`{"errors":{"title":"The field title must be at most 100 characters."},"error":"Too many requests.","code":"x"}`)
		answers = answers[1:]
	})
	go router.Run()
	x.add("patience")
	x.wait(`document.querySelector("#status:not([hidden])")?.textContent.includes("2 seconds")`)
	x.shot("asked to wait")
	x.wait(`document.querySelector(".trouble .problem")`)
	x.shot("refused change")
	x.click(".trouble button")
	x.settled()
	if err := router.Stop(); err != nil {
		t.Error(err)
	}
	if n := p.tasks(p.login()); n != 1 {
		t.Errorf("%d tasks", n)
	}
}
