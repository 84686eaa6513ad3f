package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// A clock that is far ahead fires nothing, and forgets nothing, while it may still be set.
func TestRemindersUnderAClockThatIsAhead(t *testing.T) {
	ctx := context.Background()
	clock := &dial{wall: testNow}
	db := storetest.OpenWith(t, clock.options())
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	id := remind(t, db, ann.ID, testNow.Add(time.Hour))
	fire := func() todo.Fired {
		t.Helper()
		fired, err := db.FireReminders(ctx, clock.wall, true)
		if err != nil {
			t.Fatal(err)
		}
		return fired
	}
	if fired := fire(); fired.Reminders != 0 || !fired.Next.Equal(testNow.Add(time.Hour)) {
		t.Errorf("at first: %+v", fired)
	}
	clock.pass(30 * time.Minute)
	fire()
	clock.wall = clock.wall.AddDate(1, 0, 0) // a wrong answer of the network
	if fired := fire(); fired.Reminders != 0 || !fired.Next.Equal(clock.wall.Add(store.DoubtLooks)) {
		t.Errorf("a year ahead: %+v", fired)
	}
	clock.pass(time.Minute)
	clock.wall = clock.wall.AddDate(-1, 0, 0) // which is put right
	clock.pass(time.Hour)
	if fired := fire(); fired.Reminders != 1 {
		t.Errorf("in time: %+v", fired)
	}
	if fired := fire(); fired.Reminders != 0 || !fired.Next.IsZero() {
		t.Errorf("again: %+v", fired)
	}
	if got := db.Count(t, fmt.Sprintf(`SELECT count(*) FROM changes WHERE op = %d AND entity = %d AND scope = %d`, todo.OpDue, id, -ann.ID)); got != 1 {
		t.Errorf("%d lines", got)
	}
}

// remind makes a task of which its user is reminded at a moment.
func remind(t testing.TB, db *storetest.DB, userID int64, at time.Time) int64 {
	t.Helper()
	created, err := db.CreateTask(context.Background(), app.Operator(), todo.NewTask{UserID: userID, Title: "t", CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(context.Background(), func(tx *store.Tx) error {
		return tx.Exec(`INSERT INTO reminders (user_id, task_id, at, fires_at, version) VALUES (?1, ?2, ?3, ?3, 1)`, userID, created.ID, store.Millis(at))
	})
	if err != nil {
		t.Fatal(err)
	}
	return created.ID
}

// The people are served in turns, each of whom is short, and whose end is the end of all.
func TestManyRemindersInOneRun(t *testing.T) {
	db := openTest(t)
	turns := 0
	db.OnBatch(func(int) { turns++ })
	for _, email := range []string{"ann@example.com", "bob@example.com", "eve@example.com"} {
		user := addUser(t, db, email, app.RoleUser)
		for range 60 {
			remind(t, db, user.ID, testNow)
		}
	}
	turns = 0
	fired, err := db.FireReminders(context.Background(), testNow, true)
	if err != nil || fired.Reminders != 180 || turns != 3 {
		t.Errorf("%+v in %d turns: %v", fired, turns, err)
	}
}

// What fails for one person keeps nobody else waiting.
func TestRemindersOfOneThatFail(t *testing.T) {
	db := openTest(t)
	ann, bob := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "bob@example.com", app.RoleUser)
	broken := remind(t, db, ann.ID, testNow)
	remind(t, db, bob.ID, testNow)
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		return tx.Exec(`UPDATE tasks SET labels = '5' WHERE id = ?`, broken)
	}); err != nil {
		t.Fatal(err)
	}
	fired, err := db.FireReminders(t.Context(), testNow, true)
	if err == nil || fired.Reminders != 1 {
		t.Errorf("%+v, %v", fired, err)
	}
	if got := db.Count(t, fmt.Sprintf(`SELECT count(*) FROM changes WHERE op = %d AND scope = %d`, todo.OpDue, -bob.ID)); got != 1 {
		t.Errorf("bob was told %d times", got)
	}
}

// The key by which browsers know the server is made once.
func TestThePushKeyStays(t *testing.T) {
	db := openTest(t)
	for _, made := range []string{"first", "second"} {
		if key, err := db.PushKey(t.Context(), func() (string, error) { return made, nil }); key != "first" || err != nil {
			t.Errorf("%s: %s, %v", made, key, err)
		}
	}
}
