package cmd

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// online lets a page reach the server, or not.
func (x *tab) online(yes bool) {
	x.t.Helper()
	x.MustEval(`(yes) => {
		window.reaching ??= window.fetch;
		window.fetch = yes ? reaching : () => Promise.reject(new TypeError("offline"));
		dispatchEvent(new Event(yes ? "online" : "offline"));
	}`, yes)
}

// edits changes the texts of a task by its form; empty ones stay.
func (x *tab) edits(title, name, text string) {
	x.t.Helper()
	x.MustEval(`() => ` + row(title) + `.querySelector(".title").click()`)
	x.wait(`document.querySelector(".edit")`)
	x.fill(".edit", name, text)
}

const met = `document.querySelector(".task .met")`

// Two people change the same text at once: both texts are there until one of them has chosen.
func TestPageKeepsBothTexts(t *testing.T) {
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	b := browser(t)
	x := open(t, b, p.url)
	x.MustEvalOnNewDocument(marking)
	x.register()
	x.add("Plan the party")
	x.settled()
	ann := p.login()
	task := func() string {
		task := p.done("GET", "/tasks/1", ann, "")
		return fmt.Sprint(task["title"], "|", task["description"], "|", task["priority"])
	}
	y := open(t, b.MustIncognito(), p.url)
	y.MustEvalOnNewDocument(marking)
	y.signIn("ann")
	y.MustReload()
	x.MustReload()
	x.wait(heard)
	y.wait(heard + ` && ` + row("Plan the party"))

	// Both have it open; what they do to other fields is merged, and nothing said.
	x.edits("Plan the party", "description", "With a band")
	y.edits("Plan the party", "title", "Plan the feast")
	y.click(".edit button[type=submit]")
	until(t, "the title arrives", func() bool { return task() == "Plan the feast||none" })
	x.click(".edit button[type=submit]")
	until(t, "both arrive", func() bool { return task() == "Plan the feast|With a band|none" })
	x.wait(row("Plan the feast") + ` && !` + met)

	// The same field: mine is not written over theirs.
	y.wait(row("Plan the feast") + `.textContent.includes("With a band")`)
	x.edits("Plan the feast", "description", "With a band, and lights")
	y.edits("Plan the feast", "description", "Without music")
	y.click(".edit button[type=submit]")
	until(t, "the first arrives", func() bool { return task() == "Plan the feast|Without music|none" })
	x.click(".edit button[type=submit]")
	x.wait(met)
	if got := x.MustEval(`() => ` + met + `.innerText.replace(/\s+/g, " ")`).String(); got != "This was changed elsewhere, too. What you wrote is not saved yet. Yours With a band, and lights Theirs Without music Keep mineUse theirsKeep both" {
		t.Error(got)
	}
	x.wait(`document.querySelector("#announcer").textContent === "Changed elsewhere, too: Plan the feast"`)
	x.shot("both texts")
	if got := task(); got != "Plan the feast|Without music|none" {
		t.Errorf("before the choice: %s", got)
	}
	// It stays over a reload, and is reached by keys.
	x.MustReload()
	x.wait(met)
	x.MustEval(`() => document.querySelector("#list .title").focus()`)
	for x.focus() != "" && x.MustEval(`() => document.activeElement.textContent`).String() != "Keep both" {
		x.press(input.Tab)
	}
	x.press(input.Enter)
	until(t, "both are kept", func() bool { return task() == "Plan the feast|With a band, and lights\n\nWithout music|none" })
	x.wait(`!` + met)
	if got := x.focus(); got != "Plan the feast" {
		t.Errorf("the focus is on %s", got)
	}
	y.wait(row("Plan the feast") + `.textContent.includes("and lights")`)
}

// Edits that waited without the server meet what others did meanwhile.
func TestPageKeepsBothTextsAfterBeingOffline(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	for _, title := range []string{"one", "two", "three"} {
		x.add(title)
	}
	x.settled()
	ann := p.login()
	x.online(false)
	for _, title := range []string{"one", "two"} {
		x.edits(title, "title", title+" of mine")
		x.click(".edit button[type=submit]")
	}
	x.edits("three", "description", "mine")
	x.click(".edit button[type=submit]")
	x.goTo("today")
	for id, patch := range []string{`{"title":"one of theirs"}`, `{"title":"two of theirs"}`, `{"title":"three of theirs"}`} {
		p.done("PATCH", fmt.Sprint("/tasks/", id+1), ann, patch)
	}
	x.online(true)
	x.wait(`document.querySelector("#undo:not([hidden])")?.textContent.startsWith("Changed elsewhere, too: ")`)
	x.click("#undo button")
	x.wait(`document.querySelectorAll(".task .met").length === 2 && ` + row("three of theirs") + `.textContent.includes("mine")`)
	choose := func(title, choice string) {
		x.MustEval(fmt.Sprintf(`() => [...%s.querySelectorAll("button")].find((e) => e.textContent === %q).click()`, row(title), choice))
	}
	choose("one of mine", "Keep mine")
	choose("two of mine", "Use theirs")
	x.wait(`!` + met + ` && ` + row("one of mine") + ` && ` + row("two of theirs"))
	x.settled()
	for id, want := range []string{"one of mine", "two of theirs", "three of theirs"} {
		if got := p.done("GET", fmt.Sprint("/tasks/", id+1), ann, "")["title"]; got != want {
			t.Errorf("%v, want %s", got, want)
		}
	}

	// What was written, and whose answer is lost, meets nobody.
	stop := x.answer("*/tasks/1", http.MethodPatch, func() func(h *rod.Hijack) {
		lost := false
		return func(h *rod.Hijack) {
			h.MustLoadResponse()
			if !lost {
				lost = true
				h.Response.Fail(proto.NetworkErrorReasonConnectionReset)
			}
		}
	}())
	x.edits("one of mine", "title", "one, once more")
	x.click(".edit button[type=submit]")
	x.settled()
	stop()
	if x.MustHas(".task .met") || p.done("GET", "/tasks/1", ann, "")["title"] != "one, once more" {
		t.Error("it met itself")
	}
}
