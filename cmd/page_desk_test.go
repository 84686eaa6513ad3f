package cmd

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// place is a script that finds a list among the places.
func place(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('#places a[data-place^="#/list/"]')].find((a) => a.querySelector(".name").textContent === %q)`, name)
}

// newList makes a list by the button among the places.
func (x *tab) newList(name string) {
	x.t.Helper()
	x.click("#places .make")
	x.enter(".make-list input", name)
	x.press(input.Enter)
	x.wait(place(name) + `?.getAttribute("aria-current") === "page" && document.querySelector("main h1 bdi")?.textContent === ` + fmt.Sprintf("%q", name))
}

// menu opens what can be done with the list that is shown.
func (x *tab) menu() {
	x.t.Helper()
	x.click(".extras .dots")
	x.wait(`document.querySelector(".popover.menu .swatch")`)
}

func (x *tab) rename(to string) {
	x.t.Helper()
	x.menu()
	x.replace(".popover input", to)
	x.press(input.Enter)
	x.wait(place(to))
}

// lists are the lists among the places, in their order.
const lists = `[...document.querySelectorAll('#places a[data-place^="#/list/"] .name')].map((e) => e.textContent).join()`

// onServer are the lists as the server has them, with their tasks.
func (p *process) onServer(token string) string {
	p.t.Helper()
	var all []string
	for _, list := range p.done("GET", "/lists/?per_page=100", token, "")["lists"].([]any) {
		list := list.(map[string]any)
		var titles []string
		for _, task := range p.done("GET", fmt.Sprintf("/tasks/?per_page=100&list_id=%v", list["id"]), token, "")["tasks"].([]any) {
			titles = append(titles, task.(map[string]any)["title"].(string))
		}
		all = append(all, fmt.Sprintf("%v %v (%s)", list["name"], list["color"], strings.Join(titles, ",")))
	}
	return strings.Join(all, "; ")
}

// has waits until the server has lists with tasks.
func (p *process) has(token, want string) {
	p.t.Helper()
	got := ""
	for range 200 {
		if got = p.onServer(token); got == want {
			return
		}
	}
	p.t.Errorf("the server has %s, want %s", got, want)
}

// Lists are made, filled, renamed, coloured, ordered and deleted without the server, also
// across a reload, and the server hears of it once, what another device did meanwhile with it.
func TestPageListsWithoutTheServer(t *testing.T) {
	phone, laptop := browser(t), browser(t)
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	x := open(t, phone, p.url)
	x.register()
	for _, name := range []string{"Home", "Work", "Old"} {
		x.newList(name)
	}
	x.goTo("inbox")
	x.settled()
	y := open(t, laptop, p.url)
	y.signIn("ann")
	for _, each := range []*tab{x, y} {
		each.wait(lists + ` === "Home,Work,Old" && navigator.serviceWorker.controller`)
		each.MustReload()
		each.wait(lists + ` === "Home,Work,Old"`)
	}
	p.stop(os.Interrupt)

	x.newList("Trip")
	x.add("tickets")
	x.rename("Journey")
	x.menu()
	x.MustEval(`() => document.querySelector(".popover .swatch.hue-5").click()`)
	x.wait(`document.querySelector(".popover .swatch.hue-5").getAttribute("aria-pressed") === "true"`)
	x.press(input.Escape)
	x.MustEval(`() => ` + place("Old") + `.click()`)
	x.wait(`document.querySelector("main h1 bdi").textContent === "Old"`)
	x.menu()
	x.click(".popover .erase")
	x.wait(lists + ` === "Home,Work,Journey" && document.querySelector("#undo").textContent.includes("Old")`)
	x.MustEval(`() => ` + place("Journey") + `.focus()`)
	x.KeyActions().Press(input.AltLeft).Type(input.ArrowUp, input.ArrowUp).Release(input.AltLeft).MustDo()
	x.wait(lists + ` === "Journey,Home,Work"`)
	x.MustReload()
	x.wait(lists + ` === "Journey,Home,Work"`)
	x.MustEval(`() => ` + place("Journey") + `.click()`)
	x.wait(row("tickets") + ` && document.querySelector("main h1 bdi").textContent === "Journey"`)
	x.shot("a list without the server")
	x.add("and a passport")

	y.MustEval(`() => ` + place("Work") + `.click()`)
	y.wait(`document.querySelector("main h1 bdi").textContent === "Work"`)
	y.rename("Office")
	y.newList("Trip")
	y.add("of the laptop")

	p = startAt(t, strings.TrimPrefix(p.url, "http://"), "--rate-limit=off")
	for _, each := range []*tab{x, y} {
		each.settled()
		each.wait(lists + `.split(",").sort().join() === "Home,Journey,Office,Trip"`)
	}
	x.wait(`/#\/list\/\d+$/.test(location.hash) && ` + row("tickets") + ` && ` + row("and a passport"))
	ann := p.login()
	got := strings.Split(p.onServer(ann), "; ")
	slices.Sort(got)
	if text := strings.Join(got, "; "); text != "Home <nil> (); Inbox <nil> (); Journey #2b5fc0 (tickets,and a passport); Office <nil> (); Trip <nil> (of the laptop)" {
		t.Error(text)
	}
}

// What the server refuses is kept, says so in place, and is mended or given up.
func TestPageListsThatAreRefused(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	x.newList("Home")
	x.settled()
	refuse := func(pattern, method, answer string, status int) func() {
		return x.answer(pattern, method, func(h *rod.Hijack) {
			h.Response.Payload().ResponseCode = status
			h.Response.SetHeader("Content-Type", "application/json").SetBody(answer)
		})
	}
	stop := refuse("*/lists/", http.MethodPost, `{"error":"There are as many lists as an account may have.","code":"too_many_lists"}`, http.StatusConflict)
	x.newList("One more")
	x.add("typed in it")
	x.wait(`document.querySelector(".head .trouble button") && ` + place("One more") + `.textContent.includes("not accepted")`)
	x.shot("a list that is refused")
	stop()
	x.click(".head .trouble button") // try again
	x.settled()
	x.wait(`!document.querySelector(".head .trouble button") && ` + row("typed in it"))
	stop = refuse("*/lists/*", http.MethodPatch, `{"error":"Only the owner of the list may do this.","code":"not_list_owner"}`, http.StatusForbidden)
	x.rename("Mine")
	x.wait(`document.querySelector(".head .trouble button") && document.querySelector("main h1 bdi").textContent === "Mine"`)
	x.click(".head .trouble button:last-child") // drop it
	x.wait(`document.querySelector("main h1 bdi").textContent === "One more"`)
	stop()
	x.settled()
	p.has(p.login(), "Inbox <nil> (); Home <nil> (); One more <nil> (typed in it)")
}

// Lists are put in order by mouse, by touch and by keys, and that survives a reload.
func TestPageOrdersLists(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	for _, name := range []string{"one", "two", "three"} {
		p.list(ann, name)
	}
	x.wait(lists + ` === "one,two,three"`)
	at := func(name string) proto.Point {
		t.Helper()
		box := x.MustEval(`() => { const { x, y, width } = ` + place(name) + `.getBoundingClientRect(); return [x + width / 2, y + 6]; }`).Arr()
		return proto.Point{X: box[0].Num(), Y: box[1].Num()}
	}
	from, to := at("three"), at("one")
	x.Mouse.MustMoveTo(from.X, from.Y).MustDown("left").MustMoveTo(from.X, from.Y-20).MustMoveTo(to.X, to.Y)
	x.wait(`document.querySelector("#places a.before") && document.querySelector(".ghost")`)
	x.shotNow("a list dragged")
	x.Mouse.MustUp("left")
	x.wait(lists + ` === "three,one,two" && document.title.startsWith("Inbox")`)
	x.settled()
	x.MustReload()
	x.wait(lists + ` === "three,one,two"`)
	x.MustEval(`() => ` + place("two") + `.focus()`)
	x.KeyActions().Press(input.AltLeft).Type(input.ArrowUp).Release(input.AltLeft).MustDo()
	x.wait(lists + ` === "three,two,one" && document.activeElement === ` + place("two"))
	x.settled()
	x.click("#undo button")
	x.wait(lists + ` === "three,one,two"`)
	x.settled()
	p.has(ann, "Inbox <nil> (); three <nil> (); one <nil> (); two <nil> ()")

	// On a phone, a finger rests on a list and carries it.
	x.MustSetViewport(390, 800, 1, true)
	x.click("#places-open")
	x.wait(`document.querySelector("#places.open")?.getAnimations().length === 0`)
	touch := func(kind proto.InputDispatchTouchEventType, points ...*proto.InputTouchPoint) {
		t.Helper()
		if points == nil {
			points = []*proto.InputTouchPoint{}
		}
		if err := (proto.InputDispatchTouchEvent{Type: kind, TouchPoints: points}).Call(x.Page); err != nil {
			t.Fatal(err)
		}
	}
	from, to = at("two"), at("three")
	touch(proto.InputDispatchTouchEventTypeTouchStart, &proto.InputTouchPoint{X: from.X, Y: from.Y})
	x.wait(`document.querySelector(".ghost")`)
	touch(proto.InputDispatchTouchEventTypeTouchMove, &proto.InputTouchPoint{X: to.X, Y: to.Y})
	x.wait(`document.querySelector("#places a.before")`)
	x.shotNow("a list dragged by touch")
	touch(proto.InputDispatchTouchEventTypeTouchEnd)
	x.wait(lists + ` === "two,three,one" && document.querySelector("#places.open")`)
	x.settled()
	p.has(ann, "Inbox <nil> (); two <nil> (); three <nil> (); one <nil> ()")
}

// shotNow takes a picture of what is under way.
func (x *tab) shotNow(name string) {
	x.t.Helper()
	if folder := os.Getenv("SCREENSHOTS"); folder != "" {
		x.save(filepath.Join(folder, name+".png"))
	}
}

// The trash without the server has what is known, says what is missing, and gives it back.
func TestPageTrashWithoutTheServer(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	for _, title := range []string{"milk", "bread", "eggs"} {
		x.add(title)
	}
	x.newList("Old")
	x.add("inside")
	x.settled()
	x.goTo("inbox")
	p.done("DELETE", "/tasks/1", p.login(), "") // on another device
	x.wait(`!` + row("milk") + ` && navigator.serviceWorker.controller`)
	x.MustReload()
	const trash = `[...document.querySelectorAll(".trash .words")].map((e) => e.textContent).join()`
	x.wait(row("eggs"))
	x.click(`#places a[href="#/trash"]`)
	x.wait(trash + ` === "milk"`)
	x.goToFrom("inbox")
	p.stop(os.Interrupt)
	x.MustEval(`() => ` + row("eggs") + `.querySelector(".remove").click()`)
	x.MustEval(`() => ` + place("Old") + `.click()`)
	x.wait(`document.querySelector("main h1 bdi").textContent === "Old"`)
	x.menu()
	x.click(".popover .erase")
	x.wait(lists + ` === ""`)
	x.MustReload()
	x.wait(row("bread") + ` && !` + row("eggs"))
	x.click(`#places a[href="#/trash"]`)
	x.wait(trash + `.split(",").sort().join() === "Old,eggs,inside,milk" && document.querySelector(".note").textContent.startsWith("This is what this device knows of.")`)
	x.shot("trash without the server")
	for _, name := range []string{"milk", "eggs", "Old"} {
		x.MustEval(`(name) => { const button = [...document.querySelectorAll(".trash .task")].find((row) => row.querySelector(".words").textContent === name).querySelector("button"); button.focus(); button.click(); }`, name)
		x.wait(`![...document.querySelectorAll(".trash .words")].some((e) => e.textContent === ` + fmt.Sprintf("%q", name) + `) && document.activeElement !== document.body`)
	}
	x.wait(trash + ` === "" && ` + lists + ` === "Old"`)
	x.goToFrom("inbox")
	x.MustReload()
	x.wait(row("milk") + ` && ` + row("eggs") + ` && ` + row("bread"))
	p = startAt(t, strings.TrimPrefix(p.url, "http://"), "--rate-limit=off")
	x.settled()
	p.has(p.login(), "Inbox <nil> (milk,bread,eggs); Old <nil> (inside)")
}

// What was done with a list is undone by the server, also after a reload.
func TestPageUndoesLists(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	ann := p.login()
	x.newList("First")
	x.newList("Second")
	x.add("kept")
	x.settled()
	x.rename("Third")
	x.menu()
	x.MustEval(`() => document.querySelector(".popover .swatch.hue-0").click()`)
	x.press(input.Escape)
	x.MustEval(`() => ` + place("Third") + `.focus()`)
	x.KeyActions().Press(input.AltLeft).Type(input.ArrowUp).Release(input.AltLeft).MustDo()
	x.wait(lists + ` === "Third,First"`)
	x.settled()
	x.menu()
	x.click(".popover .erase")
	x.wait(lists + ` === "First"`)
	x.MustEval(`() => dispatchEvent(new Event("pagehide"))`)
	x.settled()
	p.has(ann, "Inbox <nil> (); First <nil> ()")
	x.MustReload()
	x.wait(lists + ` === "First" && document.querySelector("#new-task")`)
	for _, want := range []string{"Third,First", "First,Third", "First,Third", "First,Second"} {
		x.press(input.Escape)
		x.press('u')
		x.wait(lists + fmt.Sprintf(` === %q`, want))
		x.settled()
	}
	p.has(ann, "Inbox <nil> (); First <nil> (); Second <nil> (kept)")
	x.press('u') // the task
	x.press('u') // and its list
	x.wait(lists + ` === "First"`)
	x.settled()
	p.has(ann, "Inbox <nil> (); First <nil> ()")
}
