package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

func (x *tab) touch() {
	x.t.Helper()
	x.MustSetViewport(390, 844, 1, true)
	if err := (proto.EmulationSetTouchEmulationEnabled{Enabled: true}).Call(x.Page); err != nil {
		x.t.Fatal(err)
	}
	x.wait(`matchMedia("(pointer: coarse)").matches`)
}

func (x *tab) tap(selector string) {
	x.t.Helper()
	x.wait(fmt.Sprintf("document.querySelector(%q)", selector))
	x.MustElement(selector).MustTap()
}

// By touch, rows have a menu instead of a cross, and presses choose several once that was
// asked for.
func TestPageByTouch(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	for _, title := range []string{"three", "two", "one"} {
		x.add(title)
	}
	x.settled()
	ann := p.login()
	x.touch()
	item := func(text string) {
		t.Helper()
		x.wait(`document.querySelector(".popover.menu")`)
		x.MustElementR(".popover.menu button", text).MustTap()
		x.wait(`!document.querySelector(".popover.menu")`)
	}
	says := func(text string) {
		t.Helper()
		x.wait(fmt.Sprintf(`document.querySelector("#many [role=status]")?.textContent === %q`, text))
	}
	over := func() {
		t.Helper()
		x.wait(`!document.querySelector("#many, .choosing, .chosen, [aria-pressed]")`)
	}

	// From the menu of a row: the tick, the title and all else choose.
	if shown := x.MustEval(`() => getComputedStyle(document.querySelector("#list .remove")).display`).String(); shown != "none" {
		t.Errorf("the cross is shown by touch: %s", shown)
	}
	x.tap(`#list .task:nth-child(2) .own`)
	x.shot("row menu")
	x.touch()
	item("^Choose several$")
	says("1 chosen")
	x.tap(`#list .task:nth-child(1) .box`)
	says("2 chosen")
	x.tap(`#list .task:nth-child(3) .title`)
	says("3 chosen")
	x.tap(`#list .task:nth-child(3) .title`)
	says("2 chosen")
	x.shot("choosing")
	x.touch()
	if got := x.MustEval(`() => [...document.querySelectorAll("#list .title")].map((e) => e.getAttribute("aria-pressed") + " " + e.innerText).join()`).String(); got != "true one,true two,false three" {
		t.Error(got)
	}
	if small := x.MustEval(`() => [...document.querySelectorAll("#many :is(button, select)")].map((e) => [e, e.getBoundingClientRect()]).filter(([, box]) => box.height < 44 || box.width < 44 || box.top < innerHeight * 0.8).map(([e, box]) => e.textContent + box.width + " " + box.height + " " + box.top).join()`).String(); small != "" {
		t.Errorf("not for a thumb: %s", small)
	}
	if n := x.MustEval(`() => document.querySelectorAll(".edit, #list .tick:checked").length`).Int(); n != 0 {
		t.Error("a press that chooses does more")
	}
	x.press(input.Escape)
	over()
	x.tap(`#list .task .title`)
	x.wait(`document.querySelector(".edit")`)
	x.press(input.Escape)

	// From the menu of the place, and with the way out and the way back.
	x.tap(".dots")
	item("^Choose several$")
	says("Choose tasks")
	x.tap(`#many button`)
	over()
	x.tap(".dots")
	item("^Choose several$")
	x.tap(`#list .task:nth-child(1) .title`)
	x.tap(`#list .task:nth-child(3) .title`)
	says("2 chosen")
	x.tap(`#many .erase`)
	over()
	x.wait(`document.querySelectorAll("#list .task").length === 1`)
	x.tap(`#undo button`)
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	x.settled()

	// What a row's menu does by itself.
	x.tap(`#list .task:nth-child(1) .own`)
	item("^Tomorrow$")
	x.wait(row("one") + `.querySelector(".details").textContent === "tomorrow"`)
	x.tap(`#list .task:nth-child(2) .own`)
	item("^Delete$")
	x.wait(`document.querySelectorAll("#list .task").length === 2`)
	x.press('u')
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	x.settled()
	if all := fmt.Sprint(p.done("GET", "/tasks/", ann, "")); strings.Count(all, "title:") < 3 || strings.Contains(all, "completed:true") {
		t.Error(all)
	}
}

// Several are chosen with a mouse too, by who does not know of Ctrl.
func TestPageChoosesWithoutKeys(t *testing.T) {
	_, x := registered(t)
	for _, title := range []string{"three", "two", "one"} {
		x.add(title)
	}
	x.settled()
	x.click(".dots")
	x.wait(`document.activeElement.closest(".popover.menu")`)
	x.press(input.Enter)
	x.wait(`document.querySelector("#many")`)
	if got := x.focus(); got != "one" {
		t.Errorf("the focus is on %q", got)
	}
	x.press(input.Enter)
	x.press('j')
	x.press('j')
	x.click(`#list .task:nth-child(3) .box`)
	x.wait(`document.querySelector("#many [role=status]").textContent === "2 chosen"`)
	x.click("#many button:nth-of-type(2)")
	x.wait(`!document.querySelector("#many, .choosing") && document.querySelector(".fold summary").textContent === "Done (2)" && document.querySelectorAll("#list .task").length === 1`)
	x.settled()
}

// A place is printed as paper: all of it, with boxes, titles and dates, and nothing to press.
func TestPageOnPaper(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	home := p.list(ann, "Home")
	for i := range 130 {
		p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title": "task %d", "due": "2040-01-02", "list_id": %d}`, i, home))
	}
	p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title": "done", "completed": true, "list_id": %d}`, home))
	x.goTo(fmt.Sprintf("list/%d", home))
	x.wait(`document.querySelectorAll("#list .task").length === 100 && document.querySelector(".dots")`)
	// Without scrolling to it, which would load more.
	x.MustEval(`() => document.querySelector(".fold summary").click()`)
	x.wait(`document.querySelector(".tick:checked")`)
	x.click("#list .task:nth-child(2) .title")
	if n := x.MustEval(`() => document.querySelectorAll("#list .task").length`).Int(); n != 100 {
		t.Fatalf("%d tasks are shown before", n)
	}
	if _, err := x.PDF(&proto.PagePrintToPDF{}); err != nil {
		t.Fatal(err)
	}
	x.wait(`document.querySelectorAll("#list .task").length === 130`)
	for _, scheme := range []string{"light", "dark"} {
		x.MustSetViewport(794, 1123, 1, false)
		if err := (proto.EmulationSetEmulatedMedia{Media: "print", Features: []*proto.EmulationMediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}).Call(x.Page); err != nil {
			t.Fatal(err)
		}
		if folder := os.Getenv("SCREENSHOTS"); folder != "" {
			x.save(filepath.Join(folder, "paper, "+scheme+".png"))
		}
		if found := x.MustEval(`() => {
			const problems = [], seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length && !e.closest(".unseen");
			for (const e of document.querySelectorAll("button, a, input, textarea, select, aside, nav, dialog")) if (seen(e) && !e.matches(".tick, .title, .edit :is([name=title], textarea)")) problems.push(e.outerHTML.slice(0, 80));
			for (const what of [".tick", ".words", ".details", "h1"]) if (![...document.querySelectorAll(what)].some(seen)) problems.push("no " + what);
			const dark = (color) => { const [r, g, b] = color.match(/[\d.]+/g).map(Number); return (r + g + b) / 3 < 100; };
			for (const what of ["h1", ".words", ".details"]) if (!dark(getComputedStyle(document.querySelector(what)).color)) problems.push(what + " is pale");
			// A printer leaves backgrounds out, and the tick must still be seen.
			const tick = document.querySelector(".tick:checked");
			if (!dark(getComputedStyle(tick, "::after").borderBottomColor) || dark(getComputedStyle(tick).backgroundColor) && getComputedStyle(tick).backgroundColor !== "rgba(0, 0, 0, 0)") problems.push("the tick is not seen");
			return problems.join("; ");
		}`).String(); found != "" {
			t.Errorf("%s: %s", scheme, found)
		}
	}
}
