package cmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// watched notes when tasks are drawn and painted, how long the page takes to show what was
// pressed or typed (Event Timing), and tasks of a script of over 50 ms.
const watched = `
	window.slow = { event: 0, script: 0 };
	new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) slow.event = Math.max(slow.event, duration); }).observe({ type: "event", durationThreshold: 16 });
	new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) slow.script = Math.max(slow.script, duration); }).observe({ type: "longtask" });
	new MutationObserver((_, observer) => {
		if (!document.querySelector("li.task")) return;
		observer.disconnect();
		requestAnimationFrame(() => setTimeout(() => performance.mark("painted")));
	}).observe(document, { childList: true, subtree: true });`

// slowly makes the processor four times slower, and the network as slow as the browser's
// developer tools call "Slow 3G".
func (x *tab) slowly(network bool) {
	x.t.Helper()
	err := proto.EmulationSetCPUThrottlingRate{Rate: 4}.Call(x.Page)
	if err == nil && network {
		err = proto.NetworkEmulateNetworkConditions{Latency: 2000, DownloadThroughput: 50_000, UploadThroughput: 50_000}.Call(x.Page)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

// manyTasks makes tasks of ann's until there are n.
func (p *process) manyTasks(n int) {
	p.t.Helper()
	ann := p.login()
	for total := p.tasks(ann); total < n; {
		requests := make([]string, 100)
		for i := range requests {
			total++
			requests[i] = fmt.Sprintf(`{"method":"POST","path":"/tasks/","body":{"title":"task %d of those that are to be done","description":"With a few words on how."}}`, total)
		}
		p.done("POST", "/batch", ann, `{"requests":[`+strings.Join(requests, ",")+`]}`)
	}
}

// begun opens the page with n tasks, which were here before.
func begun(b *testing.B, n int) *tab {
	b.Helper()
	p, x := registered(b, "--rate-limit=off", "--durability=normal")
	x.MustEvalOnNewDocument(watched)
	p.manyTasks(n)
	x.copied(fmt.Sprintf(`"task %d of`, n))
	x.MustReload()
	x.wait(`navigator.serviceWorker.controller && ` + row(fmt.Sprintf("task %d of those that are to be done", n)))
	return x
}

// painted opens the page once more, and says after how many milliseconds a task was there.
func (x *tab) painted() float64 {
	x.t.Helper()
	x.MustReload()
	x.wait(`performance.getEntriesByName("painted").length`)
	return x.MustEval(`() => performance.getEntriesByName("painted")[0].startTime`).Num()
}

// How long it takes from the beginning of a navigation until the tasks of the copy are there.
func BenchmarkPageBegins(b *testing.B) {
	for _, c := range []struct {
		name   string
		tasks  int
		slowly bool
	}{{"500 tasks", 500, false}, {"5,000 tasks", 5000, false}, {"500 tasks, slow", 500, true}, {"5,000 tasks, slow", 5000, true}} {
		b.Run(c.name, func(b *testing.B) {
			x := begun(b, c.tasks)
			if c.slowly {
				x.slowly(true)
			}
			var sum float64
			for range b.N {
				sum += x.painted()
			}
			b.ReportMetric(sum/float64(b.N), "ms-to-first-task")
		})
	}
}

// How long an act takes until it is shown (the largest of Event Timing, so the INP of the
// visit), on this processor and on one that is four times slower.
func BenchmarkPageActs(b *testing.B) {
	for _, c := range []struct {
		name   string
		tasks  int
		slowly bool
	}{{"5,000 tasks", 5000, false}, {"500 tasks, slow", 500, true}, {"5,000 tasks, slow", 5000, true}} {
		b.Run(c.name, func(b *testing.B) {
			x := begun(b, c.tasks)
			if c.slowly {
				x.slowly(false)
			}
			worst := map[string]float64{}
			act := func(name string, do func()) {
				x.MustEval(`() => { slow.event = slow.script = 0; }`)
				do()
				x.MustEval(`() => new Promise((done) => setTimeout(done, 300))`)
				worst[name] = max(worst[name], x.MustEval(`() => slow.event`).Num())
			}
			for i := range b.N {
				act("add", func() { x.add(fmt.Sprintf("one more %d", i)) })
				act("tick", func() { x.click("#list .tick"); x.wait(`document.querySelector("#undo:not([hidden])")`) })
				act("undo", func() { x.press('u'); x.wait(`document.querySelector("#undo").hidden`) })
				act("open", func() { x.click("#list .title"); x.wait(`document.querySelector(".edit")`) })
				act("type", func() { x.enter(".edit [name=title]", " more") })
				act("save", func() { x.press(input.Enter); x.wait(`!document.querySelector(".edit")`) })
				act("go", func() { x.click(`#places a[href="#/today"]`); x.click(`#places a[href="#/inbox"]`) })
				act("search", func() {
					x.click(`#places a[href="#/search"]`)
					x.enter("#search", "4711")
					x.wait(`document.querySelectorAll("#list .task").length < 3`)
				})
				x.goTo("inbox")
			}
			for name, ms := range worst {
				b.ReportMetric(ms, "ms-"+name)
			}
		})
	}
}

// The longest task of a script while a long list is scrolled.
func BenchmarkPageScrolls(b *testing.B) {
	x := begun(b, 5000)
	for range b.N {
		x.MustEval(`async () => {
			slow.script = 0;
			scrollTo(0, 0);
			for (let n = 0; n < 120; n++) {
				scrollBy(0, 400);
				await new Promise(requestAnimationFrame);
			}
			await new Promise((done) => setTimeout(done, 200));
		}`)
	}
	b.ReportMetric(x.MustEval(`() => slow.script`).Num(), "ms-longest-task")
	b.ReportMetric(x.MustEval(`() => document.querySelectorAll("#list .task").length`).Num(), "rows")
}
