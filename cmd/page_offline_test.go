package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/input"
)

// copies are the tasks in the databases of the browser, as JSON, and the names of the databases.
func (x *tab) copies() string {
	x.t.Helper()
	return x.MustEval(`async () => {
		const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
		const found = [];
		for (const { name } of await indexedDB.databases()) {
			const database = await done(indexedDB.open(name));
			try {
				if (database.objectStoreNames.contains("tasks")) found.push(name, ...(await done(database.transaction("tasks").objectStore("tasks").getAll())).map((task) => JSON.stringify(task)));
			} finally {
				database.close();
			}
		}
		return found.join("\n");
	}`).String()
}

// copied waits until a text is in a database of the browser.
func (x *tab) copied(text string) {
	x.t.Helper()
	until(x.t, text+" is in the copy", func() bool { return strings.Contains(x.copies(), text) })
}

// unasked is a page that gets no answers, though its shell is there.
func (x *tab) unasked() {
	x.t.Helper()
	x.wait(`navigator.serviceWorker.controller`)
	x.MustEvalOnNewDocument(`{
		const before = window.fetch;
		window.asked = [];
		window.fetch = (address, ...more) => { asked.push(String(address)); return new Promise(() => {}); };
	}`)
}

// What was there last is shown before anything is asked for, whole, after a reload and after
// a visit elsewhere.
func TestPageShowsItsCopyFirst(t *testing.T) {
	p, x := registered(t, "--rate-limit=off", "--durability=normal")
	ann := p.login()
	for n := range 150 {
		p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title":"task %d"}`, n+1))
	}
	x.wait(row("task 150"))
	p.done("PATCH", "/tasks/150", ann, `{"completed":true}`)
	p.done("DELETE", "/tasks/149", ann, "")
	p.done("PATCH", "/tasks/148", ann, `{"title":"renamed elsewhere"}`)
	x.wait(row("renamed elsewhere") + ` && !` + row("task 149") + ` && document.querySelector(".fold summary").textContent === "Done (1)"`)
	x.add("typed here")
	x.settled()
	x.copied(`"typed here"`)
	x.copied(`"renamed elsewhere"`)
	x.unasked()
	x.MustReload()
	x.wait(row("typed here") + ` && ` + row("renamed elsewhere") + ` && !` + row("task 149") + ` && document.querySelector(".fold summary").textContent === "Done (1)"`)
	if got := x.titles(); !strings.HasPrefix(got, "typed here|renamed elsewhere|task 147|") {
		t.Errorf("first is shown %.80s", got)
	}
	// And all of it, not the newest alone.
	x.wait(`(scrollTo(0, document.body.scrollHeight), ` + row("task 1") + `)`)
}

// Who signs out, or whose session ends, leaves nothing behind, and somebody else finds nothing.
func TestPageDeletesItsCopy(t *testing.T) {
	p, x := registered(t)
	b := x.Browser()
	x.add("a secret")
	x.settled()
	x.copied("a secret")
	second := open(t, b, p.url) // which has the database open, too
	second.wait(row("a secret"))
	x.click("#menu button")
	x.wait(`document.querySelector("#signin")`)
	until(t, "the copy is deleted", func() bool { return x.copies() == "" })
	second.wait(`document.querySelector("#signin")`)
	if kept := x.MustEval(`() => Object.keys(localStorage).filter((key) => /copy|seen|queue/.test(key)).join()`).String(); kept != "" {
		t.Errorf("kept: %s", kept)
	}

	x.signIn("ann")
	x.wait(row("a secret"))
	x.copied("a secret")
	p.done("POST", "/auth/logout-all", p.login(), "{}")
	x.wait(`document.querySelector("#signin")`)
	until(t, "the copy is deleted", func() bool { return x.copies() == "" })

	// One that nobody has deleted, as after a crash, is not left to the next person.
	x.signIn("ann")
	x.wait(row("a secret"))
	x.copied("a secret")
	p.another("bob")
	x.MustEval(`() => { localStorage.removeItem("taskapi.user"); }`)
	x.MustReload()
	x.signIn("bob")
	x.wait(`document.querySelector("#new-task")`)
	until(t, "the copy is deleted", func() bool { return !strings.Contains(x.copies(), "a secret") })
	x.add("of bob")
	x.settled()
	x.copied("of bob")
}

// What earlier versions kept in the storage is shown, sent, and then given up.
func TestPageTakesOverWhatWasKept(t *testing.T) {
	p, x := registered(t)
	x.add("known before")
	x.settled()
	x.MustEval(`async () => {
		for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
		localStorage.removeItem("taskapi.copy.1");
		localStorage.setItem("taskapi.seen.1", JSON.stringify({ tasks: [{ id: 1, title: "seen before", description: "", completed: false, version: 1, labels: [] }], lists: [] }));
		localStorage.setItem("taskapi.queue.1.0197a0c0-0000-7000-8000-000000000001", JSON.stringify([{ key: "0197a0c0-0000-7000-8000-000000000002", op: "create", title: "typed before", description: "" }]));
	}`)
	x.MustReload()
	x.wait(row("typed before") + ` && ` + row("known before"))
	x.only(p, "typed before", 1)
	x.copied("typed before")
	if x.MustEval(`() => localStorage.getItem("taskapi.seen.1") !== null`).Bool() {
		t.Error("the old copy is kept")
	}
}

// A browser without room for a copy, or without databases, shows what the server says and
// says nothing itself.
func TestPageWithoutACopy(t *testing.T) {
	for name, script := range map[string]string{
		"no database opens":     `IDBFactory.prototype.open = function () { return { addEventListener() {} }; };`,
		"databases are refused": `IDBFactory.prototype.open = function () { throw new DOMException("denied", "SecurityError"); };`,
		"a full disk":           `IDBObjectStore.prototype.put = function () { throw new DOMException("full", "QuotaExceededError"); };`,
		"writes that fail late": `{ const before = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (...what) { const request = before.apply(this, what); this.transaction.abort(); return request; }; }`,
	} {
		t.Run(name, func(t *testing.T) {
			folder(t)
			p := start(t, nil)
			x := without(t, p, script)
			x.register()
			x.add("one")
			x.settled()
			x.MustReload()
			x.wait(row("one"))
			x.add("two")
			x.settled()
			x.MustReload()
			x.wait(row("two") + ` && document.querySelector("#status").hidden`)
			x.click("#menu button")
			x.wait(`document.querySelector("#signin")`)
		})
	}
}

// Two devices change things without the server, and both end with what both have done.
func TestPageMergesTwoDevices(t *testing.T) {
	phone, laptop := browser(t), browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, phone, p.url)
	x.register()
	for _, title := range []string{"bread", "milk", "eggs"} {
		x.add(title)
	}
	x.settled()
	y := open(t, laptop, p.url)
	y.signIn("ann")
	y.MustEval(`() => { location.hash = "#/inbox"; }`)
	y.wait(`document.querySelectorAll("#list .task").length === 3`)
	for _, each := range []*tab{x, y} {
		each.wait(`navigator.serviceWorker.controller`)
		each.copied("eggs")
	}
	p.stop(os.Interrupt)
	for _, each := range []*tab{x, y} {
		each.MustReload()
		each.wait(`document.querySelectorAll("#list .task").length === 3`)
	}
	edit := func(x *tab, title, field, text string) {
		x.t.Helper()
		x.MustEval(`() => ` + row(title) + `.querySelector(".title").click()`)
		x.fill(".edit", field, text)
		x.click(".edit button[type=submit]")
	}
	x.add("from the phone")
	edit(x, "bread", "title", "dark bread")
	x.MustEval(`() => ` + row("milk") + `.querySelector(".tick").click()`)
	y.add("from the laptop")
	edit(y, "bread", "description", "two loaves")
	edit(y, "from the laptop", "description", "and its note")
	y.MustEval(`() => ` + row("eggs") + `.querySelector(".remove").click()`)
	y.MustEval(`() => dispatchEvent(new Event("pagehide"))`)
	y.MustReload() // what was typed is there again
	y.wait(row("from the laptop") + `?.textContent.includes("and its note") && !` + row("eggs"))
	startAt(t, strings.TrimPrefix(p.url, "http://"))
	for _, each := range []*tab{x, y} {
		each.settled()
		each.wait(row("dark bread") + `?.textContent.includes("two loaves") && ` + row("from the phone") + ` && ` + row("from the laptop") + `?.textContent.includes("and its note") && !` + row("eggs") + ` && document.querySelector(".fold summary").textContent === "Done (1)"`)
		each.only(p, "from the phone", 1)
		each.only(p, "from the laptop", 1)
	}
}

// What is typed in a tab without the server is shown in the other one, and sent once.
func TestPageSharesWhatIsNotSent(t *testing.T) {
	p, x := registered(t)
	b := x.Browser()
	x.add("before")
	x.settled()
	x.wait(`navigator.serviceWorker.controller`)
	x.copied("before")
	y := open(t, b, p.url)
	y.wait(row("before"))
	p.stop(os.Interrupt)
	x.add("typed in the first")
	y.wait(row("typed in the first"))
	y.MustEval(`() => ` + row("typed in the first") + `.querySelector(".title").click()`)
	y.fill(".edit", "description", "described in the second")
	y.click(".edit button[type=submit]")
	y.enter("#new-task", "typed in the second")
	y.press(input.Enter)
	x.wait(row("typed in the first") + `?.textContent.includes("described in the second") && ` + row("typed in the second"))
	x.MustNavigate("about:blank") // a tab that is closed
	y.MustReload()
	y.wait(row("typed in the first") + `?.textContent.includes("described in the second") && ` + row("typed in the second") + ` && ` + row("before"))
	startAt(t, strings.TrimPrefix(p.url, "http://"))
	y.only(p, "typed in the first", 1)
	y.only(p, "typed in the second", 1)
	y.wait(row("typed in the first") + `?.textContent.includes("described in the second")`)
}

// A newer version waits while somebody looks at the page or has typed something, and is there
// when nobody does.
func TestPageTakesUpANewerVersion(t *testing.T) {
	_, x := registered(t)
	x.add("before")
	x.settled()
	x.wait(`navigator.serviceWorker.controller`)
	x.enter("#new-task", "half a thou")
	x.MustEval(`() => { window.same = true; }`)
	newer := `navigator.serviceWorker.dispatchEvent(Object.assign(new MessageEvent("message", { data: { version: "/static/another" } })));`
	hide := `Object.defineProperty(document, "hidden", { value: true, configurable: true }); document.dispatchEvent(new Event("visibilitychange"));`
	x.MustEval(`() => { ` + newer + ` }`)
	x.MustEval(`() => { ` + hide + ` }`)
	x.MustEval(`() => new Promise((done) => setTimeout(done, 500))`)
	if !x.MustEval(`() => window.same === true && document.querySelector("#new-task").value === "half a thou"`).Bool() {
		t.Error("what was typed was loaded anew")
	}
	x.MustEval(`() => { delete document.hidden; document.dispatchEvent(new Event("visibilitychange")); }`)
	x.replace("#new-task", "")
	x.press(input.Backspace)
	x.MustEval(`() => new Promise((done) => setTimeout(done, 500))`)
	if !x.MustEval(`() => window.same === true`).Bool() {
		t.Error("the page was loaded anew before somebody's eyes")
	}
	x.MustEval(`() => { setTimeout(() => { ` + hide + ` }); }`)
	x.wait(`!window.same && ` + row("before"))
}

// The page opens at once however slow the server is, and what it says of the server is as of
// the start before.
func TestPageOpensBeforeTheServerAnswers(t *testing.T) {
	p, x := registered(t)
	x.add("before")
	x.settled()
	x.copied(`"before"`)
	x.wait(`navigator.serviceWorker.controller`)
	x.MustReload()
	x.wait(row("before"))
	signal := func(name string) {
		if out, err := exec.Command("kill", "-"+name, fmt.Sprint(p.cmd.Process.Pid)).CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
	}
	signal("STOP")
	x.MustReload()
	x.wait(row("before"))
	signal("CONT")
	x.add("after")
	x.settled()
	x.click("#menu button")
	x.wait(`document.querySelector("#signin")`)
	p.stop(os.Interrupt)
	startAt(t, strings.TrimPrefix(p.url, "http://"), "--registration=closed")
	until(t, "the page says that nobody may register", func() bool {
		x.MustReload()
		x.wait(`document.querySelector("#signin")`)
		return !x.MustHas("#switch")
	})
}
