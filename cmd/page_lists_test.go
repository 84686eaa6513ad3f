package cmd

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"
)

// another registers one more person and returns their access token.
func (p *process) another(name string) string {
	p.t.Helper()
	body := fmt.Sprintf(`{"username":%[1]q,"email":"%[1]s@example.com","password":%[2]q,"confirm_password":%[2]q}`, name, plainPassword)
	p.done("POST", "/auth/register", "", body)
	return p.done("POST", "/auth/login", "", fmt.Sprintf(`{"email":"%s@example.com","password":%q}`, name, plainPassword))["access_token"].(string)
}

// done sends a request that must succeed.
func (p *process) done(method, path, token, body string) map[string]any {
	p.t.Helper()
	status, answer := p.call(method, path, token, body)
	if status >= 300 {
		p.t.Fatal(method, path, status, answer)
	}
	return answer
}

// list makes a list and returns its id.
func (p *process) list(token, name string) int {
	p.t.Helper()
	return int(p.done("POST", "/lists/", token, fmt.Sprintf(`{"name":%q}`, name))["list"].(map[string]any)["id"].(float64))
}

// invite makes an invitation to a list and returns its link.
func (p *process) invite(token string, list int, role string) string {
	p.t.Helper()
	return p.done("POST", fmt.Sprintf("/lists/%d/invitations", list), token, fmt.Sprintf(`{"role":%q}`, role))["invitation"].(map[string]any)["url"].(string)
}

// row is a script that finds the row of a task.
func row(title string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".task")].find((row) => row.querySelector(".words")?.textContent === %q)`, title)
}

func (x *tab) details(title string) string {
	x.t.Helper()
	return x.MustEval(`() => ` + row(title) + `.querySelector(".details")?.textContent ?? ""`).String()
}

// A task says which list it is in, unless that is one's own Inbox, with its labels
// and that it repeats; one in a list that may only be read can't be changed.
func TestPageShowsLists(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	bob := p.another("bob")
	x := open(t, b, p.url)
	x.register()
	ann := p.login()
	home, team, notes := p.list(ann, "Home"), p.list(bob, "Team"), p.list(bob, "Notes")
	for list, role := range map[int]string{team: "editor", notes: "viewer"} {
		_, code, _ := strings.Cut(p.invite(bob, list, role), "#")
		p.done("POST", "/invitations/accept", ann, fmt.Sprintf(`{"token":%q}`, code))
	}
	add := func(token string, list int, more string) {
		t.Helper()
		p.done("POST", "/tasks/", token, fmt.Sprintf(`{"list_id":%d,%s}`, list, more))
	}
	p.done("POST", "/tasks/", ann, `{"title":"Call the bank"}`)
	p.done("POST", "/tasks/", ann, `{"title":"Water the plants","due":"2031-11-28","recurrence":"FREQ=WEEKLY"}`)
	p.done("POST", "/tasks/", ann, `{"title":"Stand-up","due":"2031-11-28T09:00","recurrence":"FREQ=WEEKLY;BYDAY=MO,FR"}`)
	add(ann, home, `"title":"Fix the <b>door</b>","labels":["tools","before winter"],"priority":"high","due":"2031-11-30","description":"The hinge squeaks and the lock is stiff in the cold."`)
	add(bob, team, `"title":"Write the report","labels":["q4"],"due":"2031-12-01","recurrence":"FREQ=MONTHLY","priority":"medium"`)
	add(bob, notes, `"title":"Rules of the house","description":"No shoes inside.\nNo music after ten.","labels":["house"]`)
	add(bob, notes, `"title":"Signed","completed":true`)
	x.MustReload()
	x.goTo("search") // which shows everything
	x.wait(row("Rules of the house") + `?.querySelector(".details")?.textContent.includes("Notes")`)
	for title, want := range map[string]string{
		"Call the bank":       "",
		"Water the plants":    "28 November 2031 · every week",
		"Fix the <b>door</b>": "30 November 2031 · high priority · Home · #tools · #before winter",
		"Write the report":    "1 December 2031 · every month · medium priority · Team · #q4",
		"Rules of the house":  "Notes · read only · #house",
	} {
		if got := x.details(title); got != want {
			t.Errorf("%s: %q, want %q", title, got, want)
		}
	}
	if got := x.details("Stand-up"); !strings.HasSuffix(got, " · every Monday and Friday") {
		t.Errorf("Stand-up: %q", got)
	}
	x.shot("lists")

	// A viewer may not tick, edit or delete, by keys either.
	x.MustEval(`() => { const r = ` + row("Rules of the house") + `; r.querySelector(".tick").click(); r.querySelector(".title").focus(); r.querySelector(".title").click(); }`)
	for _, key := range "xe#" {
		x.MustEval(`(key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }))`, string(key))
	}
	if !x.MustEval(`() => { const r = ` + row("Rules of the house") + `; return r.querySelector(".tick").disabled && Boolean(r.querySelector(".tick").title) && !r.querySelector(".tick").checked && !r.querySelector("button") && !document.querySelector(".edit"); }`).Bool() {
		t.Error("what may only be read can be changed")
	}
	if x.MustEval(`() => localStorage.length && Object.keys(localStorage).some((key) => key.startsWith("taskapi.queue"))`).Bool() {
		t.Error("something is to be sent")
	}

	// An editor may, and a list is learnt when a task is in one that is new.
	x.MustEval(`() => ` + row("Write the report") + `.querySelector(".title").click()`)
	x.fill(".edit", "title", "Write the long report")
	x.click(".edit button[type=submit]")
	x.settled()
	add(ann, p.list(ann, "Garden"), `"title":"Rake the leaves"`)
	x.MustEval(`() => dispatchEvent(new Event("online"))`)
	x.wait(row("Rake the leaves") + `?.querySelector(".details")?.textContent === "Garden"`)

	// The names are there without the server, too.
	x.copied("Rake the leaves")
	p.stop(os.Interrupt)
	x.MustReload()
	x.wait(row("Rake the leaves") + `?.querySelector(".details")?.textContent === "Garden" && ` + row("Rules of the house") + `.querySelector(".tick").disabled`)
}

// A repeating task that is completed shows its next date, and moves on once though
// the answer is lost.
func TestPageMovesOnOnce(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	p.done("POST", "/tasks/", ann, `{"title":"Pay rent","due":"2031-01-05","recurrence":"FREQ=MONTHLY","reminders":[{"before":"P1D"}]}`)
	x.MustReload()
	x.wait(row("Pay rent"))
	due := func() string { return fmt.Sprint(p.done("GET", "/tasks/1", ann, "")["due"]) }
	shows := func(date string) {
		t.Helper()
		x.settled()
		x.wait(row("Pay rent") + `.querySelector(".details").textContent.startsWith(` + fmt.Sprintf("%q", date) + `) && !document.querySelector("#list .tick").checked`)
	}
	x.click("#list .tick")
	x.wait(`document.querySelector("#list .tick").checked`)
	shows("5 February 2031 · every month")
	x.wait(`document.querySelector(".fold summary").textContent === "Done (1)"`)
	x.wait(`document.querySelector("#announcer").textContent === "Pay rent: next on Feb 5, 2031"`)
	if due() != "2031-02-05" {
		t.Error(due())
	}
	x.shot("moved on")
	x.click("#undo button")
	shows("5 January 2031")
	x.wait(`document.querySelector(".fold").hidden`)
	if due() != "2031-01-05" || p.tasks(ann) != 1 {
		t.Error(due(), p.tasks(ann))
	}

	// Pressed twice at once: taken back.
	x.MustEval(`() => { document.querySelector("#list .tick").click(); document.querySelector("#list .tick").click(); }`)
	shows("5 January 2031")
	if due() != "2031-01-05" {
		t.Error(due())
	}

	// The answer is lost after the server has done it.
	lost := make(chan bool, 10)
	stop := x.answer("*/tasks/1", http.MethodPatch, func(h *rod.Hijack) {
		if h.LoadResponse(http.DefaultClient, true) == nil {
			h.Response.Fail(proto.NetworkErrorReasonConnectionReset)
			lost <- true
		}
	})
	x.click("#list .tick")
	<-lost
	if due() != "2031-02-05" {
		t.Error(due())
	}
	<-lost // once more
	stop()
	shows("5 February 2031")
	x.MustEval(`() => dispatchEvent(new Event("online"))`)
	x.wait(`document.querySelector(".fold summary").textContent === "Done (1)"`)
	if due() != "2031-02-05" || p.tasks(ann) != 2 {
		t.Error(due(), p.tasks(ann))
	}

	// The page is left meanwhile, and taken up again.
	stop = x.answer("*/tasks/1", http.MethodPatch, func(h *rod.Hijack) {
		if h.LoadResponse(http.DefaultClient, true) == nil {
			h.Response.Fail(proto.NetworkErrorReasonConnectionReset)
			lost <- true
		}
	})
	x.click("#list .tick")
	<-lost
	stop()
	x.MustReload()
	x.wait(row("Pay rent"))
	shows("5 March 2031")
	if due() != "2031-03-05" || p.tasks(ann) != 3 {
		t.Error(due(), p.tasks(ann))
	}

	// Another device was first.
	p.done("PATCH", "/tasks/1", ann, `{"completed":true}`)
	x.click("#list .tick")
	shows("5 April 2031")
	if due() != "2031-04-05" {
		t.Error(due())
	}
	// Opening what was done takes the task back.
	x.wait(`document.querySelector(".fold summary").textContent.startsWith("Done (")`)
	x.MustReload()
	x.wait(`document.querySelector(".fold summary")?.textContent === "Done (3)"`)
	x.click(".fold summary")
	x.MustEval(`() => document.querySelector(".fold .tick").click()`) // its mark lies on it
	shows("5 March 2031")
	x.wait(`document.querySelector(".fold summary").textContent === "Done (2)"`)
}

// Somebody new follows the link of an invitation, registers and accepts.
func TestPageInvitation(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	bob := p.another("bob")
	team := p.list(bob, "Team")
	p.done("POST", "/tasks/", bob, fmt.Sprintf(`{"list_id":%d,"title":"Write the report"}`, team))
	link := p.invite(bob, team, "editor")
	_, path, _ := strings.Cut(link, "/invitation#")
	link = p.url + "/invitation#" + path
	x := open(t, b, link)
	x.wait(`document.querySelector("#signin") && document.querySelector("[role=status]").textContent.startsWith("You are invited")`)
	if strings.Contains(x.MustInfo().URL, "#") {
		t.Error("the code still stands in the address")
	}
	x.shot("invited")
	x.MustReload() // the code is kept
	x.door("register")
	zone := proto.EmulationSetTimezoneOverride{TimezoneID: "America/Lima"}
	if err := zone.Call(x.Page); err != nil {
		t.Fatal(err)
	}
	x.MustReload()
	x.wait(`document.querySelector("#register")`)
	x.fill("#register", "username", "ann")
	x.fill("#register", "email", "ann@example.com")
	x.fill("#register", "password", plainPassword)
	x.fill("#register", "confirm_password", plainPassword)
	x.click("#register button[type=submit]")
	x.wait(`document.querySelector("main form p")?.textContent === "bob invites you to the list “Team” as an editor."`)
	x.shot("invitation")
	ann := p.login()
	if got := p.done("GET", "/users/me", ann, "")["time_zone"]; got != "America/Lima" {
		t.Errorf("the time zone is %v", got)
	}
	lost := make(chan bool, 1)
	stop := x.answer("*/invitations/accept", http.MethodPost, func(h *rod.Hijack) {
		if h.LoadResponse(http.DefaultClient, true) == nil {
			h.Response.Fail(proto.NetworkErrorReasonConnectionReset)
			lost <- true
		}
	})
	x.click("main form [type=submit]")
	<-lost
	x.wait(`document.querySelector("main form [role=alert]").textContent`)
	stop()
	x.click("main form [type=submit]")
	x.goTo("search")
	x.wait(row("Write the report") + `?.querySelector(".details")?.textContent === "Team"`)
	x.MustReload()
	x.wait(row("Write the report"))

	// What is no longer good says so.
	x.MustNavigate(link)
	x.wait(`document.querySelector("main [role=alert]")?.textContent.includes("no longer good")`)
	x.shot("invitation gone")
	x.click("main button")
	x.wait(`document.querySelector("#new-task")`)

	// Not now: asked no more, and still good.
	notes := p.list(bob, "Notes")
	_, code, _ := strings.Cut(p.invite(bob, notes, "viewer"), "#")
	x.MustNavigate(p.url + "/invitation#" + code)
	x.wait(`document.querySelector("main form p")?.textContent.endsWith("as a viewer.")`)
	x.click("main form button.quiet")
	x.goTo("search")
	x.MustReload()
	x.wait(row("Write the report"))
	p.done("GET", "/invitations/"+code, ann, "")

	x.MustNavigate(p.url + "/invitation")
	x.wait(`document.querySelector("main").textContent.includes("opened by the link in a mail")`)
}

// An account that is still in UTC gets the zone of the browser, once.
func TestPageTimeZone(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	ann := p.another("ann")
	x := open(t, b, p.url)
	if err := (proto.EmulationSetTimezoneOverride{TimezoneID: "America/Lima"}).Call(x.Page); err != nil {
		t.Fatal(err)
	}
	x.MustReload()
	x.signIn("ann")
	zone := func() any { return p.done("GET", "/users/me", ann, "")["time_zone"] }
	until(t, "the zone is set", func() bool { return zone() == "America/Lima" })
	x.wait(`localStorage.getItem("taskapi.zone.1")`)
	p.done("PATCH", "/users/me", ann, `{"time_zone":"UTC"}`)
	heard := make(chan bool, 1)
	stop := x.answer("*/users/1", http.MethodGet, func(h *rod.Hijack) {
		h.MustLoadResponse()
		heard <- true
	})
	x.MustReload()
	<-heard
	stop()
	x.wait(`document.querySelector("#new-task")`)
	x.add("one more")
	x.settled()
	if got := zone(); got != "UTC" {
		t.Errorf("the time zone is %v", got)
	}
}

// A deletion that is under way when it is taken back comes first: the task is back,
// the same one.
func TestPageUndoesADeletionUnderWay(t *testing.T) {
	p, x := registered(t)
	x.add("Keep me")
	x.settled()
	arrived, stay := make(chan bool, 1), make(chan bool)
	stop := x.answer("*/tasks/1", http.MethodDelete, func(h *rod.Hijack) {
		h.MustLoadResponse()
		arrived <- true
		<-stay
	})
	x.click("#list .remove")
	x.MustEval(`() => dispatchEvent(new Event("pagehide"))`)
	<-arrived
	x.click("#undo button")
	x.wait(row("Keep me"))
	close(stay)
	x.settled()
	stop()
	x.wait(row("Keep me") + `.dataset.id === "1"`)
	p.done("GET", "/tasks/1", p.login(), "")
}
