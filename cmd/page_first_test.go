package cmd

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"
)

// lists are the names of the lists that the server has of a person, but for the Inbox.
func (p *process) lists(token string) string {
	p.t.Helper()
	var names []string
	for _, each := range p.done("GET", "/lists/", token, "")["lists"].([]any) {
		if list := each.(map[string]any); list["inbox"] != true {
			names = append(names, list["name"].(string))
		}
	}
	return strings.Join(names, "|")
}

// Who registers finds a list that teaches by being done. It is made once, whatever becomes of
// the answer and however often the page begins, and does not come again.
func TestPageFirstMinute(t *testing.T) {
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	b := browser(t)
	x := open(t, b, p.url)
	lost := 0
	stop := x.answer("*/batch", http.MethodPost, func(h *rod.Hijack) {
		h.MustLoadResponse()
		if lost++; lost == 1 {
			h.Response.Fail(proto.NetworkErrorReasonConnectionReset)
		}
	})
	x.signUp("ann")
	x.wait(`document.querySelector("#new-task")`)
	x.MustReload() // before it is sent again
	x.wait(`[...document.querySelectorAll("#places .name")].some((e) => e.textContent === "First steps")`)
	stop()
	ann := p.login()
	if got := p.lists(ann); got != "First steps" || lost < 2 {
		t.Errorf("%s after %d requests", got, lost)
	}
	x.MustEval(`() => { location.hash = "#/list/2"; }`)
	x.wait(`document.querySelector("h1")?.textContent === "First steps"`)
	if got, want := x.titles(), "Tick me|Open me to add a date|Drag me: I am a part of the task above|Share this list|Delete this list when you are done"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if n := p.tasks(ann); n != 5 {
		t.Errorf("%d tasks", n)
	}
	x.shot("first minute")
	x.click(".extras .dots")
	x.click(".popover .erase")
	until(t, "the list is gone", func() bool { return p.lists(ann) == "" })
	x.MustReload()
	x.wait(`document.querySelector("#new-task")`)
	x.settled()
	x.click("#menu button")
	x.signIn("ann")
	x.add("my own")
	x.settled()
	other := open(t, b.MustIncognito(), p.url)
	other.signIn("ann")
	other.wait(row("my own"))
	if got, n := p.lists(ann), p.tasks(ann); got != "" || n != 1 {
		t.Errorf("%q and %d tasks", got, n)
	}
}

// The list is where one lands, in one's language; what can't be had keeps nobody out.
func TestPageFirstMinuteInSpanish(t *testing.T) {
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	b := browser(t)
	x := open(t, b, p.url)
	x.as("es-ES")
	x.signUp("ann")
	x.wait(`document.querySelector("h1")?.textContent === "Primeros pasos" && location.hash === "#/list/2"`)
	if got := x.titles(); !strings.HasPrefix(got, "Márcame|Ábreme") {
		t.Error(got)
	}
	x.shot("first minute, Spanish")
	x.goTo("today")
	if got := x.titles(); got != "Márcame" {
		t.Errorf("today: %s", got)
	}
	x.click("#menu button")
	stop := x.answer("*/sample.js", http.MethodGet, func(h *rod.Hijack) { h.Response.Fail(proto.NetworkErrorReasonConnectionReset) })
	if err := (proto.NetworkSetBypassServiceWorker{Bypass: true}).Call(x.Page); err != nil {
		t.Fatal(err)
	}
	x.MustReload()
	x.signUp("bob")
	x.wait(`document.querySelector("#new-task")`)
	stop()
}
