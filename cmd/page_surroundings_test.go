package cmd

import (
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"
)

// without opens the page in a browser from which a script has taken something.
func without(t *testing.T, p *process, script string) *tab {
	t.Helper()
	b := browser(t)
	page, err := b.Page(proto.TargetCreateTarget{NewWindow: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := page.EvalOnNewDocument(script); err != nil {
		t.Fatal(err)
	}
	return openOn(t, page, p.url)
}

// A page begins whatever its surroundings lack or say.
func TestPageWithoutItsSurroundings(t *testing.T) {
	throws := func(object, name string) string {
		return `Object.defineProperty(` + object + `, "` + name + `", { configurable: true, get() { throw new DOMException("denied", "SecurityError"); } });`
	}
	gone := func(object, name string) string { return `delete ` + object + `.` + name + `;` }
	languages := func(list string) string {
		return `Object.defineProperty(Navigator.prototype, "languages", { get: () => ` + list + ` }); Object.defineProperty(Navigator.prototype, "language", { get: () => "C" });`
	}
	for name, script := range map[string]string{
		"a language that is none":    languages(`["C"]`),
		"any language":               languages(`["*", "en-US@posix"]`),
		"no languages":               languages(`undefined`),
		"no storage":                 throws("window", "localStorage") + throws("window", "sessionStorage"),
		"storage that takes nothing": `Storage.prototype.setItem = () => { throw new DOMException("no", "SecurityError"); };`,
		"no channels":                gone("window", "BroadcastChannel"),
		"channels that are denied":   `window.BroadcastChannel = class { constructor() { throw new DOMException("denied", "SecurityError"); } };`,
		"no workers":                 gone("Navigator.prototype", "serviceWorker"),
		"workers that are denied":    throws("Navigator.prototype", "serviceWorker"),
		"no locks":                   gone("Navigator.prototype", "locks"),
		"locks that are denied":      `LockManager.prototype.request = () => Promise.reject(new DOMException("denied", "SecurityError"));`,
		"no databases":               throws("window", "indexedDB"),
		"no subtle cryptography":     gone("Crypto.prototype", "subtle") + gone("Crypto.prototype", "randomUUID"),
	} {
		t.Run(name, func(t *testing.T) {
			folder(t)
			p := start(t, nil)
			x := without(t, p, script)
			x.wait(`document.querySelector("#signin")`)
			x.register()
			x.add("whatever the browser is like")
			if name == "no storage" || name == "storage that takes nothing" {
				x.wait(`document.querySelector("#memory")?.textContent.includes("survive a reload")`)
				x.shot("without storage")
			}
			until(t, "the task arrives", func() bool { return p.tasks(p.login()) == 1 })
		})
	}
}

// A script that can't be loaded or fails at once is told of, in place of an
// empty page.
func TestPageThatCannotBegin(t *testing.T) {
	folder(t)
	p := start(t, nil)
	b := browser(t)
	page, err := b.Page(proto.TargetCreateTarget{NewWindow: true})
	if err != nil {
		t.Fatal(err)
	}
	router := page.HijackRequests()
	router.MustAdd("*/store.js", func(h *rod.Hijack) { h.Response.Fail(proto.NetworkErrorReasonConnectionReset) })
	go router.Run()
	t.Cleanup(func() { _ = router.Stop() })
	if err := page.Timeout(time.Minute).Navigate(p.url); err != nil {
		t.Fatal(err)
	}
	if err := page.Timeout(time.Minute).Wait(rod.Eval(`() => document.querySelector("main [role=alert]")?.textContent.includes("could not begin")`)); err != nil {
		t.Fatalf("nothing is said: %v", err)
	}
}
