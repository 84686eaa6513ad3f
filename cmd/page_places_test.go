package cmd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod/lib/input"
)

// groups are the headings of a place with the titles below them.
const groups = `[...document.querySelectorAll("#list .group")].map((group) => group.querySelector("h2").textContent.split(",")[0] + ": " + [...group.querySelectorAll(".words")].map((e) => e.textContent).join()).join("|")`

// Each place shows what belongs there and has an address, and the back button works.
func TestPagePlaces(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	home := p.list(ann, "Home")
	in := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	for _, body := range []string{
		`{"title":"late","due":"` + in(-3) + `"}`, `{"title":"now","due":"` + in(0) + `"}`, `{"title":"soon","due":"` + in(1) + `"}`,
		`{"title":"some day","labels":["a/b"]}`, fmt.Sprintf(`{"title":"at home","list_id":%d,"due":"2031-05-01"}`, home), `{"title":"gone"}`,
	} {
		p.done("POST", "/tasks/", ann, body)
	}
	p.done("DELETE", "/tasks/6", ann, "")
	for place, want := range map[string]string{
		"today": "Overdue: late|Today: now", "upcoming": "Tomorrow: soon|May 2031: at home", "label/a%2Fb": ": some day", fmt.Sprint("list/", home): ": at home",
	} {
		x.goTo(place)
		x.wait(groups + fmt.Sprintf(` === %q`, want))
	}
	x.goTo("inbox")
	x.MustEval(`() => { location.hash = "#/search?q=HOME"; }`)
	x.wait(`document.querySelector("#search").value === "HOME" && ` + groups + ` === ": at home"`)
	x.MustNavigateBack()
	x.wait(`document.title === "Inbox – taskapi" && document.querySelectorAll("#list .task").length === 4`)
	x.click(`#places a[href="#/trash"]`)
	x.wait(`document.querySelector(".trash .words")?.textContent === "gone"`)
	x.shot("trash")
	x.click(".trash button")
	x.wait(`document.querySelector(".note").textContent === "The trash is empty."`)
	x.goToFrom("inbox")
	x.wait(row("gone"))
	x.goTo("today")
	x.MustNavigate("about:blank")
	x.MustNavigate(p.url) // without an address: where one was
	x.wait(groups + ` === "Overdue: late|Today: now"`)
	x.shot("today")
}

// goToFrom goes to a place from one without a field.
func (x *tab) goToFrom(place string) {
	x.t.Helper()
	x.click(fmt.Sprintf(`#places a[href="#/%s"]`, place))
	x.wait(`document.querySelector("#new-task")`)
}

// What is understood while typing stands below the field, and is taken away by a press; the
// place says the rest, and many lines are many tasks after one question.
func TestPageQuickAdd(t *testing.T) {
	p, x := registered(t)
	x.goTo("today")
	const chips = `[...document.querySelectorAll("#new-chips .chip span:first-child")].map((e) => e.textContent).join("|")`
	x.enter("#new-task", "read the paper #news !high on 2031-05-01")
	x.wait(chips + ` === "#news|high|1 May 2031"`)
	x.shot("quick add")
	x.click("#new-chips .chip:nth-child(3)")
	x.wait(chips + ` === "#news|high"`)
	x.press(input.Enter)
	x.wait(row("read the paper on 2031-05-01"))
	x.settled()
	task := p.done("GET", "/tasks/1", p.login(), "")
	if task["due"] != time.Now().Format(time.DateOnly) || task["priority"] != "high" || fmt.Sprint(task["labels"]) != "[news]" {
		t.Error(task)
	}
	x.MustEval(`() => {
		const data = new DataTransfer();
		data.setData("text/plain", "- bread\n- [x] milk\n\n3. olives");
		document.querySelector("#new-task").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
	}`)
	x.wait(`document.querySelector(".question p")?.textContent === "Make 3 tasks?" && document.activeElement.textContent === "Make them"`)
	x.press(input.Enter)
	x.wait(row("bread") + ` && ` + row("olives") + ` && !document.querySelector(".question")`)
	x.settled()
	if n := p.tasks(p.login()); n != 4 {
		t.Errorf("%d tasks", n)
	}
	x.press(input.Escape)
	x.press('u') // all three at once
	x.wait(`document.querySelectorAll("#list .task").length === 1`)
}

// Rows are moved by keys and by pointer, several are changed at once, and a reload takes
// nothing of this from the way back.
func TestPageArranges(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	home := p.list(ann, "Home")
	for _, title := range []string{"three", "two", "one"} {
		x.add(title)
	}
	x.settled()
	order := func(want string) {
		t.Helper()
		x.wait(`[...document.querySelectorAll("#list .task")].map((row) => row.dataset.depth.replace("0", "") + row.querySelector(".words").textContent).join() === ` + fmt.Sprintf("%q", want))
	}
	alt := func(key input.Key) { x.KeyActions().Press(input.AltLeft).Type(key).Release(input.AltLeft).MustDo() }
	x.press(input.Escape)
	alt(input.ArrowDown)
	order("two,one,three")
	if got := x.focus(); got != "one" {
		t.Errorf("the focus is on %q", got)
	}
	alt(input.ArrowRight)
	order("two,1one,three")
	x.wait(row("two") + `.querySelector(".details").textContent === "0 of 1 done"`)
	x.settled()
	x.click(".unfold")
	order("two,three")
	x.click(".unfold")
	order("two,1one,three")
	x.MustReload()
	order("two,1one,three")
	x.press(input.Escape)
	x.press('u')
	order("two,one,three")
	x.settled()
	x.press('u')
	order("one,two,three")
	x.settled()

	// Two are chosen, and dragged to a list.
	x.press('k')
	x.KeyActions().Press(input.ShiftLeft).Type(input.ArrowDown).Release(input.ShiftLeft).MustDo()
	x.wait(`document.querySelector("#many [role=status]")?.textContent === "2 chosen"`)
	x.shot("chosen")
	from, to := x.MustElement(`#list .task .words`).MustShape().OnePointInside(), x.MustElement(fmt.Sprintf(`#places a[href="#/list/%d"]`, home)).MustShape().OnePointInside()
	mouse := x.Mouse
	mouse.MustMoveTo(from.X, from.Y).MustDown("left").MustMoveTo(from.X-20, from.Y).MustMoveTo(to.X, to.Y)
	x.wait(`document.querySelector("#places a.over") && document.querySelector(".ghost")`)
	mouse.MustUp("left")
	order("three")
	x.settled()
	if all := fmt.Sprint(p.done("GET", fmt.Sprintf("/tasks/?list_id=%d", home), ann, "")); !strings.Contains(all, "title:one") || !strings.Contains(all, "title:two") {
		t.Error(all)
	}
	x.click("#undo button")
	order("one,two,three")
}
