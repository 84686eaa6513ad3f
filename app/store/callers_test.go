package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/store"
	"taskapi/app/storetest"
)

func TestWhatThisProcessEndsIsEndedAtOnce(t *testing.T) {
	ctx := context.Background()
	for name, end := range map[string]func(db *storetest.DB, ann account.User) error{
		"logout": func(db *storetest.DB, _ account.User) error {
			_, err := db.EndSession(ctx, app.Caller{}, testSession, account.Record{})
			return err
		},
		"logout-all": func(db *storetest.DB, ann account.User) error {
			_, err := db.EndSessions(ctx, app.Caller{UserID: ann.ID, Role: app.RoleUser, SessionID: testSession}, false, account.Record{})
			return err
		},
		"deletion": func(db *storetest.DB, ann account.User) error {
			return db.DeleteUser(ctx, app.Operator(), ann.ID, account.PassShared, account.Record{})
		},
		"role": func(db *storetest.DB, ann account.User) error {
			_, err := db.SetRole(ctx, ann.ID, app.RoleAdmin, account.Record{})
			return err
		},
		"password": func(db *storetest.DB, ann account.User) error {
			hash := testHash
			_, _, err := db.UpdateUser(ctx, app.Operator(), ann.ID, account.UserChange{PasswordHash: &hash}, account.Record{})
			return err
		},
		"replay": func(db *storetest.DB, _ account.User) error {
			_, err := db.UseSession(ctx, account.UseOf{SessionID: testSession, Now: testNow}, func(account.SessionUse) (account.SessionAction, account.Record) {
				return account.SessionStolen, account.Record{}
			})
			return err
		},
	} {
		db := openTest(t)
		ann := addUser(t, db, "ann@example.com", app.RoleUser)
		addSession(t, db, testSession, ann)
		for range 3 {
			if _, err := db.Caller(ctx, testSession, ann.ID, testNow); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Caller(ctx, testSession, ann.ID+1, testNow); !errors.Is(err, account.ErrSessionEnded) {
			t.Errorf("%s: remembered for another user: %v", name, err)
		}
		if err := end(db, ann); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Caller(ctx, testSession, ann.ID, testNow); !errors.Is(err, account.ErrSessionEnded) {
			t.Errorf("%s: the session is remembered: %v", name, err)
		}
	}
}

func TestWhatAnotherProcessEndsIsSeenSoon(t *testing.T) {
	ctx := context.Background()
	var passed atomic.Int64
	clock := func() time.Time { return testNow.Add(time.Duration(passed.Load())) }
	first := openTest(t)
	ann := addUser(t, first, "ann@example.com", app.RoleUser)
	addSession(t, first, testSession, ann)
	db := first.Another(t, storetest.Options{Now: clock})
	if _, err := db.Caller(ctx, testSession, ann.ID, testNow); err != nil {
		t.Fatal(err)
	}
	if _, err := first.SetRole(ctx, ann.ID, app.RoleAdmin, account.Record{}); err != nil {
		t.Fatal(err)
	}
	passed.Store(int64(store.SeenWithin))
	if _, err := db.Caller(ctx, testSession, ann.ID, testNow); !errors.Is(err, account.ErrSessionEnded) {
		t.Errorf("after %s: %v", store.SeenWithin, err)
	}
}

func TestARememberedSessionExpires(t *testing.T) {
	ctx := context.Background()
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	session := addSession(t, db, testSession, ann)
	if _, err := db.Caller(ctx, testSession, ann.ID, session.ExpiresAt.Add(-time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Caller(ctx, testSession, ann.ID, session.ExpiresAt); !errors.Is(err, account.ErrSessionEnded) {
		t.Error(err)
	}
}

// Whatever lookups are under way, none that ends after the session did may
// say that it lives.
func TestLookupsDuringTheEnd(t *testing.T) {
	ctx := context.Background()
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	for range 50 {
		session := account.Session{ID: testSession, UserID: ann.ID, Generation: 1, CreatedAt: testNow, LastUsedAt: testNow, ExpiresAt: testNow.Add(time.Hour)}
		if err := db.CreateSession(ctx, session, account.SignIn{PasswordHash: testHash}, account.Record{}); err != nil {
			t.Fatal(err)
		}
		var ended atomic.Bool
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 50 {
					over := ended.Load()
					if _, err := db.Caller(ctx, testSession, ann.ID, testNow); err == nil && over {
						t.Error("alive after its end")
					}
				}
			})
		}
		if _, err := db.EndSession(ctx, app.Caller{}, testSession, account.Record{}); err != nil {
			t.Error(err)
		}
		ended.Store(true)
		all.Wait()
	}
}

func BenchmarkCaller(b *testing.B) {
	db := storetest.Open(b, time.Now)
	ann := addUser(b, db, "ann@example.com", app.RoleUser)
	addSession(b, db, testSession, ann)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := db.Caller(context.Background(), testSession, ann.ID, testNow); err != nil {
			b.Fatal(err)
		}
	}
}
