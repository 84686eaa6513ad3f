package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

const testHash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U"

func openTest(t testing.TB) *DB {
	t.Helper()
	db, err := Open(context.Background(), Options{
		Path: filepath.Join(t.TempDir(), "taskapi.db"), Schema: freshSchema(t),
		Now: func() time.Time { return testNow },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var testNow = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

func addUser(t testing.TB, db *DB, email string, role app.Role) account.User {
	t.Helper()
	user, err := db.CreateUser(context.Background(), app.Operator(), account.NewUser{
		Username: "someone", Email: email, PasswordHash: testHash, Role: role, CreatedAt: testNow,
	}, welcome(email))
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// welcome is the record of a registration.
func welcome(email string) account.Record {
	return account.Record{
		Events: []account.Event{{At: testNow, Name: account.EventUserCreated}},
		Mails: []outbox.NewMail{{
			Template: outbox.MailWelcome, To: email, Data: map[string]string{"Username": "someone"}, CreatedAt: testNow,
			Link: &outbox.NewLink{Hash: linkHash(email), Purpose: outbox.PurposeVerify, ExpiresAt: testNow.Add(time.Hour)},
		}},
	}
}

// linkHash is 43 characters that stand for the hash of a link.
func linkHash(text string) string { return (text + strings.Repeat("-", 43))[:43] }

const testSession = "0123456789abcdefghijkl"

func addSession(t testing.TB, db *DB, id string, user account.User) account.Session {
	t.Helper()
	session := account.Session{ID: id, UserID: user.ID, Generation: 1, CreatedAt: testNow, LastUsedAt: testNow, ExpiresAt: testNow.Add(time.Hour)}
	if err := db.CreateSession(context.Background(), session, account.SignIn{PasswordHash: user.PasswordHash}, account.Record{}); err != nil {
		t.Fatal(err)
	}
	return session
}

// useEverything calls every method of a request path or of the mail worker, on
// each of its branches, so that all their statements are prepared.
func useEverything(t *testing.T, db *DB) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	admin := addUser(t, db, "admin@example.com", app.RoleAdmin)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	_, err := db.User(ctx, ann.ID)
	check(err)
	_, err = db.UserByEmail(ctx, "ANN@example.com")
	check(err)
	for _, page := range []int64{1, 9} {
		_, err = db.Users(ctx, app.PageRequest{Page: page, PerPage: 10})
		check(err)
		_, err = db.Tasks(ctx, ann.ID, app.PageRequest{Page: page, PerPage: 10})
		check(err)
	}
	for _, l := range []list{tasksOfUser(), allUsers(), eventsOfUser()} {
		for _, query := range []string{l.backward, l.after} { // of lists longer than this one
			if query != "" {
				reader, err := db.read(ctx)
				check(err)
				check(reader.each(query, []any{1, 1, 1}, func(row) error { return nil }))
			}
		}
	}
	session := addSession(t, db, testSession, ann)
	_, err = db.Caller(ctx, session.ID, ann.ID, testNow)
	check(err)
	for _, action := range []account.SessionAction{account.SessionKeep, account.SessionTouch, account.SessionRotate, account.SessionStolen} {
		shown := account.UseOf{SessionID: session.ID, Generation: 1, Now: testNow}
		_, err = db.UseSession(ctx, shown, func(account.SessionUse) (account.SessionAction, account.Record) { return action, account.Record{} })
		check(err)
	}
	addSession(t, db, session.ID, ann)
	_, err = db.EndSession(ctx, app.Caller{}, session.ID, account.Record{})
	check(err)
	renewed := account.Session{ID: testSession, UserID: ann.ID, Generation: 1, ExpiresAt: testNow.Add(time.Hour)}
	check(db.CreateSession(ctx, renewed, account.SignIn{PasswordHash: testHash, NewHash: testHash}, account.Record{}))
	_, err = db.EndSessions(ctx, app.Caller{UserID: ann.ID, Role: app.RoleUser, SessionID: testSession}, false, account.Record{})
	check(err)
	useTokensAndLinks(t, db, ann)
	task, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow})
	check(err)
	_, err = db.Task(ctx, app.Owner{UserID: ann.ID}, task.ID)
	check(err)
	_, err = db.UpdateTask(ctx, app.Operator(), task.ID, todo.TaskChange{Now: testNow})
	check(err)
	_, err = db.DeleteTask(ctx, app.Operator(), task.ID, nil)
	check(err)
	hash := testHash
	_, _, err = db.UpdateUser(ctx, app.Operator(), ann.ID, account.UserChange{PasswordHash: &hash, PendingEmail: new(string)}, account.Record{})
	check(err)
	_, err = db.SetRole(ctx, ann.ID, app.RoleAdmin, account.Record{})
	check(err)
	check(db.DeleteUser(ctx, app.Operator(), admin.ID, account.Record{}))
	mail, _, found, err := db.ClaimMail(ctx, testNow, time.Minute)
	if check(err); !found {
		t.Fatal("no mail to claim")
	}
	check(db.MailFailed(ctx, mail.ID, "why", testNow.Add(time.Hour)))
	check(db.MailFailed(ctx, mail.ID, "why", time.Time{}))
	check(db.MailSent(ctx, mail.ID, testNow))
}

func useTokensAndLinks(t *testing.T, db *DB, user account.User) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range []int64{1, 9} {
		request := app.PageRequest{Page: page, PerPage: 10}
		_, err := db.Sessions(ctx, user.ID, testNow, request)
		check(err)
		_, err = db.Events(ctx, user.ID, request)
		check(err)
		_, err = db.APITokens(ctx, user.ID, testNow, request)
		check(err)
	}
	token, err := db.CreateAPIToken(ctx, app.Operator(), account.NewAPIToken{
		UserID: user.ID, Name: "a", Hash: linkHash("token"), Scopes: []app.Scope{app.ScopeAccount}, CreatedAt: testNow,
	}, account.Record{})
	check(err)
	caller, err := db.TokenCaller(ctx, linkHash("token"), testNow)
	if check(err); caller.UserID != user.ID || !caller.May(app.ScopeAccount) {
		t.Errorf("%+v", caller)
	}
	check(db.DeleteAPIToken(ctx, caller, token.ID, account.Record{}))
	_, err = db.VerifyEmail(ctx, linkHash(user.Email), testNow, func(account.Link, account.User) account.Record { return account.Record{} })
	check(err)
	addLink := func(purpose outbox.Purpose, email string) {
		mail := outbox.NewMail{To: email, CreatedAt: testNow, Link: &outbox.NewLink{Hash: linkHash(string(purpose)), Purpose: purpose, ExpiresAt: testNow.Add(time.Hour)}}
		check(db.RecordByEmail(ctx, user.Email, func(account.User) (account.Record, error) { return account.Record{Mails: []outbox.NewMail{mail}}, nil }))
	}
	addLink(outbox.PurposeReset, user.Email)
	_, err = db.ResetPassword(ctx, linkHash("reset"), testHash, testNow, account.Record{})
	check(err)
	pending, address := "new@example.com", "newer@example.com"
	_, _, err = db.UpdateUser(ctx, app.Operator(), user.ID, account.UserChange{PendingEmail: &pending}, account.Record{})
	check(err)
	addLink(outbox.PurposeChange, pending)
	_, err = db.VerifyEmail(ctx, linkHash("change"), testNow, func(account.Link, account.User) account.Record { return account.Record{} })
	check(err)
	_, _, err = db.UpdateUser(ctx, app.Operator(), user.ID, account.UserChange{Email: &address}, account.Record{})
	check(err)
	check(db.AddEvent(ctx, account.Event{At: testNow, Name: account.EventLimited}))
}

// TestEveryQueryIsASearchByIndex asks SQLite how it would run each statement
// that was prepared. "SCAN" is a walk over a whole table or index.
func TestEveryQueryIsASearchByIndex(t *testing.T) {
	db := openTest(t)
	useEverything(t, db)
	pool, err := sql.Open("sqlite", dsn(db.path, Full, false))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	asked := 0
	for _, stmts := range []*statements{&db.writer.stmts, &db.readers.stmts} {
		stmts.byText.Range(func(key, _ any) bool {
			query := key.(string)
			if strings.HasPrefix(query, "BEGIN") || strings.HasPrefix(query, "COMMIT") || strings.HasPrefix(query, "ROLLBACK") || strings.HasPrefix(query, "SAVEPOINT") || strings.HasPrefix(query, "RELEASE") {
				return true
			}
			asked++
			for _, step := range explain(t, pool, query) {
				if strings.HasPrefix(step, "SCAN") && step != "SCAN CONSTANT ROW" || strings.Contains(step, "TEMP B-TREE") {
					t.Errorf("%s\n  in %s", step, query)
				}
			}
			return true
		})
	}
	if asked < 50 {
		t.Errorf("only %d statements were looked at", asked)
	}
}

func explain(t *testing.T, pool *sql.DB, query string) []string {
	t.Helper()
	rows, err := pool.Query("EXPLAIN QUERY PLAN "+query, make([]any, 20)...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
