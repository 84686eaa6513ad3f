package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// useWebhooks calls every method of webhooks.
func useWebhooks(t *testing.T, db *storetest.DB, user account.User) {
	t.Helper()
	ctx, me := context.Background(), app.Operator()
	me.UserID = user.ID
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	hook := addWebhook(t, db, user)
	task, err := db.CreateTask(ctx, me, todo.NewTask{UserID: user.ID, Title: "t", CreatedAt: testNow})
	check(err)
	url, events, all := "https://b.example/", outbox.EventTaskDeleted, int64(0)
	_, err = db.UpdateWebhook(ctx, me, hook.ID, outbox.WebhookChange{URL: &url, Events: &events, ListID: &all})
	check(err)
	_, err = db.RotateWebhook(ctx, me, hook.ID, make([]byte, 32), testNow)
	check(err)
	_, err = db.ResumeWebhook(ctx, me, hook.ID, false)
	check(err)
	for _, page := range []int64{1, 9} {
		request := app.PageRequest{Page: page, PerPage: 10}
		_, err = db.Webhooks(ctx, user.ID, request)
		check(err)
		_, err = db.Deliveries(ctx, user.ID, hook.ID, request)
		check(err)
	}
	_, err = db.WebhookUsers(ctx)
	check(err)
	_, err = db.ActiveWebhooks(ctx, user.ID)
	check(err)
	_, err = db.WebhookEvents(ctx, user.ID, 0, 10)
	check(err)
	_, err = db.Happened(ctx, hook, task.Version)
	check(err)
	_, err = db.NoteDelivery(ctx, me, hook.ID, outbox.Delivery{Seq: task.Version, Event: "task.created", At: testNow, Tries: 1})
	check(err)
	_, err = db.SaveWebhooks(ctx, []outbox.WebhookSave{{
		ID: hook.ID, UserID: user.ID, Known: hook.Progress, Progress: hook.Progress, Trim: true,
		Deliveries: []outbox.Delivery{{Seq: 7, Event: "task.created", At: testNow, Tries: 3, Dead: true}},
	}})
	check(err)
	_, err = db.PruneDeliveries(ctx)
	check(err)
	check(db.DeleteWebhook(ctx, me, hook.ID))
}

func addWebhook(t testing.TB, db *storetest.DB, user account.User) outbox.Webhook {
	t.Helper()
	me := app.Operator()
	me.UserID = user.ID
	hook, err := db.CreateWebhook(context.Background(), me, outbox.NewWebhook{URL: "https://a.example/", Events: outbox.EventTaskCreated, Secret: make([]byte, 32), CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return hook
}

// What somebody else has changed meanwhile is not written over.
func TestAWebhookThatWasChangedMeanwhile(t *testing.T) {
	ctx := context.Background()
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	me := app.Operator()
	me.UserID = ann.ID
	kept, changed, gone := addWebhook(t, db, ann), addWebhook(t, db, ann), addWebhook(t, db, ann)
	save := func(w outbox.Webhook) outbox.WebhookSave {
		p := w.Progress
		p.Cursor, p.Tries, p.NextAt, p.LastError = 9, 2, testNow.Add(time.Hour), "why"
		return outbox.WebhookSave{
			ID: w.ID, UserID: ann.ID, Known: w.Progress, Progress: p,
			Deliveries: []outbox.Delivery{{Seq: 9, Event: "task.created", At: testNow, Tries: 2, Status: 500, Error: "why"}},
			Mails:      []outbox.NewMail{{Template: outbox.MailWebhookOff, CreatedAt: testNow, Data: map[string]string{}}},
		}
	}
	first, err := db.SaveWebhooks(ctx, []outbox.WebhookSave{save(changed)})
	if err != nil || len(first) != 0 {
		t.Fatal(first, err)
	}
	if err := db.DeleteWebhook(ctx, me, gone.ID); err != nil {
		t.Fatal(err)
	}
	stale, err := db.SaveWebhooks(ctx, []outbox.WebhookSave{save(kept), save(changed), save(gone)})
	if err != nil || fmt.Sprint(stale) != fmt.Sprint([]int64{changed.ID, gone.ID}) {
		t.Fatalf("%v %v", stale, err)
	}
	for _, w := range []outbox.Webhook{kept, changed} {
		got, err := db.Webhook(ctx, ann.ID, w.ID)
		if err != nil || got.Cursor != 9 || got.Tries != 2 || !got.NextAt.Equal(testNow.Add(time.Hour)) || got.LastError != "why" {
			t.Errorf("%+v %v", got.Progress, err)
		}
	}
	if _, err := db.Webhook(ctx, ann.ID, gone.ID); !errors.Is(err, outbox.ErrWebhookNotFound) {
		t.Error(err)
	}
	mails, deliveries := db.Count(t, `SELECT count(*) FROM mails WHERE template = 'webhook-off'`), db.Count(t, `SELECT count(*) FROM deliveries`)
	if mails != 2 || deliveries != 2 {
		t.Errorf("%d mails, %d deliveries", mails, deliveries)
	}
}

// The last 200 deliveries are kept, and the dead for 30 days.
func TestDeliveriesAreNotKeptForEver(t *testing.T) {
	ctx := context.Background()
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	hook := addWebhook(t, db, ann)
	var all []outbox.Delivery
	for seq := int64(1); seq <= 500; seq++ {
		d := outbox.Delivery{Seq: seq, Event: "task.created", At: testNow, Tries: 1, Status: 200}
		switch seq {
		case 3:
			d.Dead, d.At = true, testNow.Add(-31*24*time.Hour)
		case 5, 499:
			d.Dead, d.At = true, testNow.Add(-29*24*time.Hour)
		}
		all = append(all, d)
	}
	if _, err := db.SaveWebhooks(ctx, []outbox.WebhookSave{{ID: hook.ID, Known: hook.Progress, Progress: hook.Progress, Deliveries: all}}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.PruneDeliveries(ctx); err != nil {
		t.Fatal(err)
	}
	page, err := db.Deliveries(ctx, ann.ID, hook.ID, app.PageRequest{Page: 3, PerPage: 100})
	if err != nil || page.Total != 201 || page.Items[0].Seq != 5 {
		t.Errorf("%d kept, the oldest of %+v, %v", page.Total, page.Items, err)
	}
	if dead := db.Count(t, `SELECT count(*) FROM deliveries WHERE dead = 1`); dead != 2 {
		t.Errorf("%d dead", dead)
	}
}

func TestAWebhookOfAListNeedsItsUserInIt(t *testing.T) {
	ctx := context.Background()
	db := openTest(t)
	ann, ben := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "ben@example.com", app.RoleUser)
	me := app.Operator()
	me.UserID = ben.ID
	list, err := db.CreateList(ctx, me, todo.NewList{Name: "Ben's", CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	me.UserID = ann.ID
	n := outbox.NewWebhook{URL: "https://a.example/", Events: 1, Secret: make([]byte, 32), CreatedAt: testNow, ListID: list.ID}
	if _, err := db.CreateWebhook(ctx, me, n); !errors.Is(err, todo.ErrListNotFound) {
		t.Error(err)
	}
	hook := addWebhook(t, db, ann)
	if _, err := db.UpdateWebhook(ctx, me, hook.ID, outbox.WebhookChange{ListID: &list.ID}); !errors.Is(err, todo.ErrListNotFound) {
		t.Error(err)
	}
}
