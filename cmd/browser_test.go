package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/launcher"
	"github.com/go-rod/rod/lib/launcher/flags"
	"github.com/go-rod/rod/lib/proto"
)

// browser drives a Chromium that is installed, with flags of the test's own;
// without one it says so and the test is skipped.
func browser(t testing.TB, extra ...string) *rod.Browser {
	t.Helper()
	// By these names .ci/page finds them.
	if name := t.Name(); !strings.Contains(name, "Page") && !strings.Contains(name, "Reference") {
		t.Fatalf("%s needs a browser and has neither Page nor Reference in its name, so CI would not run it", name)
	}
	if os.Getenv("BROWSER_TESTS") == "off" {
		t.Skip("SKIPPED: BROWSER_TESTS=off")
	}
	path, found := launcher.LookPath()
	if !found {
		t.Skip("SKIPPED: the page is tested with Chromium, and none was found")
	}
	address, err := "", error(nil)
	// Chromium dies at one of some sixty starts on machines without a GPU, which
	// says nothing about the page.
	for try := 0; try < 3; try++ {
		l := launcher.New().Bin(path).Headless(true).NoSandbox(true).
			Set("lang", "en-US").Set("disable-gpu").Set("disable-quic").Set("disable-component-update")
		for _, flag := range extra {
			name, value, _ := strings.Cut(flag, "=")
			l = l.Set(flags.Flag(name), value)
		}
		if address, err = l.Launch(); err == nil {
			t.Cleanup(l.Cleanup)
			break
		}
		t.Log(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := rod.New().ControlURL(address)
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// tab is a page that fails the test when its policy is violated or a script
// of it throws. What is Must of it fails the test too, rather than panic and
// take the tests behind it along.
type tab struct {
	*rod.Page
	t   testing.TB
	url string
}

func open(t testing.TB, b *rod.Browser, url string) *tab {
	t.Helper()
	// A window of its own: a tab in the background draws nothing.
	page, err := b.Page(proto.TargetCreateTarget{NewWindow: true})
	if err != nil {
		t.Fatal(err)
	}
	return openOn(t, page, url)
}

// openOn opens the page in a window that is there.
func openOn(t testing.TB, page *rod.Page, url string) *tab {
	t.Helper()
	page, leave := page.WithCancel()
	heard := make(chan struct{})
	listen := page.EachEvent(func(e *proto.RuntimeExceptionThrown) {
		t.Errorf("a script threw: %s %s", e.ExceptionDetails.Text, e.ExceptionDetails.Exception.Description)
	})
	go func() { listen(); close(heard) }()
	t.Cleanup(func() {
		found, err := page.Timeout(10 * time.Second).Eval(`() => violations.join()`)
		if err != nil {
			t.Errorf("the page can't be asked for violations of its policy: %v", err)
		} else if found.Value.String() != "" {
			t.Errorf("the policy was violated: %s", found.Value)
		}
		leave()
		<-heard
	})
	x := &tab{Page: page.Timeout(5 * time.Minute).WithPanic(func(reason any) { t.Helper(); t.Fatal(reason) }), t: t, url: url}
	x.MustEvalOnNewDocument(`window.violations = []; addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));`)
	x.MustNavigate(url)
	x.MustWaitLoad()
	return x
}

// actWithin is how long one try at an element may take: one that the page has
// drawn anew meanwhile never comes to rest, and is to be found again.
const actWithin = 2 * time.Second

// act does something with the element that a selector finds, and finds it again
// as often as the page draws it anew in between.
func (x *tab) act(selector string, do func(e *rod.Element) error) {
	x.t.Helper()
	var err error
	for range 30 {
		page := x.Timeout(actWithin)
		var e *rod.Element
		if e, err = page.Element(selector); err == nil {
			err = do(e)
		}
		page.CancelTimeout()
		if err == nil {
			return
		}
	}
	x.t.Fatalf("%s: %v", selector, err)
}

// click presses what a selector finds.
func (x *tab) click(selector string) {
	x.t.Helper()
	x.act(selector, func(e *rod.Element) error { return e.Click(proto.InputMouseButtonLeft, 1) })
}

// enter types into what a selector finds, behind what is there.
func (x *tab) enter(selector, text string) {
	x.t.Helper()
	x.act(selector, func(e *rod.Element) error { return e.Input(text) })
}

// replace types into what a selector finds, in place of what is there.
func (x *tab) replace(selector, text string) {
	x.t.Helper()
	x.act(selector, func(e *rod.Element) error {
		if err := e.SelectAllText(); err != nil {
			return err
		}
		return e.Input(text)
	})
}

// fill types into a field that is found by its name.
func (x *tab) fill(form, name, text string) {
	x.t.Helper()
	x.replace(form+" [name="+name+"]", text)
}

func (x *tab) press(keys ...input.Key) {
	x.t.Helper()
	x.KeyActions().Press(keys...).MustDo()
}

// wait waits until an expression in the page is true. A page that is being
// loaded has not even a body.
func (x *tab) wait(what string) {
	x.t.Helper()
	page := x.Timeout(time.Minute)
	defer page.CancelTimeout()
	if err := page.Wait(rod.Eval("() => { try { return Boolean(" + what + "); } catch { return false; } }")); err != nil {
		shown, _ := x.Eval(`() => document.body.innerText`)
		x.t.Fatalf("never: %s (%v)\n%v", what, err, shown)
	}
}

// register makes the account of ann, without the list that new accounts begin with.
func (x *tab) register() {
	x.t.Helper()
	x.door("register")
	x.MustEval(`() => {
		const base = document.querySelector("meta[name=base]").content;
		try { for (let id = 1; id < 10; id++) localStorage.setItem((base && base + " ") + "taskapi.sample." + id, '"made"'); } catch { /* it has none then */ }
	}`)
	x.signUp("ann")
	x.goTo("inbox")
}

// registered starts a server in a folder of its own, and opens the page with the account of
// ann, who is in the Inbox.
func registered(t testing.TB, args ...string) (*process, *tab) {
	t.Helper()
	b := browser(t)
	folder(t)
	p := start(t, nil, args...)
	x := open(t, b, p.url)
	x.register()
	return p, x
}

// signUp fills the form of who has no account.
func (x *tab) signUp(name string) {
	x.t.Helper()
	x.door("register")
	x.fill("#register", "username", name)
	x.fill("#register", "email", name+"@example.com")
	x.fill("#register", "password", plainPassword)
	x.fill("#register", "confirm_password", plainPassword)
	x.click("#register button[type=submit]")
}

// door opens one of the two forms of who is not signed in.
func (x *tab) door(form string) {
	x.t.Helper()
	x.wait(`document.querySelector("#signin, #register")`)
	if !x.MustHas("#" + form) {
		x.click("#switch")
	}
	x.wait(fmt.Sprintf(`document.querySelector("#%s")`, form))
}

// goTo goes to a place by its address.
func (x *tab) goTo(place string) {
	x.t.Helper()
	x.wait(`document.querySelector("#new-task")`)
	x.MustEval(`(place) => { location.hash = "#/" + place; }`, place)
	x.wait(fmt.Sprintf(`document.querySelector("#places a[aria-current]")?.getAttribute("href") === "#/%s"`, strings.Split(place, "?")[0]))
}

// add types a task and presses Enter.
func (x *tab) add(title string) {
	x.t.Helper()
	x.enter("#new-task", title)
	x.press(input.Enter)
	x.wait(fmt.Sprintf(`[...document.querySelectorAll("#list .words")].some((e) => e.textContent === %q)`, title))
}

// signIn fills the form of who has an account.
func (x *tab) signIn(name string) {
	x.t.Helper()
	x.door("signin")
	x.fill("#signin", "email", name+"@example.com")
	x.fill("#signin", "password", plainPassword)
	x.click("#signin button[type=submit]")
	x.goTo("inbox")
}

// settled waits until the server has heard everything.
func (x *tab) settled() {
	x.t.Helper()
	x.wait(`Object.keys(localStorage).every((key) => !key.startsWith("taskapi.queue"))`)
}

func (x *tab) titles() string {
	x.t.Helper()
	return x.MustEval(`() => [...document.querySelectorAll("#list .words")].map((e) => e.textContent).join("|")`).String()
}

// shot looks at a state of the page in every width and scheme: axe, whose file
// AXE_JS names, must find nothing, and pictures go to the folder SCREENSHOTS.
func (x *tab) shot(name string) {
	x.t.Helper()
	folder, axe := os.Getenv("SCREENSHOTS"), os.Getenv("AXE_JS")
	if folder == "" && axe == "" {
		return
	}
	for _, width := range []int{360, 768, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			x.MustSetViewport(width, 800, 1, width == 360)
			media := proto.EmulationSetEmulatedMedia{Features: []*proto.EmulationMediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
			if err := media.Call(x.Page); err != nil {
				x.t.Fatal(err)
			}
			state := fmt.Sprintf("%s, %d, %s", name, width, scheme)
			if wide := x.MustEval(`() => document.documentElement.scrollWidth > innerWidth`).Bool(); wide {
				x.t.Errorf("%s: wider than the window", state)
			}
			if folder != "" {
				x.save(filepath.Join(folder, state+".png"))
			}
			if axe != "" {
				x.axe(axe, state)
			}
		}
	}
	x.MustSetViewport(1280, 800, 1, false)
}

func (x *tab) save(path string) {
	x.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, x.MustScreenshot(), 0o600)); err != nil {
		x.t.Error(err)
	}
}

// axe looks for what keeps people out (WCAG).
func (x *tab) axe(path, state string) {
	x.t.Helper()
	// What is half faded in has no contrast yet.
	x.wait(`document.getAnimations().every((one) => one.playState !== "running")`)
	source, err := os.ReadFile(path)
	if err != nil {
		x.t.Fatal(err)
	}
	if !x.MustEval(`() => "axe" in window`).Bool() {
		x.MustEval("() => {" + string(source) + "}")
	}
	found := x.MustEval(`async () => (await axe.run(document, { rules: { "label-content-name-mismatch": { enabled: true } } })).violations.map((v) => v.id + ": " + v.help + " " + v.nodes.map((n) => n.html).join(" ").slice(0, 300)).join("\n")`).String()
	if found != "" {
		x.t.Errorf("%s: %s", state, found)
	}
}

// focus names what has the focus: the words of its row, its id or its tag.
func (x *tab) focus() string {
	x.t.Helper()
	return x.MustEval(`() => { const e = document.activeElement; return e.closest(".task")?.querySelector(".words")?.textContent ?? (e.id || e.localName); }`).String()
}

// answer lets requests of a method be answered by the test.
func (x *tab) answer(pattern, method string, act func(h *rod.Hijack)) (stop func()) {
	x.t.Helper()
	router := x.HijackRequests()
	router.MustAdd(pattern, func(h *rod.Hijack) {
		if h.Request.Method() != method {
			h.ContinueRequest(&proto.FetchContinueRequest{})
			return
		}
		act(h)
	})
	go router.Run()
	return func() {
		if err := router.Stop(); err != nil {
			x.t.Error(err)
		}
	}
}

// until waits for something on the server.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// as makes the page speak to a person with other languages.
func (x *tab) as(languages string) {
	x.t.Helper()
	agent := x.MustEval(`() => navigator.userAgent`).String()
	if err := (proto.NetworkSetUserAgentOverride{UserAgent: agent, AcceptLanguage: languages}).Call(x.Page); err != nil {
		x.t.Fatal(err)
	}
	x.MustReload()
	x.wait(fmt.Sprintf(`navigator.languages[0] === %q && document.querySelector("main h1, main h2")`, languages))
}

// What the page draws anew while somebody reaches for it is found again.
func TestPageElementsDrawnAnew(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.MustEval(`() => {
		window.pressed = 0;
		const draw = () => {
			const button = document.createElement("button");
			button.id = "restless";
			button.textContent = "press";
			button.style.transform = "translateX(" + Math.random() * 50 + "px)";
			button.onclick = () => { pressed++; };
			document.querySelector("#restless")?.remove();
			document.body.prepend(button);
		};
		draw();
		const drawing = setInterval(draw, 20);
		setTimeout(() => clearInterval(drawing), 3000);
	}`)
	x.click("#restless")
	x.wait(`pressed === 1`)
}

func TestPageFromSignUpToSignOut(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.wait(`document.querySelector("#signin")`)
	x.shot("first visit")
	x.register()
	x.wait(`document.querySelector(".note:not([hidden])")`)
	x.shot("empty")
	for _, title := range []string{"Buy bread", "Call <img src=x onerror=alert(1)>", "Water the plants"} {
		x.enter("#new-task", title)
		x.press(input.Enter)
	}
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	if got, want := x.titles(), "Water the plants|Call <img src=x onerror=alert(1)>|Buy bread"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	x.shot("list")
	x.click("#list .tick")
	x.wait(`document.querySelector("#undo:not([hidden])")`)
	x.wait(`document.querySelector(".fold:not([hidden]) summary")?.textContent === "Done (1)"`)
	x.shot("ticked")
	x.click("#undo button")
	x.wait(`document.querySelectorAll("#list .task").length === 3`)
	x.click("#list .title")
	x.wait(`document.querySelector(".edit")`)
	x.fill(".edit", "title", "Water the garden")
	x.fill(".edit", "description", "and the balcony\nin the evening")
	x.shot("edit")
	x.click(".edit button[type=submit]")
	x.wait(`document.querySelector("#list .words")?.textContent === "Water the garden"`)
	x.MustReload()
	// Its copy may be a moment older than what the server knows.
	x.wait(`document.querySelectorAll("#list .task").length === 3 && document.querySelector("#list .words").textContent === "Water the garden"`)
	x.click("#menu button")
	x.wait(`document.querySelector("#signin")`)
	x.MustReload()
	x.wait(`document.querySelector("#signin")`)
}

func TestReferenceOfTheAPI(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url+"/docs")
	x.wait(`document.querySelector("rapi-doc")?.shadowRoot?.textContent.includes("Trade a refresh token for the next one")`)
	// The two kinds of token are told apart.
	x.wait(`["Access token", "API token"].every((kind) => document.querySelector("rapi-doc").shadowRoot.textContent.includes(kind)) && !document.querySelector("rapi-doc").shadowRoot.textContent.includes("HTTP Bearer")`)
	// Nothing that may be deleted is filled in, and every field has a name.
	const fields = `(() => {
		const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
		return all(document).filter((e) => e.matches("input, textarea, select"));
	})()`
	x.wait(fields + `.filter((e) => e.dataset.ptype === "path").length > 5`)
	x.wait(fields + `.every((e) => e.labels?.length || e.getAttribute("aria-label"))`)
	if filled := x.MustEval(`() => ` + fields + `.filter((e) => e.dataset.ptype === "path" && e.value).length`).Int(); filled != 0 {
		t.Errorf("%d ids are filled in", filled)
	}
	x.shot("docs")
}
