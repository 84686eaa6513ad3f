package cmd

import (
	"fmt"
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
	b := browser(t)
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	x := open(t, b, p.url)
	x.register()
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
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.register()
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
