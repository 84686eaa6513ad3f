package cmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/input"
)

// People put many programs behind one name. The page lives below a path, whether
// the proxy strips it or not, beside others on the same origin.
func TestPageBelowAPath(t *testing.T) {
	for _, strips := range []bool{false, true} {
		t.Run(fmt.Sprintf("strips %t", strips), func(t *testing.T) {
			folder(t)
			var to *url.URL
			proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
				if strips {
					r.Out.URL.Path, r.Out.URL.RawPath = strings.TrimPrefix(r.In.URL.Path, "/tasks"), ""
				}
			}})
			t.Cleanup(proxy.Close) // which waits for the streams of the browser
			b := browser(t)
			p := start(t, nil, "--public-url="+proxy.URL+"/tasks")
			var err error
			if to, err = url.Parse(p.url); err != nil {
				t.Fatal(err)
			}
			x := open(t, b, proxy.URL+"/tasks/")
			x.register()
			x.add("below a path")
			x.settled()
			if scope := x.MustEval(`async () => (await navigator.serviceWorker.ready).scope`).String(); scope != proxy.URL+"/tasks/" {
				t.Errorf("the worker serves %s", scope)
			}
			if others := x.MustEval(`() => Object.keys(localStorage).filter((key) => !key.startsWith("/tasks ")).join()`).String(); others != "" {
				t.Errorf("kept among others' things: %s", others)
			}
			x.MustReload()
			x.wait(`document.querySelector("#list .words")?.textContent === "below a path"`)
			x.click(`#menu a[href="#account"]`)
			x.wait(`document.querySelector("#new-token")`)
			// The shell opens without the server.
			p.stop(os.Interrupt)
			x.MustNavigate(proxy.URL + "/tasks/")
			x.wait(`document.querySelector("#list .words")?.textContent === "below a path"`)
			docs := open(t, b, proxyPage(t, proxy, &to, "/tasks/docs"))
			docs.wait(`document.querySelector("rapi-doc")?.shadowRoot?.textContent.includes("Create a task")`)
		})
	}
}

// proxyPage starts the server behind a proxy again.
func proxyPage(t *testing.T, proxy *httptest.Server, to **url.URL, path string) string {
	t.Helper()
	p := start(t, nil, "--public-url="+proxy.URL+"/tasks")
	parsed, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	*to = parsed
	answer, err := http.Get(proxy.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != 200 {
		t.Fatal(answer.StatusCode, err)
	}
	return proxy.URL + path
}

// On any window, no control lies on another, and what a field says of itself fits
// into it.
func TestPageControlsLieApart(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.register()
	for i := range 12 {
		x.add(fmt.Sprintf("task number %d of twelve", i+1))
	}
	x.settled()
	x.press(input.Escape)
	for _, language := range []string{"en", "es"} {
		x.MustEvalOnNewDocument(fmt.Sprintf(`Object.defineProperty(Navigator.prototype, "languages", { get: () => [%q], configurable: true })`, language))
		x.MustReload()
		x.wait(`document.querySelectorAll("#list .task").length === 12`)
		for _, width := range []int{320, 360, 768, 1280} {
			x.MustSetViewport(width, 700, 1, false)
			for _, part := range []string{"0", "document.body.scrollHeight / 2", "document.body.scrollHeight"} {
				if found := x.MustEval(`() => { scrollTo(0, ` + part + `); return (` + apart + `)(); }`).String(); found != "" {
					t.Errorf("%s, %d px, at %s: %s", language, width, part, found)
				}
			}
		}
	}
	x.MustSetViewport(1280, 800, 1, false)
}

// apart names the controls in the window that lie on one another, and the fields
// whose placeholder is cut off.
const apart = `() => {
	const problems = [];
	const controls = [...document.querySelectorAll("button, a[href], input, textarea, select, summary")].filter((e) => e.checkVisibility() && e.getClientRects().length);
	const dock = document.querySelector("#dock");
	const top = dock.checkVisibility() ? dock.getBoundingClientRect().top : innerHeight;
	const bar = (e) => top < innerHeight && Boolean(e.closest("#dock, .new"));
	const name = (e) => e.id || e.getAttribute("aria-label") || e.textContent.trim().slice(0, 20) || e.outerHTML.slice(0, 60);
	for (const [i, one] of controls.entries()) {
		const a = one.getBoundingClientRect();
		// What has scrolled behind the bar of a phone comes up again above it.
		if (a.bottom < 0 || a.top > innerHeight || !bar(one) && a.bottom > top) continue;
		const [x, y] = [(a.left + a.right) / 2, (a.top + a.bottom) / 2];
		const found = document.elementFromPoint(x, y);
		// An input that cannot be seen takes its clicks through its label.
		if (found && !one.contains(found) && !found.contains(one) && !one.closest("label")?.contains(found)) {
			problems.push(name(found) + " covers " + name(one));
		}
		for (const other of controls.slice(i + 1)) {
			if (one.contains(other) || other.contains(one) || one.closest("label")?.contains(other)) continue;
			const b = other.getBoundingClientRect();
			if (bar(one) !== bar(other) && Math.max(a.bottom, b.bottom) > top) continue;
			if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) {
				problems.push(name(one) + " and " + name(other));
			}
		}
	}
	const pen = document.createElement("canvas").getContext("2d");
	for (const field of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
		const style = getComputedStyle(field);
		pen.font = style.font;
		const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
		if (field.checkVisibility() && pen.measureText(field.placeholder).width > room) problems.push("cut off: " + field.placeholder);
	}
	return [...new Set(problems)].join("; ");
}`
