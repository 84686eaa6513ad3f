package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// useFeeds calls every method of feeds.
func useFeeds(t *testing.T, db *storetest.DB, user account.User) {
	t.Helper()
	ctx, me := context.Background(), app.Operator()
	me.UserID = user.ID
	feed := addFeed(t, db, user, "used", 0)
	state, err := db.OpenFeed(ctx, linkHash("used"))
	if err != nil {
		t.Fatal(err)
	}
	task, err := db.CreateTask(ctx, me, todo.NewTask{UserID: user.ID, Title: "t", CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.FeedTasks(ctx, state.Feed, testNow, func(todo.FeedTask) bool { return true }); err != nil {
		t.Fatal(err)
	}
	for _, page := range []int64{1, 9} {
		if _, err := db.Feeds(ctx, user.ID, app.PageRequest{Page: page, PerPage: 10}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.RevokeFeed(ctx, me, feed.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := db.DeleteTask(ctx, me, todo.ByID(task.ID), todo.Removal{Permanent: true, At: testNow}); err != nil {
		t.Fatal(err)
	}
}

func addFeed(t testing.TB, db *storetest.DB, user account.User, hash string, list int64) todo.Feed {
	t.Helper()
	me := app.Operator()
	me.UserID = user.ID
	feed, err := db.CreateFeed(context.Background(), me, todo.NewFeed{ListID: list, Form: todo.FeedTodo, Hash: linkHash(hash), CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return feed
}

// opens reports whether a feed can be read.
func opens(t testing.TB, db *storetest.DB, hash string) bool {
	t.Helper()
	_, err := db.OpenFeed(context.Background(), linkHash(hash))
	if err != nil && !errors.Is(err, todo.ErrFeedNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// What ends API tokens ends feeds, too: both open what is somebody's to who has nothing else.
func TestWhatEndsFeeds(t *testing.T) {
	ctx := context.Background()
	theft := func(db *storetest.DB) error {
		shown := account.UseOf{SessionID: testSession, Generation: 1, Now: testNow}
		_, err := db.UseSession(ctx, shown, func(account.SessionUse) (account.SessionAction, account.Record) {
			return account.SessionStolen, account.Record{}
		})
		return err
	}
	for name, c := range map[string]struct {
		end                                func(db *storetest.DB, ann account.User) error
		bySession, byItsToken, byOtherWays bool // can still be read
	}{
		"nothing":          {func(*storetest.DB, account.User) error { return nil }, true, true, true},
		"a stolen session": {func(db *storetest.DB, _ account.User) error { return theft(db) }, false, false, true},
		"a new password": {func(db *storetest.DB, ann account.User) error {
			hash := testHash + "AA"
			_, _, err := db.UpdateUser(ctx, app.Operator(), ann.ID, account.UserChange{PasswordHash: &hash}, account.Record{})
			return err
		}, false, false, false},
		"a new password, which keeps tokens": {func(db *storetest.DB, ann account.User) error {
			hash := testHash + "AA"
			_, _, err := db.UpdateUser(ctx, app.Operator(), ann.ID, account.UserChange{PasswordHash: &hash, KeepAPITokens: true}, account.Record{})
			return err
		}, true, true, true},
		"a deleted user": {func(db *storetest.DB, ann account.User) error {
			return db.DeleteUser(ctx, app.Operator(), ann.ID, account.PassShared, account.Record{})
		}, false, false, false},
	} {
		db, ann, session, _ := acting(t)
		made, err := db.CreateAPIToken(ctx, session, account.NewAPIToken{
			UserID: ann.ID, SessionID: session.SessionID, Name: "x", Hash: linkHash("x"), Scopes: []app.Scope{app.ScopeAccount}, CreatedAt: testNow,
		}, account.Record{})
		if err != nil {
			t.Fatal(err)
		}
		byToken := app.Caller{UserID: ann.ID, Role: ann.Role, TokenID: made.ID, Scopes: made.Scopes}
		for hash, by := range map[string]app.Caller{"session": session, "token": byToken} {
			if _, err := db.CreateFeed(ctx, by, todo.NewFeed{Form: todo.FeedTodo, Hash: linkHash(hash), CreatedAt: testNow}); err != nil {
				t.Fatal(err)
			}
		}
		addFeed(t, db, ann, "other", 0)
		if err := c.end(db, ann); err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(opens(t, db, "session"), opens(t, db, "token"), opens(t, db, "other"))
		if want := fmt.Sprint(c.bySession, c.byItsToken, c.byOtherWays); got != want {
			t.Errorf("after %s: %s, want %s", name, got, want)
		}
	}
}

// A feed holds so many tasks: what is due comes before what is not, and that before what is done.
func TestWhichTasksAreInAFeed(t *testing.T) {
	ctx := context.Background()
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	me := app.Operator()
	me.UserID = ann.ID
	add := func(n todo.NewTask) {
		t.Helper()
		n.UserID, n.CreatedAt = ann.ID, testNow
		if _, err := db.CreateTask(ctx, me, n); err != nil {
			t.Fatal(err)
		}
	}
	since := testNow.Add(-30 * 24 * time.Hour)
	for i := range 3 {
		add(todo.NewTask{Title: fmt.Sprint("open ", i)})
		due := todo.Dates{Due: todo.Due{Wall: time.Date(2026, 2, 9-i, 0, 0, 0, 0, time.UTC)}}
		add(todo.NewTask{Title: fmt.Sprint("due ", i), Dates: due})
		add(todo.NewTask{Title: fmt.Sprint("done ", i), CompletedAt: since.Add(time.Duration(i-1) * time.Millisecond)})
	}
	add(todo.NewTask{Title: "starts", Dates: todo.Dates{Start: todo.Due{Wall: time.Date(2026, 2, 9, 0, 0, 0, 0, time.UTC)}}})
	for form, want := range map[todo.FeedForm]string{
		todo.FeedTodo:  "[due 2 due 1 due 0 starts open 2 open 1 open 0 done 2 done 1]",
		todo.FeedEvent: "[due 2 due 1 due 0 starts]",
	} {
		var titles []string
		err := db.FeedTasks(ctx, todo.Feed{UserID: ann.ID, Form: form}, since, func(one todo.FeedTask) bool {
			titles = append(titles, one.Task.Title)
			return true
		})
		if got := fmt.Sprint(titles); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", form, got, err, want)
		}
	}
}
