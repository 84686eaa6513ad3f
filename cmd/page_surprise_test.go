package cmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/input"
)

// Whatever is added is seen or its place is told, and lines that are pasted keep their order.
func TestPageSaysWhereThingsGo(t *testing.T) {
	_, x := registered(t, "--rate-limit=off")
	x.goTo("today")
	x.enter("#new-task", "water the plants next tuesday")
	x.wait(`document.querySelector("#new-chips .chip")`)
	x.press(input.Enter)
	x.wait(`document.querySelector("#undo:not([hidden])")?.textContent.includes("Added: water the plants (")`)
	x.wait(`document.querySelector("#undo").textContent.includes("Inbox")`)
	x.click("#undo button")
	x.wait(`document.querySelector("#undo").hidden`)
	x.goTo("inbox")
	x.MustEval(`() => {
		const data = new DataTransfer();
		data.setData("text/plain", "flour\neggs\nmilk");
		document.querySelector("#new-task").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
	}`)
	x.click(".question button")
	x.wait(`document.querySelectorAll("#list .task").length === 3 && document.querySelector("#undo:not([hidden])").textContent.includes("3 tasks added")`)
	x.settled()
	x.MustReload()
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	if got := x.titles(); got != "flour|eggs|milk" {
		t.Errorf("pasted: %s", got)
	}
}

// A place that is gone says so, and nothing can be added to it.
func TestPageOfAListThatIsGone(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	home := p.list(ann, "Home")
	x.goTo(fmt.Sprintf("list/%d", home))
	x.wait(`document.querySelector("h1").textContent === "Home"`)
	p.done("DELETE", fmt.Sprint("/lists/", home), ann, "")
	gone := `document.querySelector("h1").textContent === "This list is gone" && document.querySelector(".note").textContent.startsWith("It was deleted") && document.querySelector(".new").hidden`
	x.wait(gone)
	x.MustEval(`() => { location.hash = "#/list/999"; }`)
	x.wait(gone)
	x.shot("gone")
	x.MustEval(`() => { location.hash = "#/nonsense"; }`)
	x.wait(`document.querySelector("h1").textContent === "Today"`)
}

// Cancel takes back what the chips of a task have saved at once.
func TestPageCancels(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	x.add("buy milk")
	x.settled()
	x.click("#list .title")
	x.fill(".edit", "title", "buy oat milk")
	x.click("#chip-due")
	x.click(`.popover button`)
	x.wait(`document.querySelector("#chip-due")?.classList.contains("set")`)
	x.settled()
	x.click(".edit .line button + button")
	x.wait(`!document.querySelector(".edit")`)
	x.settled()
	until(t, "the date is gone again", func() bool { return p.done("GET", "/tasks/1", ann, "")["due"] == nil })
	if title := p.done("GET", "/tasks/1", ann, "")["title"]; title != "buy milk" {
		t.Errorf("it is called %s", title)
	}
}

// A task into which somebody has written since it was deleted stays.
func TestPageSparesWhatOthersWrote(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	x.add("notes")
	x.add("other")
	x.settled()
	x.click(`#list .task:nth-child(2) .remove`)
	x.wait(`document.querySelectorAll("#list .task").length === 1`)
	p.done("PATCH", "/tasks/1", ann, `{"description":"an hour of careful writing"}`)
	x.wait(`document.querySelector("#undo:not([hidden])")?.textContent.includes("Changed elsewhere, so not deleted: notes")`)
	x.wait(row("notes"))
	if text := p.done("GET", "/tasks/1", ann, "")["description"]; text != "an hour of careful writing" {
		t.Errorf("it has %s", text)
	}
	// What only has another date by now is deleted all the same.
	x.click(`#list .task:nth-child(1) .remove`)
	p.done("PATCH", "/tasks/2", ann, `{"due":"2031-01-01"}`)
	until(t, "it is deleted", func() bool { return p.tasks(ann) == 1 })
	x.settled()
}

// Who may only read a list is told so by the keys that move tasks, too.
func TestPageMovesNothingForViewers(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann, bob := p.login(), p.another("bob")
	list := p.list(bob, "Bob's")
	for _, title := range []string{"one", "two"} {
		p.done("POST", "/tasks/", bob, fmt.Sprintf(`{"title":%q,"list_id":%d}`, title, list))
	}
	p.join(bob, ann, list, "viewer")
	x.goTo(fmt.Sprintf("list/%d", list))
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	x.MustEval(`() => document.querySelector("#list .title").focus()`)
	x.KeyActions().Press(input.AltLeft).Type(input.ArrowDown).MustDo()
	x.wait(`document.querySelector("#announcer").textContent === "You may only read this list."`)
	if got := x.titles(); !strings.HasPrefix(got, "two") || x.MustHas("#list .trouble .problem") {
		t.Errorf("it shows %s", got)
	}
}

// What another app shares is typed already, and a shortcut leads to the field, also after a
// sign-in.
func TestPageTakesWhatIsShared(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	typed := func(text string) string {
		return fmt.Sprintf(`document.activeElement?.id === "new-task" && document.querySelector("#new-task").value === %q && location.hash === "#/inbox" && !location.search`, text)
	}
	x.goTo("today")
	x.MustNavigate(p.url + "/?share_title=A+page&share_url=https%3A%2F%2Fexample.com%2F")
	x.wait(typed("A page https://example.com/"))
	x.press(input.Enter)
	x.wait(row("A page https://example.com/"))
	x.settled()
	x.click("#menu button")
	x.wait(`document.querySelector("#signin")`)
	x.MustNavigate(p.url + "/?add")
	x.door("signin")
	x.fill("#signin", "email", "ann@example.com")
	x.fill("#signin", "password", plainPassword)
	x.click("#signin button[type=submit]")
	x.wait(typed(""))
}
