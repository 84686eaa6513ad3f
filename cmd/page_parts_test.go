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

// part opens the page of somebody who is signed in, with a button that stands for what
// opens a popover, and the functions to call the modules. What they picked is in picked.
func part(t *testing.T, languages string) (*process, *tab) {
	t.Helper()
	p, x := registered(t, "--rate-limit=off")
	if languages != "" {
		x.as(languages)
		x.wait(`document.querySelector("#new-task")`)
	}
	x.parts()
	return p, x
}

// parts puts the button and the functions into a page.
func (x *tab) parts() {
	x.t.Helper()
	x.MustEval(`async () => {
		const from = document.querySelector("script[type=module]").src;
		window.module = (name) => import(new URL(name, from));
		if (!document.querySelector("link[href$='parts.css']")) {
			const link = document.createElement("link");
			Object.assign(link, { rel: "stylesheet", href: new URL("parts.css", from).href });
			const loaded = new Promise((done) => { link.onload = done; });
			document.head.append(link);
			await loaded;
		}
		const anchor = document.createElement("button"), row = document.createElement("p"), behind = document.createElement("button");
		Object.assign(anchor, { id: "anchor", type: "button", textContent: "Pay the rent" });
		Object.assign(behind, { id: "behind", type: "button", textContent: "Next" });
		row.append(anchor, " ", behind);
		document.querySelector("main").prepend(row);
		window.picked = [];
		window.endings = 0;
		window.now = { date: "2026-11-29", time: "10:30" };
		window.openPart = async (file, name, options) => {
			const open = (await module(file))[name];
			anchor.onclick = () => open({ anchor, language: document.documentElement.lang, now, onPick: (what) => picked.push(what), onClose: () => { endings++; }, ...options });
			picked.length = 0;
			endings = 0;
			anchor.focus();
			anchor.click();
		};
	}`)
}

func (x *tab) open(file, name, options string) {
	x.t.Helper()
	x.MustEval(`(file, name, options) => openPart(file, name, JSON.parse(options))`, file, name, options)
	x.wait(`document.querySelector(".popover")?.contains(document.activeElement)`)
}

// shut checks that a popover is gone, who has the focus, and what was picked.
func (x *tab) shut(after, focus, picked string) {
	x.t.Helper()
	x.wait(`!document.querySelector(".popover")`)
	if got := x.focus(); got != focus {
		x.t.Errorf("%s: the focus is on %s, want %s", after, got, focus)
	}
	if got := x.MustEval(`() => JSON.stringify(picked)`).String(); got != picked {
		x.t.Errorf("%s: picked %s, want %s", after, got, picked)
	}
	if n := x.MustEval(`() => endings`).Int(); n != 1 {
		x.t.Errorf("%s: closed %d times", after, n)
	}
	if x.MustEval(`() => document.querySelector("#anchor")?.getAttribute("aria-expanded") === "true"`).Bool() {
		x.t.Errorf("%s: the anchor is expanded", after)
	}
}

// looks checks how a part looks in every width, scheme and with colours of the system:
// nothing is wider than the window, covers the anchor or is too small to touch.
func (x *tab) looks(name, root string) {
	x.t.Helper()
	x.shot("part " + name)
	for _, state := range []struct {
		name          string
		width, height int
		media         []*proto.EmulationMediaFeature
	}{
		{"320, light", 320, 640, nil},
		{"320, dark", 320, 640, []*proto.EmulationMediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}},
		{"zoom 200", 640, 400, nil},
		{"forced colors", 768, 800, []*proto.EmulationMediaFeature{{Name: "forced-colors", Value: "active"}}},
	} {
		x.MustSetViewport(state.width, state.height, 1, false)
		media := append([]*proto.EmulationMediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}, state.media...)
		if err := (proto.EmulationSetEmulatedMedia{Features: media}).Call(x.Page); err != nil {
			x.t.Fatal(err)
		}
		x.wait(fmt.Sprintf("innerWidth === %d", state.width))
		x.MustEval(`() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
		if folder := os.Getenv("SCREENSHOTS"); folder != "" {
			x.save(filepath.Join(folder, "part "+name+", "+state.name+".png"))
		}
		if problem := x.MustEval(`(root) => {
			const panel = document.querySelector(root), box = panel.getBoundingClientRect(), anchor = document.querySelector("#anchor").getBoundingClientRect();
			if (document.documentElement.scrollWidth > innerWidth || box.left < 0 || box.right > innerWidth) return "wider than the window: " + box.left + " to " + box.right;
			if (root === ".popover" && box.top < anchor.bottom && box.bottom > anchor.top && box.left < anchor.right && box.right > anchor.left) return "covers what it is about";
			for (const e of panel.querySelectorAll("button, select, input, .cal-day, textarea")) {
				const target = (e.closest("label") ?? e).getBoundingClientRect();
				if (e.checkVisibility() && (target.height < 44 || target.width < (e.matches(".cal-day, .pop-toggle input") ? 42 : 44))) return "too small to touch: " + e.outerHTML + " " + target.width + " " + target.height;
				if (e.scrollWidth > e.clientWidth + 1 && e.matches("button")) return "cut off: " + e.outerHTML;
			}
			return "";
		}`, root).String(); problem != "" {
			x.t.Errorf("%s, %s: %s", name, state.name, problem)
		}
	}
	x.MustSetViewport(1280, 800, 1, false)
	if err := (proto.EmulationSetEmulatedMedia{}).Call(x.Page); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tab) day() string {
	x.t.Helper()
	return x.MustEval(`() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.outerHTML`).String()
}

// A day is found by keys as the date grid of WAI-ARIA has them.
func TestPagePartsCalendarByKeys(t *testing.T) {
	_, x := part(t, "en-US")
	x.open("calendar.js", "openCalendar", `{"due":null}`)
	for _, step := range []struct {
		key  input.Key
		want string
	}{
		{input.ArrowRight, "Monday 30 November 2026"}, {input.ArrowDown, "Monday 7 December 2026"}, {input.Home, "Sunday 6 December 2026"}, {input.End, "Saturday 12 December 2026"},
		{input.ArrowUp, "Saturday 5 December 2026"}, {input.ArrowLeft, "Friday 4 December 2026"}, {input.PageDown, "Monday 4 January 2027"}, {input.PageUp, "Friday 4 December 2026"},
	} {
		x.press(step.key)
		if got := strings.ReplaceAll(x.day(), ",", ""); got != step.want {
			t.Fatalf("%s, want %s", got, step.want)
		}
	}
	if got := x.MustEval(`() => document.querySelector(".cal-month").textContent + document.querySelectorAll(".cal-days [tabindex='0']").length + document.querySelectorAll(".cal-days [aria-current]").length`).String(); got != "December 202611" {
		t.Error(got)
	}
	x.press(input.Enter)
	x.shut("Enter", "anchor", `["2026-12-04"]`)

	x.open("calendar.js", "openCalendar", `{"due":"2026-12-01T09:00"}`)
	x.press(input.ArrowRight)
	x.press(input.Escape)
	x.shut("Esc", "anchor", `[]`)

	// With Shift by years, and by the space bar; the time stays.
	x.open("calendar.js", "openCalendar", `{"due":"2028-02-29T09:00"}`)
	x.KeyActions().Press(input.ShiftLeft).Type(input.PageDown).Release(input.ShiftLeft).MustDo()
	x.press(input.Space)
	x.shut("Shift+PageDown", "anchor", `["2029-02-28T09:00"]`)

	// Backwards to the anchor, and forwards past it.
	x.open("calendar.js", "openCalendar", `{"due":null}`)
	x.MustEval(`() => document.querySelector(".popover button").focus()`)
	x.KeyActions().Press(input.ShiftLeft).Type(input.Tab).Release(input.ShiftLeft).MustDo()
	x.shut("Shift+Tab", "anchor", `[]`)
	x.open("calendar.js", "openCalendar", `{"due":null}`)
	x.MustEval(`() => [...document.querySelectorAll(".popover button")].at(-1).focus()`)
	x.press(input.Tab)
	x.shut("Tab", "behind", `[]`)

	// The keys of the page are not for here.
	x.open("calendar.js", "openCalendar", `{"due":null}`)
	x.press('n')
	x.press('?')
	if got := x.MustEval(`() => Boolean(document.activeElement.closest(".popover")) && !document.querySelector("dialog[open]")`).Bool(); !got {
		t.Error("a key of the page was taken")
	}
	// Who is drawn anew meanwhile gets the focus all the same.
	x.MustEval(`() => { const old = document.querySelector("#anchor"); old.replaceWith(old.cloneNode(true)); }`)
	x.press(input.Escape)
	x.shut("a new anchor", "anchor", `[]`)
}

func TestPagePartsCalendarByPointer(t *testing.T) {
	_, x := part(t, "")
	x.open("calendar.js", "openCalendar", `{"due":"2026-12-01"}`)
	x.looks("calendar", ".popover")
	for chip, want := range map[int]string{1: `["2026-11-29"]`, 2: `["2026-11-30"]`, 3: `["2026-12-05"]`, 4: `["2026-11-30"]`, 5: `[null]`} {
		x.MustEval(`() => document.querySelector(".popover") ?? document.querySelector("#anchor").click()`)
		x.click(fmt.Sprintf(".popover .cal-choice:nth-child(%d)", chip))
		x.wait(`!document.querySelector(".popover")`)
		if got := x.MustEval(`() => JSON.stringify(picked.splice(0))`).String(); got != want {
			t.Errorf("choice %d: %s, want %s", chip, got, want)
		}
	}
	x.open("calendar.js", "openCalendar", `{"due":"2026-12-01"}`)
	x.click(".cal-turn:last-child")
	x.wait(`document.querySelector(".cal-month").textContent === "January 2027"`)
	x.click(`.cal-day[aria-label*="15 January"]`)
	x.shut("a day", "anchor", `["2027-01-15"]`)

	// A second press closes it.
	x.open("calendar.js", "openCalendar", `{"due":null}`)
	x.click("#anchor")
	x.shut("a second press", "anchor", `[]`)

	// Who goes on elsewhere keeps the time that was typed, and the focus where it went.
	x.open("calendar.js", "openCalendar", `{"due":"2026-12-01","zone":"Asia/Kathmandu"}`)
	x.MustEval(`() => { const time = document.querySelector("#calendar-time"); time.value = "18:30"; time.dispatchEvent(new Event("input")); }`)
	x.wait(`document.querySelector(".pop-set").textContent === "Set: Tuesday 18:30" && document.querySelector(".cal-zone").textContent.includes("Asia/Kathmandu")`)
	x.looks("calendar with a time", ".popover")
	x.click("#behind")
	x.shut("leaving", "behind", `["2026-12-01T18:30"]`)
	x.open("calendar.js", "openCalendar", `{"due":"2026-12-01T18:30"}`)
	x.click(".cal-clock button")
	x.wait(`document.activeElement.id === "calendar-time" && !document.activeElement.value`)
	x.press(input.Enter)
	x.shut("no time", "anchor", `["2026-12-01"]`)
	x.open("calendar.js", "openCalendar", `{"due":null}`)
	x.MustEval(`() => document.querySelector("#new-task").focus()`)
	x.shut("nothing", "new-task", `[]`)

	// At the bottom of the window it opens above.
	x.MustEval(`() => { document.querySelector("#anchor").parentElement.style.cssText = "position: fixed; bottom: 0; left: 0"; }`)
	x.open("calendar.js", "openCalendar", `{"due":null}`)
	if !x.MustEval(`() => { const box = document.querySelector(".popover").getBoundingClientRect(); return box.top >= 0 && box.bottom <= document.querySelector("#anchor").getBoundingClientRect().top; }`).Bool() {
		t.Error("it is not above")
	}
	x.press(input.Escape)
}

// The rules come in words, with the dates that follow.
func TestPagePartsRepeat(t *testing.T) {
	_, x := part(t, "")
	shown := func(want string) {
		t.Helper()
		x.wait(fmt.Sprintf(`document.querySelector(".pop-next").innerText.replace(/\s+/g, " ").trim() === %q`, want))
	}
	x.open("repeat.js", "openRepeat", `{"rule":null,"from":null,"due":"2026-12-11T09:00"}`)
	x.wait(`[...document.querySelectorAll(".pop-rules .check")].map((e) => e.textContent).join() === "Does not repeat,Every day,Every weekday,Every Friday,Every 2 weeks on Friday,Every month on the 11th,Every month on the second Friday,Every year on 11 December,Custom"`)
	for range 4 {
		x.press(input.ArrowDown)
	}
	shown("Next: Fri 25 Dec Fri, 8 Jan 2027 Fri, 22 Jan 2027")
	x.looks("repeat", ".popover")
	x.press(input.Enter)
	x.shut("Enter", "anchor", `[{"recurrence":"FREQ=WEEKLY;INTERVAL=2;BYDAY=FR","recurrence_from":"due"}]`)

	// What is chosen is taken by who leaves, and not after Esc.
	x.open("repeat.js", "openRepeat", `{"rule":"FREQ=DAILY","from":"due","due":"2026-12-31"}`)
	x.click(`[value=month]`)
	shown("Next: Sun, 31 Jan 2027 Sun, 28 Feb 2027 Wed, 31 Mar 2027 Shorter months take their last day.")
	x.press(input.Escape)
	x.shut("Esc", "anchor", `[]`)
	x.open("repeat.js", "openRepeat", `{"rule":"FREQ=DAILY","from":"due","due":"2026-12-31"}`)
	x.click(`[value=never]`)
	x.click("#behind")
	x.shut("never", "behind", `[null]`)
	x.open("repeat.js", "openRepeat", `{"rule":"FREQ=DAILY","from":"due","due":"2026-12-31"}`)
	x.click("#behind")
	x.shut("nothing", "behind", `[]`)

	// Counted from completion, rules name no day.
	x.open("repeat.js", "openRepeat", `{"rule":null,"from":null,"due":"2026-12-11"}`)
	x.click(`[value=nth]`)
	x.click(`.popover [type=checkbox]:not(.pop-toggle input)`)
	x.wait(`document.querySelector(".popover [type=radio]:checked").value === "month"`)
	x.click(`[value=weeks]`)
	shown("Done today, it comes again on Sun 13 Dec")
	x.click(".popover [type=submit]")
	x.shut("completion", "anchor", `[{"recurrence":"FREQ=WEEKLY;INTERVAL=2","recurrence_from":"completion"}]`)

	// One of one's own.
	x.open("repeat.js", "openRepeat", `{"rule":"FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,FR;COUNT=4","from":"due","due":"2026-12-11"}`)
	x.wait(`document.querySelector("[value=own]").checked && document.querySelector("[value=own]").parentElement.textContent === "Every 3 weeks on Monday and Friday, 4 times"`)
	x.click(`[value=custom]`)
	x.click(`.pop-toggle:nth-child(4)`)
	x.click(`.pop-toggle:nth-child(2)`)
	x.replace("#repeat-interval", "0")
	x.wait(`document.querySelector(".pop-next .problem") && document.querySelector(".popover [type=submit]").disabled`)
	x.looks("repeat custom", ".popover")
	x.replace("#repeat-interval", "2")
	x.replace("#repeat-count", "3")
	shown("Next: Wed 23 Dec Fri 25 Dec")
	x.press(input.Enter)
	x.shut("custom", "anchor", `[{"recurrence":"FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,FR;COUNT=3","recurrence_from":"due"}]`)
	x.open("repeat.js", "openRepeat", `{"rule":null,"from":null,"due":"2026-12-11"}`)
	x.click(`[value=custom]`)
	x.MustElement("#repeat-unit").MustSelect("months")
	x.MustElement("#repeat-month").MustSelect("on the second Friday")
	x.MustElement("#repeat-end").MustSelect("on a day")
	x.press(input.Escape)
	x.shut("Esc", "anchor", `[]`)

	// A task without a date gets one, and it is said.
	x.open("repeat.js", "openRepeat", `{"rule":null,"from":null,"due":null}`)
	x.click(`[value=workdays]`)
	shown("It becomes due on tomorrow. Next: Tue 1 Dec Wed 2 Dec Thu 3 Dec")
	x.click(".popover [type=submit]")
	x.shut("no date", "anchor", `[{"recurrence":"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR","recurrence_from":"due","due":"2026-11-30"}]`)
}

func TestPagePartsReminders(t *testing.T) {
	_, x := part(t, "")
	x.open("remind.js", "openReminders", `{"reminders":[{"before":"PT60M"},{"before":"PT2H"}],"due":"2031-12-01T09:00"}`)
	x.wait(`[...document.querySelectorAll(".pop-rules .check")].map((e) => e.textContent + e.firstChild.checked).join() === "When it is duefalse,10 minutes beforefalse,30 minutes beforefalse,1 hour beforetrue,1 day beforefalse,2 hours beforetrue"`)
	x.click("#remind-0")
	x.click("#remind-5")
	x.replace(".popover [type=number]", "31")
	x.MustElement(".popover select").MustSelect("days before")
	x.click(".popover [type=submit]")
	x.wait(`document.querySelector(".popover .problem").textContent && document.activeElement.type === "number"`)
	x.replace(".popover [type=number]", "3")
	x.press(input.Enter)
	x.wait(`document.activeElement.id === "remind-6" && document.activeElement.parentElement.textContent === "3 days before"`)
	x.MustElement(".popover select").MustSelect("at a moment")
	x.MustEval(`() => { document.querySelector(".popover [type=datetime-local]").value = "2026-11-29T10:00"; }`)
	x.click(".popover [type=submit]")
	x.wait(`document.querySelector(".popover .problem").textContent === "This moment is over."`)
	x.MustEval(`() => { document.querySelector(".popover [type=datetime-local]").value = "2031-11-30T18:00"; }`)
	x.click(".popover [type=submit]")
	x.wait(`document.activeElement.id === "remind-7"`)
	x.looks("reminders", ".popover")
	x.click("#remind-1")
	x.wait(`document.querySelector("#remind-2").disabled && document.querySelector(".popover [type=submit]").disabled && document.querySelector(".popover").textContent.includes("as many as a task may have")`)
	x.looks("reminders full", ".popover")
	moment := x.MustEval(`() => new Date("2031-11-30T18:00").toISOString().replace(".000", "")`).String()
	x.click(".popover .pop-set")
	x.shut("done", "anchor", `[[{"before":"PT0S"},{"before":"PT10M"},{"before":"PT1H"},{"before":"P3D"},{"at":"`+moment+`"}]]`)

	x.open("remind.js", "openReminders", `{"reminders":[],"due":"2031-12-01"}`)
	x.wait(`document.querySelector(".popover").textContent.includes("The day before at 18:00")`)
	x.press(input.Space)
	x.press(input.Escape)
	x.shut("Esc", "anchor", `[]`)
	x.open("remind.js", "openReminders", `{"reminders":[],"due":"2031-12-01"}`)
	x.press(input.Space)
	x.click("#behind")
	x.shut("leaving", "behind", `[[{"before":"PT0S"}]]`)
	x.open("remind.js", "openReminders", `{"reminders":[],"due":null}`)
	x.wait(`document.querySelector(".popover").textContent.includes("The task has no date.") && document.activeElement.localName === "select"`)
	x.looks("reminders without a date", ".popover")
	x.press(input.Escape)
}

// All of it in Spanish, where weeks begin on Monday.
func TestPagePartsInSpanish(t *testing.T) {
	_, x := part(t, "es-ES")
	x.open("calendar.js", "openCalendar", `{"due":"2026-12-01T09:00","zone":"America/New_York"}`)
	x.wait(`document.querySelector(".cal-month").textContent === "Diciembre de 2026" && document.querySelector(".cal-days [role=columnheader]").getAttribute("aria-label") === "lunes" && document.querySelector(".pop-set").textContent === "Fijar: martes 09:00"`)
	x.looks("calendar in Spanish", ".popover")
	x.press(input.Escape)
	x.open("repeat.js", "openRepeat", `{"rule":"FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,FR;UNTIL=20270601","from":"due","due":"2026-12-11"}`)
	x.click(`[value=custom]`)
	x.wait(`document.querySelector(".pop-next").textContent.startsWith("Próximas:")`)
	x.looks("repeat in Spanish", ".popover")
	x.press(input.Escape)
	x.open("remind.js", "openReminders", `{"reminders":[{"before":"P1D"}],"due":"2031-12-01T09:00"}`)
	x.wait(`document.querySelector(".popover").textContent.includes("1 día antes")`)
	x.looks("reminders in Spanish", ".popover")
	x.press(input.Escape)
}

// What the editor of repetition offers, the server takes as it is, and a task that is
// done comes again on the date that was shown.
func TestPagePartsRepeatAsTheServer(t *testing.T) {
	_, x := part(t, "")
	wrong := x.MustEval(`async () => {
		const { Api } = await module("api.js"), { comingDates, repeatChoices, sameRule } = await module("choices.js"), wrong = [];
		const api = new Api();
		await api.resume();
		const now = { date: new Intl.DateTimeFormat("sv").format(new Date()), time: "12:00" };
		for (const due of [now.date, "2031-01-31", "2032-02-29T09:00", "2031-12-11", "2020-05-30"]) {
			for (const completion of [false, true]) {
				for (const { rule: recurrence } of repeatChoices(due, completion)) {
					const { task } = await api.request("POST", "/tasks/", { title: recurrence, due, recurrence, recurrence_from: completion ? "completion" : "due" });
					if (!sameRule(task.recurrence, recurrence)) wrong.push(due + " " + recurrence + " became " + task.recurrence);
					const done = await api.request("PATCH", "/tasks/" + task.id, { completed: true });
					const next = comingDates(recurrence, completion, due, now)[0];
					if (done.task.due !== next) wrong.push(due + " " + recurrence + " " + completion + ": " + done.task.due + ", shown " + next);
				}
			}
		}
		return wrong.join("\n");
	}`).String()
	if wrong != "" {
		t.Error(wrong)
	}
}

// The popovers open at the chips of a task, do not close its editor, and give the focus
// back to the chip, which is drawn anew.
func TestPagePartsOnATask(t *testing.T) {
	_, x := part(t, "")
	x.add("Pay the rent")
	x.settled()
	x.click("#list .title")
	x.click("[data-chip=due]")
	x.wait(`document.querySelector(".popover")?.contains(document.activeElement)`)
	x.click(".popover .cal-choice:nth-child(2)")
	x.wait(`document.querySelector("[data-chip=due]")?.textContent.startsWith("tomorrow") && document.activeElement.dataset.chip === "due"`)
	x.click("[data-chip=repeat]")
	x.wait(`document.querySelector(".popover")?.contains(document.activeElement)`)
	x.shot("part repeat on a task")
	x.click(".popover [value=day]")
	x.press(input.Enter)
	x.wait(`document.querySelector("[data-chip=repeat]")?.textContent.startsWith("every day") && document.activeElement.dataset.chip === "repeat"`)
	x.click("[data-chip=remind]")
	x.wait(`document.querySelector(".popover")?.contains(document.activeElement)`)
	x.shot("part reminders on a task")
	x.press(input.Space)
	x.click(".popover .pop-set")
	x.settled()
	x.wait(`document.activeElement.dataset.chip === "remind"`)
}
