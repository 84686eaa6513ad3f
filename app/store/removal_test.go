package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// half is a database in which much of a deleted user is still there.
func half(t *testing.T) (db *storetest.DB, admin app.Caller, gone account.User, task todo.Task) {
	t.Helper()
	ctx := context.Background()
	db = openTest(t)
	boss := addUser(t, db, "admin@example.com", app.RoleAdmin)
	gone = addUser(t, db, "ann@example.com", app.RoleUser)
	for i := range store.SmallAccount + 1 {
		var err error
		if task, err = db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: gone.ID, Title: fmt.Sprint("task ", i), CreatedAt: testNow}); err != nil {
			t.Fatal(err)
		}
	}
	admin = app.Caller{UserID: boss.ID, Role: app.RoleAdmin, SessionID: addSession(t, db, testSession, boss).ID}
	if err := db.DeleteUser(ctx, admin, gone.ID, account.PassShared, account.Record{}); err != nil {
		t.Fatal(err)
	}
	if n := db.Count(t, `SELECT count(*) FROM tasks`); n != store.SmallAccount+1 {
		t.Fatalf("%d tasks are left: this tests nothing", n)
	}
	return db, admin, gone, task
}

// A deleted user is gone from everywhere at once, however long the disk takes.
func TestADeletedUserIsNowhere(t *testing.T) {
	ctx := context.Background()
	db, admin, gone, task := half(t)
	name := "x"
	for what, c := range map[string]struct {
		do   func() error
		want error
	}{
		"User":              {func() error { _, err := db.User(ctx, gone.ID); return err }, account.ErrUserNotFound},
		"UserByEmail":       {func() error { _, err := db.UserByEmail(ctx, gone.Email); return err }, account.ErrUserNotFound},
		"its row's address": {func() error { _, err := db.UserByEmail(ctx, fmt.Sprint("deleted ", gone.ID)); return err }, account.ErrUserNotFound},
		"UpdateUser": {func() error {
			_, _, err := db.UpdateUser(ctx, admin, gone.ID, account.UserChange{Username: &name}, account.Record{})
			return err
		}, account.ErrUserNotFound},
		"DeleteUser": {func() error { return db.DeleteUser(ctx, admin, gone.ID, account.PassShared, account.Record{}) }, account.ErrUserNotFound},
		"SetRole":    {func() error { _, err := db.SetRole(ctx, gone.ID, app.RoleAdmin, account.Record{}); return err }, account.ErrUserNotFound},
		"Task":       {func() error { _, err := db.Task(ctx, app.Operator(), todo.ByID(task.ID)); return err }, todo.ErrTaskNotFound},
		"UpdateTask": {func() error {
			_, err := db.UpdateTask(ctx, admin, todo.ByID(task.ID), todo.TaskChange{Title: &name})
			return err
		}, todo.ErrTaskNotFound},
		"taking its task": {func() error {
			_, err := db.UpdateTask(ctx, admin, todo.ByID(task.ID), todo.TaskChange{UserID: &admin.UserID})
			return err
		}, todo.ErrTaskNotFound},
		"DeleteTask": {func() error {
			_, err := db.DeleteTask(ctx, admin, todo.ByID(task.ID), todo.Removal{Permanent: true, At: testNow})
			return err
		}, todo.ErrTaskNotFound},
		"CreateTask": {func() error {
			_, err := db.CreateTask(ctx, admin, todo.NewTask{UserID: gone.ID, Title: "x", CreatedAt: testNow})
			return err
		}, todo.ErrNoSuchUser},
		"giving a task": {func() error {
			mine, err := db.CreateTask(ctx, admin, todo.NewTask{UserID: admin.UserID, Title: "x", CreatedAt: testNow})
			if err != nil {
				return err
			}
			_, err = db.UpdateTask(ctx, admin, todo.ByID(mine.ID), todo.TaskChange{UserID: &gone.ID})
			return err
		}, todo.ErrNoSuchUser},
	} {
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	if _, err := db.CreateUser(ctx, admin, account.NewUser{Username: "x", Email: gone.Email, PasswordHash: testHash, Role: app.RoleUser, CreatedAt: testNow}, account.Record{}); err != nil {
		t.Errorf("the address for somebody else: %v", err)
	}
	for _, page := range []app.PageRequest{{Page: 1, PerPage: 100}, {Page: 40, PerPage: 100}, {ByCursor: true, PerPage: 100}} {
		users, err := db.Users(ctx, page)
		if err != nil || users.Total != 2 || len(users.Items) > 2 {
			t.Errorf("users: %d of %d, %v", len(users.Items), users.Total, err)
		}
		tasks, err := db.Tasks(ctx, app.Operator(), gone.ID, page)
		if err != nil || tasks.Total != 0 || len(tasks.Items) != 0 {
			t.Errorf("tasks: %d of %d, %v", len(tasks.Items), tasks.Total, err)
		}
	}
	err := db.Export(ctx, func(u account.User) error {
		if u.ID == gone.ID {
			t.Error("the user is exported")
		}
		return nil
	}, func(l operate.ListRecord) error {
		if l.OwnerID == gone.ID {
			t.Error("a list is exported")
		}
		return nil
	}, func(x operate.TaskRecord) error {
		if x.UserID == gone.ID {
			t.Error("a task is exported")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if n := db.Count(t, `SELECT (SELECT count(*) FROM mails WHERE status = 'queued' AND recipient = 'ann@example.com') + (SELECT count(*) FROM links l JOIN users u ON u.id = l.user_id WHERE u.deleted_at IS NOT NULL)`); n != 0 {
		t.Errorf("%d mails and links are left", n)
	}
}

// What a deleted user has left goes by and by, also after a stop in the middle,
// and others have their turns in between.
func TestRemovalGoesOn(t *testing.T) {
	db, _, gone, _ := half(t)
	turns := 0
	ctx, stop := context.WithCancel(context.Background())
	db.OnBatch(func(int) {
		if turns++; turns == 1 {
			stop()
		}
	})
	if err := db.RemoveDeleted(ctx); err == nil {
		t.Fatal("it was not stopped")
	}
	left := db.Count(t, `SELECT count(*) FROM tasks`)
	if left == 0 || left == store.SmallAccount+1 {
		t.Fatalf("%d tasks are left", left)
	}
	if err := db.RemoveDeleted(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := db.Count(t, fmt.Sprint(`SELECT (SELECT count(*) FROM tasks) + (SELECT count(*) FROM users WHERE id = `, gone.ID, `)`)); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// On a disk on which everything takes long, chunks become small.
func TestChunksFitTheDisk(t *testing.T) {
	for name, c := range map[string]struct {
		took        time.Duration
		least, most int
	}{"slow": {time.Second, 12, 600}, "quick": {0, 3, 9}} {
		t.Run(name, func(t *testing.T) {
			db, _, gone, _ := half(t)
			if err := db.WriteAccess(context.Background(), func(tx *store.Tx) error {
				return errors.Join(tx.Exec(`INSERT INTO tasks (user_id, list_id, title, description, created_at, updated_at, version)
					SELECT ?1, (SELECT id FROM lists WHERE owner_id = ?1 AND inbox = 1), 'more', '', 0, 0, (SELECT max(seq) FROM changes) + row_number() OVER () FROM tasks LIMIT 500`, gone.ID), tx.Exec(`DELETE FROM totals WHERE owner = ?`, gone.ID))
			}); err != nil {
				t.Fatal(err)
			}
			now := testNow
			store.SetNow(db.DB, func() time.Time { now = now.Add(c.took); return now })
			turns := 0
			db.OnBatch(func(int) { turns++ })
			if err := db.RemoveDeleted(context.Background()); err != nil {
				t.Fatal(err)
			}
			if turns < c.least || turns > c.most {
				t.Errorf("%d turns, want %d to %d", turns, c.least, c.most)
			}
		})
	}
}

func TestAUserHasSoManyTasks(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann, bob := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "bob@example.com", app.RoleUser)
	create := func(user account.User, most int64) (todo.Task, error) {
		return db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: user.ID, Title: "t", CreatedAt: testNow, Most: most})
	}
	for range 2 {
		if _, err := create(ann, 2); err != nil {
			t.Fatal(err)
		}
	}
	_, third := create(ann, 2)
	his, err := create(bob, 2)
	if err != nil {
		t.Fatal(err)
	}
	_, given := db.UpdateTask(ctx, app.Operator(), todo.ByID(his.ID), todo.TaskChange{UserID: &ann.ID, Most: 2})
	if !errors.Is(third, todo.ErrTooManyTasks) || !errors.Is(given, todo.ErrTooManyTasks) {
		t.Errorf("%v, %v", third, given)
	}
	if _, err := db.UpdateTask(ctx, app.Operator(), todo.ByID(his.ID), todo.TaskChange{UserID: &bob.ID, Most: 1}); err != nil {
		t.Errorf("a task that stays where it is: %v", err)
	}
	if _, err := create(ann, 0); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

func TestAUserHasSoManySessions(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	for i := range store.MaxSessions + 2 {
		session := account.Session{ID: fmt.Sprintf("session-number-%07d", i), UserID: ann.ID, Generation: 1, CreatedAt: testNow, LastUsedAt: testNow.Add(time.Duration(i) * time.Second), ExpiresAt: testNow.Add(time.Hour)}
		if i == 0 { // the first one is still in use
			session.LastUsedAt = testNow.Add(30 * time.Minute)
		}
		if err := db.CreateSession(ctx, session, account.SignIn{PasswordHash: testHash}, account.Record{}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Caller(ctx, session.ID, ann.ID, testNow); err != nil { // it is remembered
			t.Fatal(err)
		}
	}
	for i, want := range map[int]bool{0: true, 1: false, 2: false, 3: true, store.MaxSessions + 1: true} {
		_, err := db.Caller(ctx, fmt.Sprintf("session-number-%07d", i), ann.ID, testNow)
		if (err == nil) != want {
			t.Errorf("session %d: %v", i, err)
		}
	}
}
