package cmd

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod"
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
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	b := browser(t)
	x := open(t, b, p.url)
	x.register()
	ann := p.login()
	p.done("POST", "/tasks/", ann, `{"title":"Pay rent","due":"2031-01-05","recurrence":"FREQ=MONTHLY"}`)
	p.done("POST", "/tasks/", ann, `{"title":"Call Bob","due":"2031-01-06T09:00","reminders":[{"before":"PT1H"}]}`)
	push := x.pushes(b)
	push(`{"type":"reminder","task":{"id":1,"uid":"u","title":"Pay rent","due":"2031-01-05","due_at":null},"seq":9}`)
	pressShown(t, b, "done")
	until(t, "the task is done", func() bool { return p.done("GET", "/tasks/1", ann, "")["due"] == "2031-02-05" })
	// One of a date that is done already moves nothing on.
	push(`{"type":"reminder","task":{"id":1,"uid":"u","title":"Pay rent","due":"2031-01-05","due_at":null},"seq":10}`)
	pressShown(t, b, "done")
	push(`{"type":"reminder","task":{"id":2,"uid":"u","title":"Call Bob","due":"2031-01-06T09:00","due_at":null},"seq":11}`)
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
	push(`{"type":"reminder","task":{"id":2,"uid":"u","title":"Call Bob","due":"2031-01-06T09:00","due_at":null},"seq":12}`)
	pressShown(t, b, "done")
	until(t, "the notification is gone", func() bool {
		return x.MustEval(`async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications()).length`).Int() == 0
	})
	if p.done("GET", "/tasks/2", ann, "")["completed"] == true {
		t.Error("it was completed by nobody")
	}
}

// A push becomes a notification; mails and notifications lead to the task.
func TestPageShowsAReminder(t *testing.T) {
	folder(t)
	p := start(t, nil)
	b := browser(t)
	x := open(t, b, p.url)
	x.register()
	for i := range 60 {
		x.add(fmt.Sprint("task ", i))
	}
	until(t, "the tasks arrive", func() bool { return p.tasks(p.login()) == 60 })
	x.pushes(b)(`{"type":"reminder","task":{"id":3,"uid":"u","title":"<b>task</b> 2","due":"2027-03-10","due_at":null},"seq":9}`)
	shown := `(await (await navigator.serviceWorker.getRegistration()).getNotifications())`
	until(t, "the notification is shown", func() bool { return x.MustEval(`async () => `+shown+`.length`).Int() == 1 })
	got := x.MustEval(`async () => { const [n] = ` + shown + `; return [n.title, n.body, n.tag, n.data.url].join("|"); }`).String()
	if got != "<b>task</b> 2|Wednesday, March 10, 2027|task-3|/#task-3" {
		t.Error(got)
	}
	x.MustEval(`() => { location.hash = "#task-3"; }`)
	x.wait(`document.activeElement?.closest("li")?.dataset.id === "3"`)
}
