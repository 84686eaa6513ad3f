package cmd

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// lose gives each POST of a task to the server and then does as act says with
// the answer, until the returned function is called.
func (x *tab) lose(act func(h *rod.Hijack)) (stop func()) {
	x.t.Helper()
	router := x.HijackRequests()
	router.MustAdd("*/tasks/", func(h *rod.Hijack) {
		if h.Request.Method() != http.MethodPost {
			h.ContinueRequest(&proto.FetchContinueRequest{})
			return
		}
		if h.LoadResponse(http.DefaultClient, true) == nil {
			act(h)
		}
	})
	go router.Run()
	return func() {
		if err := router.Stop(); err != nil {
			x.t.Error(err)
		}
	}
}

// only says how often a title stands in the list, and on the server.
func (x *tab) only(p *process, title string, want int) {
	x.t.Helper()
	x.settled()
	x.wait(fmt.Sprintf(`[...document.querySelectorAll("#list .words")].filter((e) => e.textContent === %q).length === %d`, title, want))
	_, answer := p.call("GET", "/tasks/?per_page=100", p.login(), "")
	n := 0
	for _, task := range answer["tasks"].([]any) {
		if task.(map[string]any)["title"] == title {
			n++
		}
	}
	if n != want {
		x.t.Errorf("the server has %q %d times, want %d", title, n, want)
	}
}

// The answer is lost, in each of the ways that a network has, and then the page
// is left or the task changed elsewhere before the page tries again.
func TestPageNeverDuplicatesWhenLeft(t *testing.T) {
	p, x := registered(t)
	x.add("known before")
	x.settled()
	arrived := make(chan bool, 10)
	reset := func(h *rod.Hijack) { h.Response.Fail(proto.NetworkErrorReasonConnectionReset); arrived <- true }

	stop := x.lose(reset)
	x.add("lost, then reloaded")
	x.add("lost, then reloaded") // typed twice on purpose
	<-arrived
	stop()
	x.MustReload()
	x.wait(`document.querySelector("#new-task")`)
	x.only(p, "lost, then reloaded", 2)

	stop = x.lose(reset)
	x.add("lost, then edited")
	<-arrived
	x.click("#list .title")
	x.fill(".edit", "title", "edited before it was found")
	x.click(".edit button[type=submit]")
	stop()
	x.only(p, "edited before it was found", 1)
	x.only(p, "lost, then edited", 0)

	stay := make(chan bool)
	stop = x.lose(func(*rod.Hijack) { arrived <- true; <-stay })
	x.add("reloaded while under way")
	<-arrived
	x.MustReload()
	x.wait(`document.querySelector("#new-task")`)
	close(stay)
	stop()
	x.only(p, "reloaded while under way", 1)

	for title, status := range map[string]int{"a proxy says 502": 502, "a proxy says 504": 504, "something says 500": 500} {
		stop = x.lose(func(h *rod.Hijack) {
			h.Response.Payload().ResponseCode = status
			h.Response.SetBody("<h1>Bad Gateway</h1>")
			arrived <- true
		})
		x.add(title)
		<-arrived
		stop()
		x.only(p, title, 1)
	}
}

// Another tab sees the task that arrived, and ticks it before the first one has
// asked again.
func TestPageNeverDuplicatesWhatAnotherTabChanged(t *testing.T) {
	p, x := registered(t)
	b := x.Browser()
	arrived := make(chan bool, 10)
	stop := x.lose(func(h *rod.Hijack) { h.Response.Fail(proto.NetworkErrorReasonConnectionReset); arrived <- true })
	x.add("ticked elsewhere")
	<-arrived
	other := open(t, b, p.url)
	other.wait(`document.querySelector("#list .task")`)
	other.click("#list .tick")
	other.wait(`document.querySelector(".fold summary")?.textContent === "Done (1)"`)
	stop()
	x.settled()
	if n := p.tasks(p.login()); n != 1 {
		t.Errorf("%d tasks", n)
	}
}

// A page over plain http from another machine has neither randomUUID nor locks,
// clipboard or service worker.
func TestPageFromAnotherMachine(t *testing.T) {
	b := browser(t, "host-resolver-rules=MAP pi.test 127.0.0.1")
	folder(t)
	p := start(t, nil, "--public-url=http://pi.test")
	x := open(t, b, strings.Replace(p.url, "127.0.0.1", "pi.test", 1))
	if x.MustEval(`() => isSecureContext || "locks" in navigator`).Bool() {
		t.Fatal("this is a secure context")
	}
	x.register()
	x.add("from the sofa")
	x.settled()
	x.click(`#menu a[href="#account"]`)
	x.wait(`document.querySelector("#new-token")`)
	x.fill("#new-token", "name", "script")
	x.click("#new-token button[type=submit]")
	x.wait(`document.querySelector(".once input")`)
	x.click(".once button")
	x.wait(`document.querySelector(".once [role=status]").textContent`)
	x.click(`#places a[href="#/inbox"]`)
	x.wait(`document.querySelector("#new-task")`)
	p.stop(os.Interrupt)
	x.enter("#new-task", "kept by a tab that is closed")
	x.press(input.Enter)
	x.wait(`document.querySelector("#status:not([hidden])")`)
	x.MustNavigate("about:blank")
	startAt(t, strings.TrimPrefix(p.url, "http://"), "--public-url=http://pi.test")
	next := open(t, b, x.url)
	next.wait(`document.querySelectorAll("#list .task").length === 2`)
	next.only(p, "kept by a tab that is closed", 1)
}
