package sqlite

import (
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

func TestTheNewestRowOfAFile(t *testing.T) {
	db := openTest(t)
	if newest := NewestIn(t.Context(), db.path); !newest.IsZero() {
		t.Errorf("of a new one: %s", newest)
	}
	addUser(t, db, "ann@example.com")
	later := testNow.AddDate(20, 0, 0)
	if err := db.AddEvent(t.Context(), account.Event{At: later, Name: account.EventLimited}); err != nil {
		t.Fatal(err)
	}
	if newest, err := db.Newest(t.Context()); err != nil || !newest.Equal(later) || !NewestIn(t.Context(), db.path).Equal(later) {
		t.Errorf("%s (%v)", newest, err)
	}
	if newest := NewestIn(t.Context(), db.path+"-none"); !newest.IsZero() {
		t.Error(newest)
	}
}

// The key by which browsers know the server is in a backup.
func TestRemindersOfAFile(t *testing.T) {
	db := openTest(t)
	if _, err := db.PushKey(t.Context(), func() (string, error) { return "first", nil }); err != nil {
		t.Fatal(err)
	}
	backup, _ := backUp(t, db)
	ann := addUser(t, db, "ann@example.com")
	task := addTask(t, db, ann.ID, "t")
	exec(t, db, `INSERT INTO reminders (user_id, task_id, at, fires_at, version) VALUES (?1, ?2, ?3, ?3, 1)`, ann.ID, task.ID, testNow.UnixMilli())
	for path, want := range map[string]RemindersState{
		backup: {PushKey: "first"}, db.path: {PushKey: "first", Overdue: time.Hour},
	} {
		if got, err := RemindersIn(t.Context(), path, testNow.Add(time.Hour)); got != want || err != nil {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
}

func TestWebhooksInTrouble(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com")
	me := app.Operator()
	me.UserID = ann.ID
	hook, err := db.CreateWebhook(t.Context(), me, outbox.NewWebhook{URL: "https://a.example/", Events: outbox.EventTaskCreated, Secret: make([]byte, 32), CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	var all []outbox.Delivery
	for seq := int64(1); seq <= 3; seq++ {
		all = append(all, outbox.Delivery{Seq: seq, Event: "task.created", At: testNow, Tries: 1, Dead: seq < 3})
	}
	off := hook.Progress
	off.State = outbox.WebhookOff
	if _, err := db.SaveWebhooks(t.Context(), []outbox.WebhookSave{{ID: hook.ID, Known: hook.Progress, Progress: off, Deliveries: all}}); err != nil {
		t.Fatal(err)
	}
	if off, dead := WebhooksInTrouble(t.Context(), db.path); off != 1 || dead != 2 {
		t.Errorf("%d off, %d dead", off, dead)
	}
	if off, dead := WebhooksInTrouble(t.Context(), db.path+".none"); off+dead != 0 {
		t.Errorf("%d off, %d dead in no file", off, dead)
	}
}

func TestAFeedIsInTheBackup(t *testing.T) {
	db := openTest(t)
	me := app.Operator()
	me.UserID = addUser(t, db, "ann@example.com").ID
	if _, err := db.CreateFeed(t.Context(), me, todo.NewFeed{Form: todo.FeedTodo, Hash: linkHash("kept"), CreatedAt: testNow}); err != nil {
		t.Fatal(err)
	}
	path, _ := backUp(t, db)
	again := open(t, path)
	defer func() {
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := again.OpenFeed(t.Context(), linkHash("kept")); err != nil {
		t.Error(err)
	}
}
