package cmd

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// aPushService stands in for the one of the browser, which is not to be reached from here.
const aPushService = `
	let there = null;
	PushManager.prototype.getSubscription = async () => there;
	PushManager.prototype.subscribe = async (options) => {
		if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error("bad options");
		const { publicKey } = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
		const base64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
		const keys = { p256dh: base64(new Uint8Array(await crypto.subtle.exportKey("raw", publicKey))), auth: base64(new Uint8Array(16)) };
		there = { endpoint: "https://push.example.com/1", unsubscribe: async () => { there = null; }, toJSON: () => ({ endpoint: "https://push.example.com/1", expirationTime: null, keys }) };
		return there;
	};
	Notification.requestPermission = async () => "granted";
	Object.defineProperty(Notification, "permission", { get: () => "granted" });
`

// Reminders are switched on and off in the account; where the browser can't show them, there is
// nothing to switch.
func TestPageSwitchesReminders(t *testing.T) {
	folder(t)
	p := start(t, nil)
	x := without(t, p, aPushService)
	x.wait(`document.querySelector("#signin")`)
	x.register()
	x.click(`#menu a[href="#account"]`)
	for _, c := range []struct {
		text  string
		there int
	}{{"Reminders are shown here.", 1}, {"Reminders are not shown here any more.", 0}, {"Reminders are shown here.", 1}} {
		x.click(`#reminders input`)
		x.wait(fmt.Sprintf(`document.querySelector("#reminders [role=status]")?.textContent === %q`, c.text))
		_, answer := p.call("GET", "/push/subscriptions", p.login(), "")
		if all, _ := answer["subscriptions"].([]any); len(all) != c.there {
			t.Errorf("%s %v", c.text, answer)
		}
	}
	x.shot("reminders")

	// They end with the session, and begin again with the next one of the same person alone.
	there := func(token string) int {
		_, answer := p.call("GET", "/push/subscriptions", token, "")
		all, _ := answer["subscriptions"].([]any)
		return len(all)
	}
	ann := p.login()
	x.click("#menu button")
	until(t, "they end", func() bool { return there(ann) == 0 })
	bob := p.another("bob")
	x.signIn("bob")
	x.add("bob's")
	x.settled()
	if n := there(bob); n != 0 {
		t.Errorf("%d of somebody else", n)
	}
	x.click("#menu button")
	x.signIn("ann")
	until(t, "they are back", func() bool { return there(ann) == 1 })
	x.click(`#menu a[href="#account"]`)
	x.wait(`document.querySelector("#reminders input")?.checked`)
	x.click(`#reminders input`)
	x.wait(`document.querySelector("#reminders [role=status]")?.textContent === "Reminders are not shown here any more."`)
	x.click("#menu button")
	x.signIn("ann")
	x.add("without")
	x.settled()
	if n := there(ann); n != 0 {
		t.Errorf("%d after they were switched off", n)
	}
	other := without(t, p, `delete window.PushManager;`)
	other.wait(`document.querySelector("#signin")`)
	other.signIn("ann")
	other.click(`#menu a[href="#account"]`)
	other.wait(`document.querySelector("#new-token")`)
	if other.MustHas(`#reminders`) {
		t.Error("there is a switch without anything to switch")
	}
}

// pushes lets messages come to the worker of a page, and shows what they say.
func (x *tab) pushes(b *rod.Browser) func(data string) {
	x.t.Helper()
	origin := x.MustEval(`() => location.origin`).String()
	if err := (proto.BrowserGrantPermissions{Permissions: []proto.BrowserPermissionType{proto.BrowserPermissionTypeNotifications}, Origin: origin}).Call(b); err != nil {
		x.t.Fatal(err)
	}
	registered := make(chan proto.ServiceWorkerRegistrationID, 100)
	page, leave := x.WithCancel()
	listen := page.EachEvent(func(e *proto.ServiceWorkerWorkerRegistrationUpdated) {
		for _, one := range e.Registrations {
			registered <- one.RegistrationID
		}
	})
	heard := make(chan struct{})
	go func() { listen(); close(heard) }() // what it listens to is switched off at its end
	x.t.Cleanup(func() { leave(); <-heard })
	x.wait(`navigator.serviceWorker.controller`)
	// EachEvent asks before it listens, so the answer may be lost: ask again.
	if err := errors.Join((proto.ServiceWorkerDisable{}).Call(page), (proto.ServiceWorkerEnable{}).Call(page)); err != nil {
		x.t.Fatal(err)
	}
	var id proto.ServiceWorkerRegistrationID
	select {
	case id = <-registered:
	case <-time.After(time.Minute):
		x.t.Fatal("the service worker is not registered")
	}
	return func(data string) {
		x.t.Helper()
		if err := (proto.ServiceWorkerDeliverPushMessage{Origin: origin, RegistrationID: id, Data: data}).Call(page); err != nil {
			x.t.Fatal(err)
		}
	}
}

// untilPushed pushes a message until it has done what it should: a busy browser loses one now and then.
func untilPushed(t testing.TB, push func(string), message, what string, done func() bool) {
	t.Helper()
	var next time.Time
	until(t, what, func() bool {
		if now := time.Now(); now.After(next) {
			push(message)
			next = now.Add(10 * time.Second)
		}
		return done()
	})
}

// notified pushes a message until its notification is shown, when those before are gone.
func (x *tab) notified(push func(string), message string) {
	x.t.Helper()
	until(x.t, "no notification is shown", func() bool { return x.notifications() == 0 })
	untilPushed(x.t, push, message, "a notification is shown", func() bool { return x.notifications() > 0 })
}

// notifications counts what is shown.
func (x *tab) notifications() int {
	return x.MustEval(`async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications()).length`).Int()
}

// lookAway lets a page believe that it is hidden: what is in sight shows reminders itself.
func (x *tab) lookAway() {
	x.t.Helper()
	x.MustEval(`() => { Object.defineProperty(document, "hidden", { get: () => true }); }`)
}

// inWorker runs a function in the worker of the page.
func inWorker(t *testing.T, b *rod.Browser, script string) {
	t.Helper()
	targets, err := proto.TargetGetTargets{}.Call(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets.TargetInfos {
		if target.Type != "service_worker" {
			continue
		}
		session, err := proto.TargetAttachToTarget{TargetID: target.TargetID, Flatten: true}.Call(b)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := b.Call(t.Context(), string(session.SessionID), "Runtime.evaluate", map[string]any{"expression": "(" + script + ")()", "awaitPromise": true})
		if err != nil || strings.Contains(string(raw), "exceptionDetails") {
			t.Fatalf("%s %v", raw, err)
		}
		return
	}
	t.Fatal("there is no worker")
}

// pressShown presses a button of the notification that is shown.
func pressShown(t *testing.T, b *rod.Browser, action string) {
	t.Helper()
	inWorker(t, b, fmt.Sprintf(`async () => {
		let shown = [];
		for (let n = 0; n < 200 && !shown.length; n++) {
			shown = await registration.getNotifications();
			await new Promise((done) => setTimeout(done, 50));
		}
		if (shown[0].actions.map(({ action }) => action).join() !== "done,later") throw new Error("other buttons");
		self.dispatchEvent(new NotificationEvent("notificationclick", { notification: shown[0], action: %q }));
	}`, action))
}

// The buttons of a notification complete the task, or remind of it again, without the page.
func TestPageActsOnAReminder(t *testing.T) {
	p, x := registered(t, "--rate-limit=off")
	b := x.Browser()
	ann := p.login()
	p.done("POST", "/tasks/", ann, `{"title":"Pay rent","due":"2031-01-05","recurrence":"FREQ=MONTHLY"}`)
	p.done("POST", "/tasks/", ann, `{"title":"Call Bob","due":"2031-01-06T09:00","reminders":[{"before":"PT1H"}]}`)
	push := x.pushes(b)
	x.lookAway()
	x.notified(push, `{"type":"reminder","task":{"id":1,"uid":"u","title":"Pay rent","due":"2031-01-05","due_at":null},"seq":9}`)
	pressShown(t, b, "done")
	until(t, "the task is done", func() bool { return p.done("GET", "/tasks/1", ann, "")["due"] == "2031-02-05" })
	// One of a date that is done already moves nothing on.
	x.notified(push, `{"type":"reminder","task":{"id":1,"uid":"u","title":"Pay rent","due":"2031-01-05","due_at":null},"seq":10}`)
	pressShown(t, b, "done")
	x.notified(push, `{"type":"reminder","task":{"id":2,"uid":"u","title":"Call Bob","due":"2031-01-06T09:00","due_at":null},"seq":11}`)
	pressShown(t, b, "later")
	until(t, "there is another reminder", func() bool { return len(p.done("GET", "/tasks/2", ann, "")["reminders"].([]any)) == 2 })
	if due := p.done("GET", "/tasks/1", ann, "")["due"]; due != "2031-02-05" {
		t.Errorf("moved on to %s", due)
	}
	x.add("the session goes on")
	x.settled()

	// Without a session, nothing is done.
	x.click("#menu button")
	x.wait(`document.querySelector("#signin")`)
	x.notified(push, `{"type":"reminder","task":{"id":2,"uid":"u","title":"Call Bob","due":"2031-01-06T09:00","due_at":null},"seq":12}`)
	pressShown(t, b, "done")
	until(t, "the notification is gone", func() bool {
		return x.notifications() == 0
	})
	if p.done("GET", "/tasks/2", ann, "")["completed"] == true {
		t.Error("it was completed by nobody")
	}
}

// A push becomes a notification; mails and notifications lead to the task.
func TestPageShowsAReminder(t *testing.T) {
	p, x := registered(t)
	b := x.Browser()
	for i := range 60 {
		x.add(fmt.Sprint("task ", i))
	}
	until(t, "the tasks arrive", func() bool { return p.tasks(p.login()) == 60 })
	push := x.pushes(b)
	x.lookAway()
	x.notified(push, `{"type":"reminder","task":{"id":3,"uid":"u","title":"<b>task</b> 2","due":"2027-03-10","due_at":null},"seq":9}`)
	shown := `(await (await navigator.serviceWorker.getRegistration()).getNotifications())`
	if n := x.notifications(); n != 1 {
		t.Errorf("%d notifications", n)
	}
	got := x.MustEval(`async () => { const [n] = ` + shown + `; return [n.title, n.body, n.tag, n.data.url].join("|"); }`).String()
	if got != "<b>task</b> 2|Wednesday, March 10, 2027|task-3|/#task-3" {
		t.Error(got)
	}
	x.MustEval(`() => { location.hash = "#task-3"; }`)
	x.wait(`document.activeElement?.closest("li")?.dataset.id === "3"`)
}

// Who looks at the page is reminded by a quiet bar, of one task after the other and of each
// once, whether the stream, a push or both tell of it.
func TestPageShowsRemindersInABar(t *testing.T) {
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	b := browser(t)
	x := open(t, b, p.url)
	x.MustEvalOnNewDocument(marking)
	x.register()
	ann := p.login()
	push := x.pushes(b)
	soon := time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339)
	p.done("POST", "/tasks/", ann, fmt.Sprintf(`{"title":"Call <b>Bob</b>","reminders":[{"at":%q}]}`, soon))
	p.done("POST", "/tasks/", ann, `{"title":"Pay rent","due":"2031-01-05","recurrence":"FREQ=MONTHLY"}`)
	p.done("POST", "/tasks/", ann, `{"title":"Water the plants","due":"2031-01-06T09:00"}`)
	bar := `document.querySelector("#reminder")`
	x.wait(bar + `?.textContent.startsWith("Call <b>Bob</b>Done")`) // by the stream
	x.wait(`document.querySelector("#announcer").textContent === "Reminder: Call <b>Bob</b>"`)
	x.MustEval(`() => { window.told = []; new MutationObserver(() => { const text = document.querySelector("#announcer").textContent; if (text) told.push(text); }).observe(document.querySelector("#announcer"), { childList: true, characterData: true, subtree: true }); }`)
	push(`{"type":"reminder","task":{"id":1,"uid":"u","title":"Call <b>Bob</b>","due":null,"due_at":null},"seq":9}`)
	push(`{"type":"reminder","task":{"id":2,"uid":"u","title":"Pay rent","due":"2031-01-05","due_at":null},"seq":10}`)
	push(`{"type":"reminder","task":{"id":3,"uid":"u","title":"Water the plants","due":"2031-01-06T09:00","due_at":null},"seq":11}`)
	x.wait(`told.join() === "Reminder: Pay rent,Reminder: Water the plants"`)
	x.shot("reminder")
	x.click("#reminder button:nth-of-type(2)")
	x.wait(bar + `?.textContent.startsWith("Pay rent · 5 January 2031Done") && document.querySelector("#undo").textContent.startsWith("Again at ")`)
	until(t, "there is one in an hour", func() bool { return len(p.done("GET", "/tasks/1", ann, "")["reminders"].([]any)) > 0 })
	x.shot("reminder and undo")
	// By keys; the focus goes on with the reminders, and is not lost at the end.
	x.MustEval(`() => document.querySelector("#reminder button").focus()`)
	x.press(input.Enter)
	until(t, "it is done", func() bool { return p.done("GET", "/tasks/2", ann, "")["due"] == "2031-02-05" })
	x.wait(bar + `?.textContent.startsWith("Water the plants · 6 January 2031 09:00Done") && ` + bar + `.contains(document.activeElement)`)
	x.press(input.Escape)
	x.wait(`!` + bar + ` && document.activeElement.id === "new-task"`)
	// What is done elsewhere meanwhile, nobody is reminded of.
	bread := p.done("POST", "/tasks/", ann, `{"title":"Buy bread"}`)["task"].(map[string]any)["id"]
	x.wait(row("Buy bread"))
	push(fmt.Sprintf(`{"type":"reminder","task":{"id":%v,"uid":"u","title":"Buy bread","due":null,"due_at":null},"seq":12}`, bread))
	x.wait(bar)
	p.done("PATCH", fmt.Sprint("/tasks/", bread), ann, `{"completed":true}`)
	x.wait(`!` + bar)
	if n := x.MustEval(`async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications()).length`).Int(); n != 0 {
		t.Errorf("%d notifications beside the bar", n)
	}
	// A press on the title leads to the task; the one before was told of a moment ago.
	push(`{"type":"reminder","task":{"id":3,"uid":"u","title":"Water the plants","due":"2031-01-06T09:00","due_at":null},"seq":13}`)
	door := p.done("POST", "/tasks/", ann, `{"title":"Fix the door"}`)["task"].(map[string]any)["id"]
	x.wait(row("Fix the door"))
	push(fmt.Sprintf(`{"type":"reminder","task":{"id":%v,"uid":"u","title":"Fix the door","due":null,"due_at":null},"seq":14}`, door))
	x.wait(bar)
	if got := x.MustElement("#reminder").MustText(); !strings.HasPrefix(got, "Fix the door") {
		t.Errorf("a task is told of twice within a minute: %s", got)
	}
	x.goTo("today")
	x.click("#reminder a")
	x.wait(`!` + bar + ` && document.activeElement?.closest(".task")?.querySelector(".words").textContent === "Fix the door"`)
	// What the page does not know, or nobody sees, is a notification.
	untilPushed(t, push, `{"type":"reminder","task":{"id":99,"uid":"u","title":"Elsewhere","due":null,"due_at":null},"seq":15}`, "it is shown", func() bool {
		return x.MustEval(`async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications()).some(({ title }) => title === "Elsewhere")`).Bool()
	})
	// Who goes takes the reminders along.
	bin := p.done("POST", "/tasks/", ann, `{"title":"Take out the bin"}`)["task"].(map[string]any)["id"]
	x.wait(row("Take out the bin"))
	push(fmt.Sprintf(`{"type":"reminder","task":{"id":%v,"uid":"u","title":"Take out the bin","due":null,"due_at":null},"seq":16}`, bin))
	x.wait(bar)
	x.click("#menu button")
	x.wait(`document.querySelector("#signin") && !` + bar)
}
