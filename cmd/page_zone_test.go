package cmd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// Days and times are those of the account, wherever the browser is.
func TestPageInTheZoneOfTheAccount(t *testing.T) {
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	b := browser(t)
	x := open(t, b, p.url)
	// It is never the same day there as on Niue.
	if err := (proto.EmulationSetTimezoneOverride{TimezoneID: "Pacific/Kiritimati"}).Call(x.Page); err != nil {
		t.Fatal(err)
	}
	x.register()
	ann := p.login()
	p.done("PATCH", "/users/me", ann, `{"time_zone":"Pacific/Niue"}`)
	niue := time.FixedZone("Niue", -11*3600)
	x.MustReload()
	x.goTo("today")
	today := func() string { return time.Now().In(niue).Format("Monday 2 January") }
	x.wait(fmt.Sprintf(`[%q, %q].includes(document.querySelector(".head .soft")?.textContent)`, today(), today()))
	x.enter("#new-task", "mine today")
	x.press(input.Enter)
	x.wait(row("mine"))
	x.settled()
	if got, want := p.done("GET", "/tasks/1", ann, "")["due"], time.Now().In(niue).Format(time.DateOnly); got != want {
		t.Errorf("due %v, want %s", got, want)
	}
	if got := x.details("mine"); got != "" {
		t.Errorf("today is %q", got)
	}
	// A moment, a time of day and a day.
	p.done("POST", "/tasks/", ann, `{"title":"a moment","due":"2031-12-01T09:00","due_zone":"Europe/Berlin"}`)
	p.done("POST", "/tasks/", ann, `{"title":"a time","due":"2031-12-01T09:00"}`)
	p.done("POST", "/tasks/", ann, `{"title":"a day","due":"2031-12-01"}`)
	x.goTo("inbox")
	for title, want := range map[string]string{"a moment": "30 November 2031 21:00 (Nov 30, 2031, 9:00 PM)", "a time": "1 December 2031 09:00 (Dec 1, 2031, 9:00 AM)", "a day": "1 December 2031 (Dec 1, 2031)"} {
		x.wait(row(title))
		got := x.MustEval(`() => { const e = ` + row(title) + `.querySelector(".details bdi"); return e.textContent + " (" + e.title.replace("\u202f", " ") + ")"; }`).String()
		if got != want {
			t.Errorf("%s: %s, want %s", title, got, want)
		}
	}
	// The calendar asks for the time of the zone that the task is in.
	x.MustEval(`() => ` + row("a moment") + `.querySelector(".title").click()`)
	x.click("#chip-due")
	x.wait(`document.querySelector(".popover .cal-zone")?.textContent === "The time is that of Europe/Berlin." && document.querySelector("#calendar-time").value === "09:00"`)
	x.MustEval(`() => { const time = document.querySelector("#calendar-time"); time.value = "10:00"; time.dispatchEvent(new Event("input")); document.querySelector(".popover .pop-set").click(); }`)
	until(t, "the time is set", func() bool {
		return p.done("GET", "/tasks/2", ann, "")["due_at"] == "2031-12-01T09:00:00Z"
	})

	// A reminder at a time is of the own zone, and needs no date; a repetition brings one.
	x.MustEval(`() => ` + row("mine") + `.querySelector(".title").click()`)
	x.click("#chip-due")
	x.wait(`document.querySelector(".popover")`)
	x.MustEval(`() => [...document.querySelectorAll(".popover button")].find((e) => e.textContent === "No date").click()`)
	until(t, "there is no date", func() bool { return p.done("GET", "/tasks/1", ann, "")["due"] == nil })
	x.wait(`!document.querySelector(".popover") && document.querySelector("#chip-due").textContent === "+ Date"`)
	x.click("#chip-remind")
	x.wait(`document.querySelector(".popover.remind input[type=datetime-local]")`)
	x.MustEval(`() => { const at = document.querySelector(".popover.remind input[type=datetime-local]"); at.value = "2031-07-04T08:30"; at.closest("form").requestSubmit(); }`)
	x.wait(`document.querySelector(".popover.remind").textContent.includes("4 Jul 2031, 08:30")`)
	x.shot("reminder without a date")
	x.click(".popover .pop-set")
	until(t, "the reminder is there", func() bool {
		return strings.Contains(fmt.Sprint(p.done("GET", "/tasks/1", ann, "")["reminders"]), "2031-07-04T19:30:00Z")
	})
	x.click("#chip-repeat")
	x.wait(`document.querySelector(".popover.repeat")`)
	x.MustEval(`() => { document.querySelector(".popover.repeat input[value=day], .popover.repeat input[type=radio]:not(:checked)").click(); document.querySelector(".popover.repeat form").requestSubmit(); }`)
	until(t, "it repeats from today on", func() bool {
		task := p.done("GET", "/tasks/1", ann, "")
		return task["recurrence"] == "FREQ=DAILY" && task["due"] == time.Now().In(niue).Format(time.DateOnly)
	})
}
