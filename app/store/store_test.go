package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

func TestAPartialUpdateTouchesNothingElse(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	before, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "title", Description: "text", CreatedAt: testNow, CompletedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	later := testNow.Add(time.Hour)
	yes, no, title := true, false, "other"
	for _, c := range []struct {
		name   string
		change todo.TaskChange
		want   func(*todo.Task)
	}{
		{"nothing", todo.TaskChange{}, func(*todo.Task) {}},
		{"completed again", todo.TaskChange{Completed: &yes}, func(*todo.Task) {}},
		{"title", todo.TaskChange{Title: &title}, func(t *todo.Task) { t.Title = title }},
		{"reopened", todo.TaskChange{Completed: &no}, func(t *todo.Task) { t.CompletedAt = time.Time{} }},
		{"completed", todo.TaskChange{Completed: &yes}, func(t *todo.Task) { t.CompletedAt = later }},
	} {
		c.change.Now = later
		known := before
		c.want(&before)
		after, err := db.UpdateTask(ctx, app.Operator(), todo.ByID(before.ID), c.change)
		if changed := !reflect.DeepEqual(before, known); changed != (after.Version > before.Version) {
			t.Errorf("%s: version %d, then %d", c.name, before.Version, after.Version)
		}
		before.Version, before.UpdatedAt = after.Version, after.UpdatedAt
		if err != nil || !reflect.DeepEqual(after.Task, before) {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, after, err, before)
		}
	}
}

func TestAnotherUsersTaskDoesNotExist(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann, bob := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "bob@example.com", app.RoleUser)
	task, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "hers", CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	his := app.Caller{UserID: bob.ID, Role: app.RoleUser, SessionID: addSession(t, db, testSession, bob).ID}
	title := "stolen"
	_, read := db.Task(ctx, his, todo.ByID(task.ID))
	_, changed := db.UpdateTask(ctx, his, todo.ByID(task.ID), todo.TaskChange{Title: &title})
	_, deleted := db.DeleteTask(ctx, his, todo.ByID(task.ID), todo.Removal{Permanent: true, At: testNow})
	for name, err := range map[string]error{"read": read, "changed": changed, "deleted": deleted} {
		if !errors.Is(err, todo.ErrTaskNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if same, err := db.Task(ctx, app.Operator(), todo.ByID(task.ID)); err != nil || !reflect.DeepEqual(same, task) {
		t.Errorf("got %+v, %v", same, err)
	}
}

func TestIdsAreNeverUsedTwice(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	first, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "one", CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.DeleteTask(ctx, app.Operator(), todo.ByID(first.ID), todo.Removal{Permanent: true, At: testNow}); err != nil {
		t.Fatal(err)
	}
	second, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "two", CreatedAt: testNow})
	if err != nil || second.ID <= first.ID {
		t.Errorf("got id %d after %d, %v", second.ID, first.ID, err)
	}
}

func TestWhatIsAUsersGoesWithTheUser(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann, bob := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "bob@example.com", app.RoleUser)
	for _, user := range []account.User{ann, bob} {
		if _, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: user.ID, Title: "t", CreatedAt: testNow}); err != nil {
			t.Fatal(err)
		}
	}
	addSession(t, db, testSession, ann)
	if err := db.DeleteUser(ctx, app.Operator(), ann.ID, account.PassShared, account.Record{}); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int64{"users": 1, "tasks": 1, "sessions": 0, "mails": 1} {
		if got := db.Count(t, "SELECT count(*) FROM "+table); got != want {
			t.Errorf("%s: %d rows, want %d", table, got, want)
		}
	}
	if err := db.DeleteUser(ctx, app.Operator(), ann.ID, account.PassShared, account.Record{}); !errors.Is(err, account.ErrUserNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestTheOnlyAdminStays(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	admin, ann := addUser(t, db, "admin@example.com", app.RoleAdmin), addUser(t, db, "ann@example.com", app.RoleUser)
	if err := db.DeleteUser(ctx, app.Operator(), admin.ID, account.PassShared, account.Record{}); !errors.Is(err, account.ErrLastAdmin) {
		t.Errorf("delete: %v", err)
	}
	if _, err := db.SetRole(ctx, admin.ID, app.RoleUser, account.Record{}); !errors.Is(err, account.ErrLastAdmin) {
		t.Errorf("demote: %v", err)
	}
	if _, err := db.SetRole(ctx, ann.ID, app.RoleAdmin, account.Record{}); err != nil {
		t.Fatal(err)
	}
	if err := db.DeleteUser(ctx, app.Operator(), admin.ID, account.PassShared, account.Record{}); err != nil {
		t.Errorf("delete one of two: %v", err)
	}
}

func TestAddressesDifferByMoreThanCase(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	addUser(t, db, "ann@example.com", app.RoleUser)
	bob := addUser(t, db, "bob@example.com", app.RoleUser)
	_, created := db.CreateUser(ctx, app.Operator(), account.NewUser{Username: "x", Email: "ANN@Example.com", PasswordHash: testHash, Role: app.RoleUser}, account.Record{})
	address := "Ann@example.COM"
	_, _, changed := db.UpdateUser(ctx, app.Operator(), bob.ID, account.UserChange{Email: &address}, account.Record{})
	for name, err := range map[string]error{"created": created, "changed": changed} {
		if !errors.Is(err, account.ErrEmailTaken) || err.(*app.Error).Fields["email"] == "" { //nolint:errorlint // the bare sentinel is what reaches the client
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALoginDoesNotOutrunAPasswordChange(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	newHash := testHash + "AA"
	if _, _, err := db.UpdateUser(ctx, app.Operator(), ann.ID, account.UserChange{PasswordHash: &newHash}, account.Record{}); err != nil {
		t.Fatal(err)
	}
	stale := account.Session{ID: testSession, UserID: ann.ID, Generation: 1, ExpiresAt: testNow}
	if err := db.CreateSession(ctx, stale, account.SignIn{PasswordHash: testHash}, account.Record{}); !errors.Is(err, account.ErrInvalidCredentials) {
		t.Errorf("a session on the old password: %v", err)
	}
}

func TestAChangedPasswordEndsTheOtherSessions(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	kept, other := addSession(t, db, testSession, ann), addSession(t, db, "another-session-id-001", ann)
	newHash := testHash + "AA"
	if _, _, err := db.UpdateUser(ctx, app.Operator(), ann.ID, account.UserChange{PasswordHash: &newHash, KeepSession: kept.ID}, account.Record{}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Caller(ctx, kept.ID, ann.ID, testNow); err != nil {
		t.Errorf("the kept one: %v", err)
	}
	if _, err := db.Caller(ctx, other.ID, ann.ID, testNow); !errors.Is(err, account.ErrSessionEnded) {
		t.Errorf("the other one: %v", err)
	}
}

func TestWritesAtOnceAllSucceed(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	// A command of the operator's is another process: another handle here.
	second := db.Another(t, storetest.Options{})
	const writers, each = 16, 25
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			handle := []*storetest.DB{db, db, db, second}[w%4]
			for i := range each {
				if _, err := handle.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: fmt.Sprint(w, i), CreatedAt: testNow}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	page, err := db.Tasks(ctx, app.Operator(), ann.ID, app.PageRequest{Page: 1, PerPage: 10})
	if err != nil || page.Total != writers*each || len(page.Items) != 10 {
		t.Errorf("%d tasks, %d on the page, %v", page.Total, len(page.Items), err)
	}
}

func TestAWriteNobodyWaitsForIsNotBegun(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := db.CreateTask(gone, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow})
	if !errors.Is(err, app.ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := db.Task(gone, app.Operator(), todo.ByID(1)); !errors.Is(err, app.ErrBusy) {
		t.Errorf("read: %v", err)
	}
}

func TestAPanicUndoesItsTransactionAndHandsTheTurnOn(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	func() {
		defer func() { _ = recover() }()
		_ = db.WriteAccess(ctx, func(tx *store.Tx) error {
			if err := tx.Exec(`DELETE FROM mails`); err != nil {
				t.Error(err)
			}
			panic("in the middle")
		})
	}()
	if n := db.Count(t, `SELECT count(*) FROM mails`); n != 1 {
		t.Errorf("the deletion stayed: %d mails", n)
	}
	if _, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow}); err != nil {
		t.Errorf("the writer is stuck: %v", err)
	}
}

func TestHousekeepingRemovesOnlyWhatIsOver(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	addSession(t, db, testSession, ann)
	over := account.Session{ID: "another-session-id-001", UserID: ann.ID, Generation: 1, ExpiresAt: testNow}
	if err := db.CreateSession(ctx, over, account.SignIn{PasswordHash: testHash}, account.Record{}); err != nil {
		t.Fatal(err)
	}
	if err := db.MailSent(ctx, 1, testNow.Add(-store.KeepSent)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{2, 0} {
		if n, err := db.Housekeep(ctx, store.Keep{Events: 24 * time.Hour}); err != nil || n != want {
			t.Errorf("removed %d, want %d (%v)", n, want, err)
		}
	}
	if _, err := db.Caller(ctx, testSession, ann.ID, testNow); err != nil {
		t.Errorf("a living session went: %v", err)
	}
}

func TestAMailIsClaimedByOneAtATime(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	addUser(t, db, "ann@example.com", app.RoleUser)
	var all sync.WaitGroup
	var mu sync.Mutex
	claims := 0
	for range 8 {
		all.Go(func() {
			_, _, found, err := db.ClaimMail(ctx, testNow, time.Minute)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if found {
				claims++
			}
		})
	}
	all.Wait()
	if claims != 1 {
		t.Errorf("claimed %d times", claims)
	}
	_, due, found, err := db.ClaimMail(ctx, testNow, time.Minute)
	if err != nil || found || !due.Equal(testNow.Add(time.Minute)) {
		t.Errorf("after the claim: due %v, found %v, %v", due, found, err)
	}
	// The lease is over: whoever claimed it has died.
	again, _, found, err := db.ClaimMail(ctx, testNow.Add(time.Minute), time.Minute)
	if err != nil || !found || again.Attempts != 2 || again.Data["Username"] != "someone" || len(again.MessageID) != 32 {
		t.Errorf("after the lease: %+v, found %v, %v", again, found, err)
	}
}

func TestDeadMailsAreKeptAndCanBeQueuedAgain(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	addUser(t, db, "ann@example.com", app.RoleUser)
	if err := db.MailFailed(ctx, 1, "refused", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, due, found, err := db.ClaimMail(ctx, testNow.Add(time.Hour), time.Minute); found || !due.IsZero() || err != nil {
		t.Errorf("a dead mail was claimed: %v %v %v", found, due, err)
	}
	var dead []outbox.Mail
	if err := db.Mails(ctx, outbox.MailDead, 10, func(m outbox.Mail) error { dead = append(dead, m); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(dead) != 1 || dead[0].LastError != "refused" || dead[0].To != "ann@example.com" {
		t.Errorf("got %+v", dead)
	}
	if n, err := db.RequeueMails(ctx, 0, testNow); n != 1 || err != nil {
		t.Errorf("requeued %d, %v", n, err)
	}
	if _, _, found, err := db.ClaimMail(ctx, testNow, time.Minute); !found || err != nil {
		t.Errorf("not claimed again: %v", err)
	}
}
