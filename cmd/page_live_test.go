package cmd

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// streaming opens the page of ann and lets nothing but its stream tell it of changes.
func (x *tab) streaming() {
	x.t.Helper()
	x.wait(`document.querySelector("#new-task")`)
	x.settled()
	x.MustEval(`() => {
		const before = window.fetch;
		window.fetch = (address, ...more) => (String(address).includes("/sync") ? new Promise(() => {}) : before(address, ...more));
	}`)
}

// heard waits until the stream of a page has begun.
const heard = `performance.getEntriesByType("mark").some(({ name }) => name === "stream")`

// marking notes when a page has heard of its stream.
const marking = `{
	const before = window.fetch;
	window.fetch = async (address, ...more) => {
		const answer = await before(address, ...more);
		if (String(address).includes("/events") && answer.ok) performance.mark("stream");
		return answer;
	};
}`

// What others do is shown as it happens, and moves neither what is typed nor what is
// read.
func TestPageShowsWhatOthersDo(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil, "--rate-limit=off", "--durability=normal")
	x := open(t, b, p.url)
	x.MustEvalOnNewDocument(marking)
	x.register()
	ann := p.login()
	for n := range 40 {
		p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title":"task %d"}`, n+1))
	}
	x.MustReload()
	x.wait(`document.querySelectorAll("#list .task").length === 40 && ` + heard)
	x.streaming()

	// The edit that is open is not replaced, and saves what the person changed alone.
	x.MustEval(`() => ` + row("task 20") + `.querySelector(".title").click()`)
	x.fill(".edit", "description", "typed here")
	x.MustEval(`() => { window.form = document.querySelector(".edit"); window.field = document.activeElement; field.setSelectionRange(2, 5); window.place = form.getBoundingClientRect().top; }`)
	p.done("PATCH", "/tasks/20", ann, `{"title":"changed elsewhere"}`)
	p.done("POST", "/tasks/", ann, `{"title":"from the phone"}`)
	p.done("DELETE", "/tasks/39", ann, "")
	p.done("PATCH", "/tasks/21", ann, `{"completed":true}`)
	x.wait(row("from the phone") + ` && !` + row("task 39") + ` && !` + row("task 21") + ` && document.querySelector(".fold summary").textContent === "Done (1)"`)
	if !x.MustEval(`() => document.querySelector(".edit") === form && document.activeElement === field && field.value === "typed here" && field.selectionStart === 2 && field.selectionEnd === 5`).Bool() {
		t.Error("the edit that is open was disturbed")
	}
	// One row more above it and two less: the browser keeps the place.
	x.wait(`Math.abs(form.getBoundingClientRect().top - place) < 2`)
	x.click(".edit button[type=submit]")
	x.settled()
	x.wait(row("changed elsewhere") + `.textContent.includes("typed here")`)
	if task := p.done("GET", "/tasks/20", ann, ""); task["title"] != "changed elsewhere" || task["description"] != "typed here" {
		t.Error(task)
	}

	// The focus stays where it is, and an edit of what is deleted stays with its text.
	x.act(`[data-id="10"] .title`, (*rod.Element).Focus)
	p.done("PATCH", "/tasks/10", ann, `{"title":"read and changed"}`)
	x.wait(row("read and changed"))
	if got := x.focus(); got != "read and changed" {
		t.Errorf("the focus is on %q", got)
	}
	x.press(input.Enter)
	x.wait(`document.querySelector(".edit")`)
	p.done("DELETE", "/tasks/10", ann, "")
	x.wait(`document.querySelector("#edit-problem")?.textContent === "This task was deleted elsewhere."`)
	x.press(input.Escape)

	// A list with its tasks comes and goes.
	x.goTo("search")
	bob := p.another("bob")
	team := p.list(bob, "Team")
	p.done("POST", "/tasks/", bob, fmt.Sprintf(`{"list_id":%d,"title":"Write the report"}`, team))
	_, code, _ := strings.Cut(p.invite(bob, team, "viewer"), "#")
	p.done("POST", "/invitations/accept", ann, fmt.Sprintf(`{"token":%q}`, code))
	x.wait(row("Write the report") + `?.querySelector(".details").textContent === "Team · read only"`)
	p.done("PATCH", fmt.Sprintf("/lists/%d/members/1", team), bob, `{"role":"editor"}`)
	x.wait(row("Write the report") + `?.querySelector(".details").textContent === "Team"`)
	p.done("DELETE", fmt.Sprintf("/lists/%d/members/1", team), bob, "")
	x.wait(`!` + row("Write the report"))
}

// Two tabs show the same, and what is typed in one is not lost to the other.
func TestPageInTwoTabs(t *testing.T) {
	p, x := registered(t)
	b := x.Browser()
	x.add("shared")
	x.settled()
	y := open(t, b, p.url)
	y.MustEvalOnNewDocument(marking)
	y.MustReload()
	y.wait(row("shared") + ` && ` + heard)
	y.streaming()
	y.click("#list .title")
	y.fill(".edit", "description", "from the second")
	x.click("#list .title")
	x.fill(".edit", "title", "renamed by the first")
	x.click(".edit button[type=submit]")
	x.settled()
	x.add("one more")
	y.wait(row("one more"))
	y.click(".edit button[type=submit]")
	y.settled()
	for _, each := range []*tab{x, y} {
		each.wait(row("renamed by the first") + `?.textContent.includes("from the second") && ` + row("one more"))
	}
	x.click("#list .tick")
	y.wait(`document.querySelector(".fold summary")?.textContent === "Done (1)"`)
	if n := p.tasks(p.login()); n != 2 {
		t.Errorf("%d tasks", n)
	}
}

// Where no more streams may be open, the page asks from time to time.
func TestPageWithoutAStream(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil, "--max-streams=1")
	x := open(t, b, p.url)
	x.MustEvalOnNewDocument(marking)
	x.register()
	x.MustReload()
	x.wait(heard)
	y := open(t, b, p.url)
	refused := make(chan bool, 100)
	stop := y.answer("*/events*", http.MethodGet, func(h *rod.Hijack) {
		if h.LoadResponse(http.DefaultClient, true) == nil {
			refused <- h.Response.Payload().ResponseCode == http.StatusTooManyRequests
		}
	})
	y.MustEvalOnNewDocument(hasty)
	y.MustReload()
	if !<-refused {
		t.Error("there was a stream")
	}
	p.done("POST", "/tasks/", p.login(), `{"title":"from the phone"}`)
	y.wait(row("from the phone") + ` && document.querySelector("#status").hidden`)
	stop()
}

// Whose session is ended elsewhere sees it without doing anything.
func TestPageEndsWithItsSession(t *testing.T) {
	p, x := registered(t)
	x.add("one")
	x.settled()
	x.enter("#new-task", "half a thou")
	p.done("POST", "/auth/logout-all", p.login(), "{}")
	x.wait(`document.querySelector("#signin") && document.querySelector("[role=status]").textContent.startsWith("You were signed out")`)
	x.signIn("ann")
	x.wait(`document.querySelectorAll("#list .task").length === 1 && document.querySelector("#new-task").value === "half a thou"`)
}

// A page that is open while its server is started again shows what has changed since.
func TestPageCatchesUp(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.MustEvalOnNewDocument(marking)
	x.register()
	x.add("before")
	x.settled()
	x.MustReload()
	x.wait(heard)
	p.stop(os.Interrupt)
	p = startAt(t, strings.TrimPrefix(p.url, "http://"))
	token := p.login()
	p.done("POST", "/tasks/", token, `{"title":"after"}`)
	p.done("DELETE", "/tasks/1", token, "")
	x.wait(row("after") + ` && !` + row("before") + ` && document.querySelector("#status").hidden`)
	x.MustEval(`() => performance.clearMarks()`)
	p.stop(os.Interrupt)
	p = startAt(t, strings.TrimPrefix(p.url, "http://"))
	x.wait(heard)
	x.streaming()
	p.done("POST", "/tasks/", p.login(), `{"title":"on the stream again"}`)
	x.wait(row("on the stream again"))
}

// A server whose log has no more of what the page has, as after a restore, is copied
// anew.
func TestPageBeginsAnew(t *testing.T) {
	p, x := registered(t)
	x.add("kept")
	x.add("not in the backup")
	x.settled()
	ann := p.login()
	// As a restored database says it: a stream first, and then a copy.
	full := p.done("GET", "/sync", ann, "")
	var copies atomic.Int32
	stopSync := x.answer("*/sync?*", http.MethodGet, func(h *rod.Hijack) {
		if h.Request.URL().Query().Has("since") {
			h.Response.Payload().ResponseCode = http.StatusGone
			h.Response.SetHeader("Content-Type", "application/json").SetBody(`{"error":"This cursor is too old.","code":"sync_expired"}`)
			return
		}
		copies.Add(1)
		task := full["tasks"].([]any)[1].(map[string]any)
		task["title"], task["version"] = "kept, as it was", 1
		h.Response.SetHeader("Content-Type", "application/json").SetBody(map[string]any{
			"full": true, "lists": full["lists"], "tasks": []any{task}, "deleted": []any{}, "cursor": full["cursor"], "more": false,
		})
	})
	x.MustEval(`() => dispatchEvent(new Event("online"))`)
	x.wait(row("kept, as it was") + ` && document.querySelectorAll("#list .task").length === 1`)
	stopSync()
	if n := copies.Load(); n < 1 {
		t.Errorf("%d copies", n)
	}
}

// flaky is a proxy that gives the first answer to each change to nobody, and says 502 in
// its place.
type flaky struct {
	*httptest.Server
	to       atomic.Pointer[url.URL]
	deaf     bool // holds streams back
	bare     bool // takes the keys away
	mu       sync.Mutex
	sent     map[string]int // by key
	replayed int
	unkeyed  []string
}

func newFlaky(t *testing.T, deaf, bare bool) *flaky {
	const key, kept = "Idempotency-Key", "X-Key"
	f := &flaky{sent: map[string]int{}, deaf: deaf, bare: bare}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(f.to.Load())
			r.Out.Host = f.to.Load().Host
			r.Out.Header.Set(kept, r.In.Header.Get(key))
			if f.bare {
				r.Out.Header.Del(key)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			key := r.Request.Header.Get(kept)
			path := r.Request.URL.Path
			if r.Request.Method == http.MethodGet || !slices.ContainsFunc([]string{"/tasks", "/lists", "/batch", "/undo"}, func(kind string) bool { return strings.HasPrefix(path, kind) }) {
				return nil
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if key == "" {
				f.unkeyed = append(f.unkeyed, r.Request.Method+" "+path)
			}
			if f.sent[key]++; f.sent[key] == 1 {
				return errors.New("lost")
			}
			if r.Header.Get("Idempotency-Replayed") == "true" {
				f.replayed++
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "<h1>Bad Gateway</h1>", http.StatusBadGateway)
		},
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.deaf && strings.HasPrefix(r.URL.Path, "/events") {
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close) // which waits for the streams of the browser
	return f
}

// Whatever a proxy does with the answers, each change is made once.
func TestPageBehindAProxyThatDropsAnswers(t *testing.T) {
	for _, c := range []struct{ deaf, bare bool }{{}, {deaf: true}, {bare: true}, {true, true}} {
		t.Run(fmt.Sprintf("holds streams back %t, takes keys away %t", c.deaf, c.bare), func(t *testing.T) {
			f := newFlaky(t, c.deaf, c.bare)
			b := browser(t)
			folder(t)
			p := start(t, nil, "--rate-limit=off", "--public-url="+f.URL)
			to, err := url.Parse(p.url)
			if err != nil {
				t.Fatal(err)
			}
			f.to.Store(to)
			page, err := b.Page(proto.TargetCreateTarget{NewWindow: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := page.EvalOnNewDocument(hasty); err != nil {
				t.Fatal(err)
			}
			x := openOn(t, page, f.URL)
			x.register()
			ann := p.login()
			x.add("made once")
			x.add("made once") // typed twice on purpose
			x.add("edited")
			x.settled()
			x.MustEval(`() => ` + row("edited") + `.querySelector(".title").click()`)
			x.fill(".edit", "title", "edited twice")
			x.click(".edit button[type=submit]")
			x.MustReload() // while its answer is lost
			x.wait(row("edited twice"))
			x.settled()
			x.MustEval(`() => ` + row("edited twice") + `.querySelector(".tick").click()`)
			x.settled()
			x.MustEval(`() => ` + row("made once") + `.querySelector(".remove").click()`)
			x.MustEval(`() => dispatchEvent(new Event("pagehide"))`)
			x.settled()
			if n := p.tasks(ann); n != 2 {
				t.Errorf("%d tasks after the deletion, want 2", n)
			}
			x.MustEval(`() => document.querySelector("#undo button").click()`)
			x.settled()
			x.only(p, "made once", 2)
			p.done("POST", "/tasks/", ann, `{"title":"Pay rent","due":"2031-01-05","recurrence":"FREQ=MONTHLY"}`)
			x.wait(row("Pay rent")) // also where no stream tells of it
			x.MustEval(`() => ` + row("Pay rent") + `.querySelector(".tick").click()`)
			x.settled()
			if due := p.done("GET", "/tasks/4", ann, "")["due"]; due != "2031-02-05" {
				t.Error(due)
			}
			x.MustEval(`() => document.querySelector("#undo button").click()`)
			x.settled()
			if due := p.done("GET", "/tasks/4", ann, "")["due"]; due != "2031-01-05" || p.tasks(ann) != 4 {
				t.Error(due, p.tasks(ann))
			}
			x.listsThroughAProxy(p, ann)
			f.mu.Lock()
			defer f.mu.Unlock()
			if len(f.unkeyed) > 0 {
				t.Errorf("without a key: %v", f.unkeyed)
			}
			// What was made may be known from the stream before it is sent again.
			if !f.bare && 2*f.replayed < len(f.sent) {
				t.Errorf("%d answers were given once more, of %d changes", f.replayed, len(f.sent))
			}
		})
	}
}

// listsThroughAProxy does to lists, and to several tasks at once, what is done once though each
// answer is lost, and undoes it.
func (x *tab) listsThroughAProxy(p *process, ann string) {
	x.t.Helper()
	back := func(shown, server string) {
		x.t.Helper()
		x.MustEval(`() => document.querySelector("#undo button").click()`)
		x.wait(shown)
		x.settled()
		x.wait(shown)
		p.has(ann, server)
	}
	const inbox = "Inbox <nil> (made once,made once,edited twice,Pay rent)"
	x.newList("Home")
	x.newList("Work")
	x.settled()
	p.has(ann, inbox+"; Home <nil> (); Work <nil> ()")
	x.rename("Office")
	x.settled()
	back(lists+` === "Home,Work"`, inbox+"; Home <nil> (); Work <nil> ()")
	x.MustEval(`() => ` + place("Work") + `.focus()`)
	x.KeyActions().Press(input.AltLeft).Type(input.ArrowUp).Release(input.AltLeft).MustDo()
	x.settled()
	p.has(ann, inbox+"; Work <nil> (); Home <nil> ()")
	back(lists+` === "Home,Work"`, inbox+"; Home <nil> (); Work <nil> ()")

	// Two at once are one request.
	x.add("one")
	x.add("two")
	x.settled()
	x.press(input.Escape)
	x.MustEval(`() => { for (const title of document.querySelectorAll("#list .title")) title.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: true, detail: 1 })); }`)
	x.wait(`document.querySelector("#many [role=status]")?.textContent === "2 chosen"`)
	x.MustEval(`() => { const select = [...document.querySelectorAll("#many select")].find((each) => [...each.options].some((option) => option.text === "Home")); select.value = [...select.options].find((option) => option.text === "Home").value; select.dispatchEvent(new Event("change")); }`)
	x.settled()
	p.has(ann, inbox+"; Home <nil> (one,two); Work <nil> ()")
	back(row("one")+` && `+row("two"), inbox+"; Home <nil> (); Work <nil> (one,two)")

	x.menu()
	x.click(".popover .erase")
	x.wait(lists + ` === "Home"`)
	x.MustEval(`() => dispatchEvent(new Event("pagehide"))`)
	x.settled()
	p.has(ann, inbox+"; Home <nil> ()")
	back(lists+` === "Home,Work"`, inbox+"; Home <nil> (); Work <nil> (one,two)")
	if !x.MustEval(`() => document.querySelector("#status").hidden`).Bool() {
		x.t.Error("there is trouble")
	}
}

// hasty lets the long waits of a page pass quickly, but not that for a change of mind.
const hasty = `{
	const before = window.setTimeout;
	window.setTimeout = (act, time, ...more) => before(act, time > 1500 && time !== 8000 ? time / 10 : time, ...more);
}`
