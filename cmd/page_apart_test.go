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

// apart scrolls to each control below a root, as a person does who needs it, and names what
// is then covered at any point, out of the window or of its panel, on another control, or cut
// off.
const apart = `async (root) => {
	await Promise.all(document.getAnimations().map((each) => each.finished));
	const problems = new Set(), { clientWidth: wide, scrollWidth } = document.documentElement;
	if (scrollWidth > wide) problems.add("wider than the window by " + (scrollWidth - wide));
	const name = (e) => e?.id || e?.getAttribute("aria-label") || e?.textContent.trim().slice(0, 30) || e?.outerHTML.slice(0, 60) || "nothing";
	const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0 && !e.closest(".skip");
	const controls = [...document.querySelector(root).querySelectorAll("button, a[href], input, textarea, select, summary, [tabindex='0']")].filter(seen);
	const fixed = (e) => { for (; e; e = e.parentElement) if (getComputedStyle(e).position === "fixed") return true; return false; };
	const label = (e) => e.closest("label") ?? e;
	const inside = (box, other) => box.left >= other.left - 1 && box.right <= other.right + 1 && box.bottom <= other.bottom + 1;
	for (const one of controls) {
		one.scrollIntoView({ block: "nearest" });
		for (const box of one.getClientRects()) {
			for (const x of [0.25, 0.5, 0.75]) for (const y of [0.25, 0.5, 0.75]) {
				const at = [box.left + box.width * x, box.top + box.height * y];
				if (at[0] < 0 || at[0] > wide || at[1] < 0 || at[1] > innerHeight) { problems.add("out of the window: " + name(one)); continue; }
				const found = document.elementFromPoint(...at);
				// An input that cannot be seen takes its clicks through its label.
				if (!one.contains(found) && !label(one).contains(found)) problems.add(name(found) + " covers " + name(one));
			}
		}
		const panel = one.parentElement.closest(".popover, .edit, .panel, .bar, .task, dialog, nav");
		if (panel && panel !== document.querySelector("nav") && !inside(one.getBoundingClientRect(), panel.getBoundingClientRect())) problems.add("out of its panel: " + name(one));
		const style = getComputedStyle(one);
		if (one.matches("button, a") && one.scrollWidth > one.clientWidth + 1 && style.display !== "inline") problems.add("cut off: " + name(one));
	}
	const boxes = controls.map((e) => [e, e.getBoundingClientRect(), fixed(e)]);
	for (const [i, [one, a, still]] of boxes.entries()) for (const [other, b, too] of boxes.slice(i + 1)) {
		if (still !== too || one.contains(other) || label(one).contains(other)) continue;
		if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) problems.add(name(one) + " and " + name(other));
	}
	const pen = document.createElement("canvas").getContext("2d");
	for (const field of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
		const style = getComputedStyle(field);
		pen.font = style.font;
		const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
		if (field.checkVisibility() && pen.measureText(field.placeholder).width > room) problems.add("cut off: " + field.placeholder);
	}
	// Words end with their element, or with an ellipsis.
	for (const e of document.querySelectorAll("h1, h2, .words, .details, .more, .name, .chip, .soft, p, .bar span")) {
		const box = e.getBoundingClientRect();
		if (seen(e) && !e.closest(".unseen") && (box.left < -1 || box.right > wide + 1)) problems.add("out of the window: " + name(e));
		if (seen(e) && !e.closest(".unseen") && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && getComputedStyle(e).textOverflow !== "ellipsis") problems.add("cut off: " + name(e));
	}
	scrollTo(0, 0);
	return [...problems].join("; ");
}`

func (x *tab) apart(root, state string) {
	x.t.Helper()
	if found := x.MustEval(apart, root).String(); found != "" {
		x.t.Errorf("%s: %s", state, found)
	}
}

// sized gives the window a size, and lets the page follow.
func (x *tab) sized(width, height int) {
	x.t.Helper()
	x.MustSetViewport(width, height, 1, false)
	x.wait(fmt.Sprintf("innerWidth === %d && innerHeight === %d", width, height))
	x.MustEval(`() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
}

// In any window, no control is covered by anything: in Today, with a task open, with all
// that can be chosen, and on the page of the account.
func TestPageControlsLieApart(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	home := p.list(ann, "Home")
	for i := range 8 {
		p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title": "task number %d of eight", "due": "2026-01-02", "list_id": %d, "labels": ["one", "two"], "priority": "high"}`, i+1, home))
	}
	places := []struct {
		name, hash, wait, title string
	}{
		{"Today", "#/today", `document.querySelectorAll("#list .task").length >= 8`, ""},
		{"an open task", fmt.Sprintf("#/list/%d", home), `document.querySelectorAll("#list .task").length === 8 && document.querySelector(".extras .dots")`, `#list .task:nth-child(3) .title`},
		{"choosing", "#/today", `document.querySelector(".extras .dots")`, ".dots"},
		{"account", "#account", `document.querySelector("main form")`, ""},
	}
	for _, language := range []string{"en", "es"} {
		x.as(language)
		for _, place := range places {
			x.sized(1280, 800)
			x.MustEval(`(hash) => { location.hash = hash; }`, place.hash)
			x.wait(place.wait)
			if place.title != "" {
				x.click(place.title)
				if place.name == "choosing" {
					x.click(".popover button")
					x.click("#list .task .title")
				}
			}
			for _, width := range []int{320, 390, 768, 1280} {
				x.sized(width, 700)
				x.apart("body", fmt.Sprintf("%s, %s, %d px", place.name, language, width))
			}
			x.press(input.Escape)
		}
	}
}

// What opens from a chip, a row or a place never covers what it is about: on a narrow window
// none of what can be changed, and anywhere not what opened it.
func TestPagePopoversCoverNothing(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	home := p.list(ann, "A list whose name takes more than one line")
	for _, title := range []string{"three", "two", "one"} {
		p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title": %q, "due": "2026-01-02T09:00", "list_id": %d, "labels": ["a", "b"]}`, title, home))
	}
	x.goTo(fmt.Sprintf("list/%d", home))
	x.wait(`document.querySelectorAll("#list .task").length === 3 && document.querySelector(".extras .dots")`)
	over := func(selector string) string {
		return x.MustEval(`(selector) => {
			const panel = document.querySelector(".popover").getBoundingClientRect(), covered = [];
			for (const e of document.querySelectorAll(selector)) {
				const box = e.getBoundingClientRect();
				if (e.checkVisibility() && Math.min(box.right, panel.right) - Math.max(box.left, panel.left) > 1 && Math.min(box.bottom, panel.bottom) - Math.max(box.top, panel.top) > 1) covered.push(e.textContent || e.outerHTML);
			}
			return covered.join();
		}`, selector).String()
	}
	for _, width := range []int{320, 390, 640, 1280} {
		x.sized(width, 640)
		x.click("#list .task:nth-child(2) .title")
		for _, chip := range []string{"due", "repeat", "remind"} {
			x.click("#chip-" + chip)
			x.wait(`document.querySelector(".popover")`)
			x.MustEval(`() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
			about := ".edit input, .edit textarea, .edit .chip, .edit button"
			if width > 640 {
				about = "#chip-" + chip
			}
			if covered := over(about); covered != "" {
				t.Errorf("%d px, %s: it covers %s", width, chip, covered)
			}
			if top := x.MustEval(`(chip) => document.querySelector(chip).getBoundingClientRect().top`, "#chip-"+chip).Num(); top < 0 {
				t.Errorf("%d px, %s: the chip is at %v", width, chip, top)
			}
			x.apart(".popover", fmt.Sprintf("%d px, %s", width, chip))
			x.press(input.Escape)
			x.wait(`!document.querySelector(".popover")`)
			if left := x.MustEval(`() => [...document.querySelectorAll(".chip")].some((e) => e.style.marginBottom)`).Bool(); left {
				t.Errorf("%d px, %s: the room stays", width, chip)
			}
		}
		x.press(input.Escape)
		x.click(".extras .dots")
		x.wait(`document.querySelector(".popover.menu")`)
		if covered := over(".head h1, .extras button"); covered != "" {
			t.Errorf("%d px: the menu covers %s", width, covered)
		}
		x.apart(".popover", fmt.Sprintf("%d px, the menu", width))
		x.press(input.Escape)
	}
}

// What people write is longer than any plan, and runs in either direction: nothing is cut
// off, nothing scrolls sideways, and a title stands at its box.
func TestPageTakesAnyText(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	word := strings.Repeat("Donaudampfschifffahrt", 4)
	names := []string{word, "رسائل طويلة جدا من القائمة التي لا تنتهي أبدا في هذا البيت", "רשימה ארוכה מאוד של דברים לעשות בבית ובגינה לפני החורף"}
	for i := range 17 {
		names = append(names, fmt.Sprintf("List number %d has a name that goes on for longer than there is room", i+1))
	}
	var lists []int
	for _, name := range names {
		lists = append(lists, p.list(ann, name))
	}
	for i, title := range []string{word, "اتصل بأمي مساءً", "שלום עולם, לקנות לחם"} {
		p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title": %q, "description": %q, "due": "2026-01-02", "list_id": %d, "labels": ["سوق", %q]}`, title, title, lists[i], word[:40]))
	}
	for _, size := range [][2]int{{320, 640}, {640, 400}, {1280, 800}} {
		x.sized(size[0], size[1])
		for _, place := range []string{"today", fmt.Sprintf("list/%d", lists[0]), fmt.Sprintf("list/%d", lists[1]), fmt.Sprintf("list/%d", lists[2]), "search?q=a"} {
			state := fmt.Sprintf("%s at %d", place, size[0])
			x.goTo(place)
			x.wait(`document.querySelector("#list .task .words")`)
			x.apart("body", state)
			if far := x.MustEval(`() => [...document.querySelectorAll("#list .words")].filter((e) => {
				const range = document.createRange();
				range.selectNodeContents(e);
				return range.getBoundingClientRect().left - e.closest(".task").querySelector(".box").getBoundingClientRect().right > 12;
			}).map((e) => e.textContent).join()`).String(); far != "" {
				t.Errorf("%s: far from its box: %s", state, far)
			}
			x.click("#list .task .title")
			x.apart("body", state+", open")
			x.press(input.Escape)
		}
		if size[0] < 900 {
			x.click("#places-open")
			x.apart("#places", fmt.Sprintf("the places at %d", size[0]))
			x.press(input.Escape)
		}
	}
}

// Every place, and what opens in it, with all that a row can show: the pictures and axe of shot.
func TestPageLooksRightEverywhere(t *testing.T) {
	if os.Getenv("SCREENSHOTS") == "" && os.Getenv("AXE_JS") == "" {
		t.Skip("neither SCREENSHOTS nor AXE_JS is set")
	}
	p, x := registered(t, "--rate-limit=off")
	ann, bob := p.login(), p.another("bob")
	home := p.list(ann, "Home")
	p.join(ann, bob, home, "editor")
	for i, more := range []string{`"due": "2026-01-02", "priority": "high", "assignee_id": 1`, `"labels": ["errands"], "assignee_id": 2`, `"due": "2040-01-02", "recurrence": "FREQ=WEEKLY"`} {
		p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title": "task %d", "description": "And some words on it.", "list_id": %d, %s}`, i, home, more))
	}
	p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title": "done", "completed": true, "list_id": %d}`, home))
	x.everywhere(home, x.shot)
	// Last, since Chromium keeps the white canvas of forced colours.
	x.everywhere(home, x.forced)
}

// everywhere goes to every place, opens what can be opened, and looks.
func (x *tab) everywhere(list int, look func(name string)) {
	x.t.Helper()
	for _, place := range []string{"#/today", "#/upcoming", "#/inbox", "#/label/errands", "#/search?q=task", "#/trash", "#account", fmt.Sprintf("#/list/%d", list)} {
		ready := ".dots"
		switch place {
		case "#account":
			ready = "main form"
		case "#/trash":
			ready = "main h1"
		}
		x.MustEval(`(place) => { location.hash = place; }`, place)
		x.wait(fmt.Sprintf("document.querySelector(%q)", ready))
		look("place " + strings.NewReplacer("#", "", "/", " ").Replace(place))
	}
	x.click(".fold summary")
	x.click("#list .task .title")
	look("place with all open")
	x.click("#chip-due")
	x.wait(`document.querySelector(".popover")`)
	look("place with the calendar")
	x.press(input.Escape)
	x.press(input.Escape)
	x.click(".dots")
	x.wait(`document.querySelector(".popover")`)
	look("place with its menu")
	x.press(input.Escape)
	x.click(".fold summary")
}

// forced looks at a state with colours of the system.
func (x *tab) forced(name string) {
	x.t.Helper()
	if err := (proto.EmulationSetEmulatedMedia{Features: []*proto.EmulationMediaFeature{{Name: "forced-colors", Value: "active"}, {Name: "prefers-reduced-motion", Value: "reduce"}}}).Call(x.Page); err != nil {
		x.t.Fatal(err)
	}
	if folder := os.Getenv("SCREENSHOTS"); folder != "" {
		x.save(filepath.Join(folder, name+", forced.png"))
	}
	if axe := os.Getenv("AXE_JS"); axe != "" {
		x.axe(axe, name+", forced")
	}
}
