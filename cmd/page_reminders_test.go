package cmd

import (
	"errors"
	"fmt"
	"testing"
	"time"

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
	if err := (proto.BrowserGrantPermissions{Permissions: []proto.BrowserPermissionType{proto.BrowserPermissionTypeNotifications}, Origin: p.url}).Call(b); err != nil {
		t.Fatal(err)
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
	t.Cleanup(func() { leave(); <-heard })
	x.wait(`navigator.serviceWorker.controller`)
	// EachEvent asks before it listens, so the answer may be lost: ask again.
	if err := errors.Join(proto.ServiceWorkerDisable{}.Call(page), proto.ServiceWorkerEnable{}.Call(page)); err != nil {
		t.Fatal(err)
	}
	var worker proto.ServiceWorkerRegistrationID
	select {
	case worker = <-registered:
	case <-time.After(time.Minute):
		t.Fatal("the service worker is not registered")
	}
	push := proto.ServiceWorkerDeliverPushMessage{Origin: p.url, RegistrationID: worker, Data: `{"type":"reminder","task":{"id":3,"uid":"u","title":"<b>task</b> 2","due":"2027-03-10","due_at":null},"seq":9}`}
	if err := push.Call(page); err != nil {
		t.Fatal(err)
	}
	shown := `(await (await navigator.serviceWorker.getRegistration()).getNotifications())`
	until(t, "the notification is shown", func() bool { return x.MustEval(`async () => `+shown+`.length`).Int() == 1 })
	got := x.MustEval(`async () => { const [n] = ` + shown + `; return [n.title, n.body, n.tag, n.data.url].join("|"); }`).String()
	if got != "<b>task</b> 2|Wednesday, March 10, 2027|task-3|/#task-3" {
		t.Error(got)
	}
	x.MustEval(`() => { location.hash = "#task-3"; }`)
	x.wait(`document.activeElement?.closest("li")?.dataset.id === "3"`)
}
