package cmd

import (
	"strings"
	"testing"
)

// A task shows when it is due and how important it is, and keeps both when it is
// deleted and brought back.
func TestPageShowsDueAndPriority(t *testing.T) {
	p, x := registered(t)
	token := p.login()
	for _, body := range []string{
		`{"title":"plain"}`,
		`{"title":"a day","due":"2031-11-30","priority":"high"}`,
		`{"title":"a moment","due":"2031-11-30T09:00","due_zone":"Asia/Kathmandu"}`,
	} {
		if status, answer := p.call("POST", "/tasks/", token, body); status != 201 {
			t.Fatal(status, answer)
		}
	}
	x.MustReload()
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	row := func(title string) string {
		return x.MustEval(`(title) => [...document.querySelectorAll("#list .task")].find((row) => row.textContent.includes(title)).querySelector(".title").textContent`, title).String()
	}
	if text := row("a day"); !strings.Contains(text, "30 November 2031") || !strings.Contains(text, "high priority") {
		t.Errorf("a day: %q", text)
	}
	want := x.MustEval(`() => "30 November 2031 " + new Intl.DateTimeFormat("en-GB", { timeStyle: "short" }).format(new Date("2031-11-30T03:15:00Z"))`).String()
	if text := row("a moment"); !strings.Contains(text, want) {
		t.Errorf("a moment: %q, want %q in it", text, want)
	}
	if text := row("plain"); strings.Contains(text, "·") || strings.Contains(text, "priority") {
		t.Errorf("plain: %q", text)
	}
	x.shot("due and priority")
	x.MustEval(`() => [...document.querySelectorAll("#list .task")].find((row) => row.textContent.includes("a day")).querySelector(".remove").click()`)
	x.MustEval(`() => dispatchEvent(new Event("pagehide"))`)
	x.settled() // the deletion has gone out: it comes back from the trash
	x.MustEval(`() => document.querySelector("#undo button").click()`)
	x.settled()
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	if status, answer := p.call("GET", "/tasks/2", token, ""); status != 200 || answer["due"] != "2031-11-30" || answer["priority"] != "high" {
		t.Error(status, answer)
	}
}
