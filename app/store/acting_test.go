package store_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// actors are all writes that somebody makes in their own name, by the name of
// their method. CreateUser is for anybody, but not for who was somebody.
func actors(task int64) map[string]func(*storetest.DB, app.Caller) error {
	ctx := context.Background()
	return map[string]func(*storetest.DB, app.Caller) error{
		"CreateTask": func(db *storetest.DB, by app.Caller) error {
			_, err := db.CreateTask(ctx, by, todo.NewTask{UserID: by.UserID, Title: "x", CreatedAt: testNow})
			return err
		},
		"UpdateTask": func(db *storetest.DB, by app.Caller) error {
			_, err := db.UpdateTask(ctx, by, todo.ByID(task), todo.TaskChange{Now: testNow})
			return err
		},
		"DeleteTask": func(db *storetest.DB, by app.Caller) error {
			_, err := db.DeleteTask(ctx, by, todo.ByID(task), todo.Removal{Permanent: true, At: testNow})
			return err
		},
		"MoveTask": func(db *storetest.DB, by app.Caller) error {
			_, err := db.MoveTask(ctx, by, todo.ByID(task), todo.Move{Now: testNow})
			return err
		},
		"RestoreTask": func(db *storetest.DB, by app.Caller) error {
			_, err := db.RestoreTask(ctx, by, todo.ByID(task), nil, testNow, 0)
			return ignoring(err, todo.ErrNotInTrash)
		},
		"Undo": func(db *storetest.DB, by app.Caller) error {
			_, err := db.Undo(ctx, by, todo.Undo{Change: 1, At: testNow})
			return ignoring(err, todo.ErrChangeNotFound)
		},
		"EmptyTrash": func(db *storetest.DB, by app.Caller) error { _, err := db.EmptyTrash(ctx, by); return err },
		"RenameLabel": func(db *storetest.DB, by app.Caller) error {
			_, err := db.RenameLabel(ctx, by, "a", "b", testNow)
			return ignoring(err, todo.ErrLabelNotFound)
		},
		"CreateList": func(db *storetest.DB, by app.Caller) error {
			_, err := db.CreateList(ctx, by, todo.NewList{Name: "x", CreatedAt: testNow})
			return err
		},
		"UpdateList": func(db *storetest.DB, by app.Caller) error {
			_, err := db.UpdateList(ctx, by, noList, todo.ListChange{})
			return ignoring(err, todo.ErrListNotFound)
		},
		"MoveList": func(db *storetest.DB, by app.Caller) error {
			_, err := db.MoveList(ctx, by, noList, todo.Place{}, nil, testNow)
			return ignoring(err, todo.ErrListNotFound)
		},
		"DeleteList": func(db *storetest.DB, by app.Caller) error {
			_, err := db.DeleteList(ctx, by, noList, todo.Removal{At: testNow})
			return ignoring(err, todo.ErrListNotFound)
		},
		"RestoreList": func(db *storetest.DB, by app.Caller) error {
			_, err := db.RestoreList(ctx, by, noList, testNow, 0)
			return ignoring(err, todo.ErrListNotFound)
		},
		"ChangeMember": func(db *storetest.DB, by app.Caller) error {
			_, err := db.ChangeMember(ctx, by, noList, 1, todo.RoleViewer, testNow, 0)
			return ignoring(err, todo.ErrListNotFound)
		},
		"RemoveMember": func(db *storetest.DB, by app.Caller) error {
			return ignoring(db.RemoveMember(ctx, by, noList, 1, testNow), todo.ErrListNotFound)
		},
		"Invite": func(db *storetest.DB, by app.Caller) error {
			_, err := db.Invite(ctx, by, noList, todo.NewInvitation{Role: todo.RoleViewer}, todo.Letter{})
			return ignoring(err, todo.ErrListNotFound)
		},
		"RevokeInvitation": func(db *storetest.DB, by app.Caller) error {
			return ignoring(db.RevokeInvitation(ctx, by, noList, 1), todo.ErrListNotFound)
		},
		"AcceptInvitation": func(db *storetest.DB, by app.Caller) error {
			_, err := db.AcceptInvitation(ctx, by, linkHash("x"), testNow)
			return ignoring(err, todo.ErrInvitationNotFound)
		},
		"Once": func(db *storetest.DB, by app.Caller) error {
			_, _, err := db.Once(ctx, by, app.Retry{UserID: by.UserID, Key: "k"}, func(context.Context) (app.Answer, error) { return app.Answer{Status: 200}, nil })
			return err
		},
		"CreateUser": func(db *storetest.DB, by app.Caller) error {
			_, err := db.CreateUser(ctx, by, account.NewUser{Username: "x", Email: "x@example.com", PasswordHash: testHash, Role: app.RoleUser, CreatedAt: testNow}, account.Record{})
			return err
		},
		"UpdateUser": func(db *storetest.DB, by app.Caller) error {
			_, _, err := db.UpdateUser(ctx, by, by.UserID, account.UserChange{}, account.Record{})
			return err
		},
		"PutCalendar": func(db *storetest.DB, by app.Caller) error {
			_, err := db.PutCalendar(ctx, by, noList, todo.CalendarPut{Name: "x", At: testNow})
			return ignoring(err, todo.ErrListNotFound)
		},
		"DeleteCalendar": func(db *storetest.DB, by app.Caller) error {
			return ignoring(db.DeleteCalendar(ctx, by, noList, "x", todo.Removal{At: testNow}), todo.ErrListNotFound)
		},
		"DeleteUser": func(db *storetest.DB, by app.Caller) error {
			return db.DeleteUser(ctx, by, by.UserID, account.PassShared, account.Record{})
		},
		"EndSession": func(db *storetest.DB, by app.Caller) error {
			_, err := db.EndSession(ctx, by, testSession, account.Record{})
			return err
		},
		"EndSessions": func(db *storetest.DB, by app.Caller) error {
			_, err := db.EndSessions(ctx, by, false, account.Record{})
			return err
		},
		"CreateAPIToken": func(db *storetest.DB, by app.Caller) error {
			_, err := db.CreateAPIToken(ctx, by, account.NewAPIToken{UserID: by.UserID, Name: "x", Hash: linkHash("x"), Scopes: []app.Scope{app.ScopeAccount}, CreatedAt: testNow}, account.Record{})
			return err
		},
		"Subscribe": func(db *storetest.DB, by app.Caller) error {
			_, err := db.Subscribe(ctx, by, outbox.Subscription{Endpoint: "https://push.example.com/x", P256dh: make([]byte, 65), Auth: make([]byte, 16), CreatedAt: testNow})
			return ignoring(err, outbox.ErrSubscriptionSession)
		},
		"Unsubscribe": func(db *storetest.DB, by app.Caller) error {
			return ignoring(db.Unsubscribe(ctx, by, 4711), outbox.ErrSubscriptionNotFound)
		},
		"CreateFeed": func(db *storetest.DB, by app.Caller) error {
			_, err := db.CreateFeed(ctx, by, todo.NewFeed{Form: todo.FeedTodo, Hash: linkHash("feed"), CreatedAt: testNow})
			return err
		},
		"RevokeFeed": func(db *storetest.DB, by app.Caller) error {
			return ignoring(db.RevokeFeed(ctx, by, 4711), todo.ErrFeedNotFound)
		},
		"CreateWebhook": func(db *storetest.DB, by app.Caller) error {
			_, err := db.CreateWebhook(ctx, by, outbox.NewWebhook{URL: "https://a.example/", Events: 1, Secret: make([]byte, 32), CreatedAt: testNow})
			return err
		},
		"UpdateWebhook": func(db *storetest.DB, by app.Caller) error {
			_, err := db.UpdateWebhook(ctx, by, 4711, outbox.WebhookChange{})
			return ignoring(err, outbox.ErrWebhookNotFound)
		},
		"DeleteWebhook": func(db *storetest.DB, by app.Caller) error {
			return ignoring(db.DeleteWebhook(ctx, by, 4711), outbox.ErrWebhookNotFound)
		},
		"RotateWebhook": func(db *storetest.DB, by app.Caller) error {
			_, err := db.RotateWebhook(ctx, by, 4711, make([]byte, 32), testNow)
			return ignoring(err, outbox.ErrWebhookNotFound)
		},
		"ResumeWebhook": func(db *storetest.DB, by app.Caller) error {
			_, err := db.ResumeWebhook(ctx, by, 4711, false)
			return ignoring(err, outbox.ErrWebhookNotFound)
		},
		"NoteDelivery": func(db *storetest.DB, by app.Caller) error {
			_, err := db.NoteDelivery(ctx, by, 4711, outbox.Delivery{Seq: 1, Event: "task.created", At: testNow, Tries: 1})
			return ignoring(err, outbox.ErrWebhookNotFound)
		},
		"DeleteAPIToken": func(db *storetest.DB, by app.Caller) error {
			err := db.DeleteAPIToken(ctx, by, 4711, account.Record{})
			if errors.Is(err, account.ErrTokenNotFound) {
				return nil
			}
			return err
		},
	}
}

// noList is nobody's.
var noList = todo.ByID(4711)

// ignoring is nil for an error that tells that the caller may act.
func ignoring(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// Every method that acts for a caller is among actors.
func TestEveryWriteOfACallerIsKnown(t *testing.T) {
	caller := reflect.TypeFor[app.Caller]()
	known := actors(0)
	methods := reflect.TypeFor[*storetest.DB]()
	for i := range methods.NumMethod() {
		method := methods.Method(i)
		if slices.Contains([]string{"Task", "Tasks", "TasksBelow", "MayAdd", "MayChange", "AnswerTo", "CallerNow"}, method.Name) {
			continue // they only look
		}
		takes := slices.ContainsFunc(slices.Collect(method.Type.Ins()), func(in reflect.Type) bool { return in == caller })
		if _, found := known[method.Name]; takes != found {
			t.Errorf("%s takes a caller: %t, is tested: %t", method.Name, takes, found)
		}
	}
}

// Who may act is decided in the transaction that acts: what has ended between
// the look at the caller and the turn to write counts.
func TestWhoMayNotAnyMoreWritesNothing(t *testing.T) {
	ctx := context.Background()
	losses := map[string]func(*storetest.DB, account.User) error{
		"signed out": func(db *storetest.DB, ann account.User) error {
			_, err := db.EndSessions(ctx, app.Caller{UserID: ann.ID, Role: ann.Role, SessionID: testSession}, false, account.Record{})
			return err
		},
		"new password": func(db *storetest.DB, ann account.User) error {
			hash := testHash + "AA"
			_, _, err := db.UpdateUser(ctx, app.Operator(), ann.ID, account.UserChange{PasswordHash: &hash}, account.Record{})
			return err
		},
		"another role": func(db *storetest.DB, ann account.User) error {
			_, err := db.SetRole(ctx, ann.ID, app.RoleAdmin, account.Record{})
			return err
		},
		"deleted": func(db *storetest.DB, ann account.User) error {
			return db.DeleteUser(ctx, app.Operator(), ann.ID, account.PassShared, account.Record{})
		},
	}
	for lost, lose := range losses {
		for method := range actors(0) {
			t.Run(lost+"/"+method, func(t *testing.T) {
				db, ann, session, token := acting(t)
				task, err := db.CreateTask(ctx, session, todo.NewTask{UserID: ann.ID, Title: "x", CreatedAt: testNow})
				if err != nil {
					t.Fatal(err)
				}
				if err := lose(db, ann); err != nil {
					t.Fatal(err)
				}
				act := actors(task.ID)[method]
				for name, by := range map[string]app.Caller{"session": session, "API token": token} {
					if err := act(db, by); !errors.Is(err, account.ErrSessionEnded) {
						t.Errorf("with a %s: %v", name, err)
					}
				}
			})
		}
	}
}

// A session, a token or a user of somebody else's gives nobody a right.
func TestOnlyOneselfActs(t *testing.T) {
	for method, act := range actors(1) {
		t.Run(method, func(t *testing.T) {
			db, _, session, token := acting(t)
			bob := addUser(t, db, "bob@example.com", app.RoleUser)
			for name, by := range map[string]app.Caller{
				"another's session": {UserID: bob.ID, Role: app.RoleUser, SessionID: session.SessionID},
				"another's token":   {UserID: bob.ID, Role: app.RoleUser, TokenID: token.TokenID},
				"nothing":           {UserID: bob.ID, Role: app.RoleUser},
				"a role":            {UserID: session.UserID, Role: app.RoleAdmin, SessionID: session.SessionID},
			} {
				if err := act(db, by); !errors.Is(err, account.ErrSessionEnded) {
					t.Errorf("with %s: %v", name, err)
				}
			}
		})
	}
}

func TestAProofThatDoesNotHold(t *testing.T) {
	for method, act := range actors(1) {
		t.Run(method, func(t *testing.T) {
			db, _, session, _ := acting(t)
			session.Proof = app.Proof{PasswordHash: testHash + "AA"}
			if err := act(db, session); !errors.Is(err, account.ErrHashReplaced) {
				t.Errorf("a password of yesterday: %v", err)
			}
			session.Proof = app.Proof{SignedInSince: testNow.Add(time.Millisecond)}
			var refused *app.Error
			if err := act(db, session); !errors.As(err, &refused) || refused.Fields["current_password"] != account.ErrProofNeeded.Fields["current_password"] {
				t.Errorf("an old sign-in: %v", err)
			}
		})
	}
}

// acting returns ann, in a session and with an API token.
func acting(t *testing.T) (db *storetest.DB, ann account.User, session, token app.Caller) {
	t.Helper()
	db = openTest(t)
	addUser(t, db, "admin@example.com", app.RoleAdmin)
	ann = addUser(t, db, "ann@example.com", app.RoleUser)
	session = app.Caller{UserID: ann.ID, Role: ann.Role, SessionID: addSession(t, db, testSession, ann).ID}
	made, err := db.CreateAPIToken(context.Background(), session, account.NewAPIToken{
		UserID: ann.ID, Name: "script", Hash: linkHash("script"), Scopes: []app.Scope{app.ScopeAccount}, CreatedAt: testNow,
	}, account.Record{})
	if err != nil {
		t.Fatal(err)
	}
	return db, ann, session, app.Caller{UserID: ann.ID, Role: ann.Role, TokenID: made.ID, Scopes: made.Scopes}
}

// Whoever has acted in a transaction does not act on in it once something there has taken that
// from them, nor after what let them act was undone.
func TestWhoWasAdmittedIsAskedAgainAfterAChange(t *testing.T) {
	for name, takes := range map[string]func(*storetest.DB, context.Context, app.Caller) error{
		"nothing": func(*storetest.DB, context.Context, app.Caller) error { return nil },
		"another session": func(db *storetest.DB, ctx context.Context, by app.Caller) error {
			_, err := db.EndSession(ctx, by, "session-of-nobody-0000", account.Record{})
			return err
		},
		"the session": func(db *storetest.DB, ctx context.Context, by app.Caller) error {
			_, err := db.EndSession(ctx, by, by.SessionID, account.Record{})
			return err
		},
		"all sessions": func(db *storetest.DB, ctx context.Context, by app.Caller) error {
			_, err := db.EndSessions(ctx, by, false, account.Record{})
			return err
		},
		"a role": func(db *storetest.DB, ctx context.Context, by app.Caller) error {
			_, err := db.SetRole(ctx, by.UserID, app.RoleAdmin, account.Record{})
			return err
		},
		"the account": func(db *storetest.DB, ctx context.Context, by app.Caller) error {
			return ignoring(db.DeleteUser(ctx, by, by.UserID, account.PassShared, account.Record{}), account.ErrLastAdmin)
		},
	} {
		db, ann, _, _ := pair(t, 0)
		create := func(ctx context.Context) error {
			_, err := db.CreateTask(ctx, ann, todo.NewTask{UserID: ann.UserID, Title: "t", CreatedAt: testNow})
			return err
		}
		var before, taken, after error
		err := db.Together(t.Context(), func(ctx context.Context) error {
			before, taken, after = create(ctx), takes(db, ctx, ann), create(ctx)
			return nil
		})
		var want error = account.ErrSessionEnded
		if name == "nothing" || name == "another session" {
			want = nil
		}
		if err != nil || before != nil || taken != nil || !errors.Is(after, want) {
			t.Errorf("%s: %v, %v, %v, %v", name, err, before, taken, after)
		}
	}
}

// Changes of one batch ask once for each caller.
func TestABatchAsksOnceForEachCaller(t *testing.T) {
	db, ann, ben, _ := pair(t, 0)
	asked := map[string]int{}
	create := func(by app.Caller) func(*store.Tx) error {
		change := store.As(db.DB, by, func(tx *store.Tx) error { return insertTask("t", by.UserID)(tx) })
		return func(tx *store.Tx) error {
			before := tx.Admitted()
			err := change(tx)
			asked[by.SessionID] += tx.Admitted() - before
			return err
		}
	}
	gone := ann
	gone.SessionID = "session-that-has-ended"
	results := batchOf(t, db, create(ann), create(ben), create(ann), create(gone), create(ann), create(gone))
	for i, want := range []error{nil, nil, nil, account.ErrSessionEnded, nil, account.ErrSessionEnded} {
		if !errors.Is(results[i], want) {
			t.Errorf("%d: %v", i, results[i])
		}
	}
	if asked[ann.SessionID] != 1 || asked[ben.SessionID] != 1 || asked[gone.SessionID] != 0 {
		t.Errorf("admitted %v", asked)
	}
}
