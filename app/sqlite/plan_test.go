package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taskapi/app"
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

func addUser(t testing.TB, db *DB, email string, role app.Role) app.User {
	t.Helper()
	user, err := db.CreateUser(context.Background(), app.NewUser{
		Username: "someone", Email: email, PasswordHash: testHash, Role: role, CreatedAt: testNow,
	}, &app.NewMail{Template: app.MailWelcome, To: email, Data: map[string]string{"Username": "someone"}, CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

const testSession = "0123456789abcdefghijkl"

func addSession(t testing.TB, db *DB, id string, user app.User) app.Session {
	t.Helper()
	session := app.Session{ID: id, UserID: user.ID, Generation: 1, CreatedAt: testNow, LastUsedAt: testNow, ExpiresAt: testNow.Add(time.Hour)}
	if err := db.CreateSession(context.Background(), session, user.PasswordHash, ""); err != nil {
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
	session := addSession(t, db, testSession, ann)
	_, err = db.Caller(ctx, session.ID, ann.ID, testNow)
	check(err)
	for _, action := range []app.SessionAction{app.SessionKeep, app.SessionTouch, app.SessionRotate, app.SessionEnd} {
		_, err = db.UseSession(ctx, session.ID, 1, testNow, func(app.SessionUse) app.SessionAction { return action })
		check(err)
	}
	_, err = db.EndSession(ctx, session.ID, testNow)
	check(err)
	renewed := app.Session{ID: testSession, UserID: ann.ID, Generation: 1, ExpiresAt: testNow}
	check(db.CreateSession(ctx, renewed, testHash, testHash))
	task, err := db.CreateTask(ctx, app.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow})
	check(err)
	_, err = db.Task(ctx, app.Scope{UserID: ann.ID}, task.ID)
	check(err)
	_, err = db.UpdateTask(ctx, app.Scope{}, task.ID, app.TaskChange{Now: testNow})
	check(err)
	check(db.DeleteTask(ctx, app.Scope{}, task.ID))
	hash := testHash
	_, err = db.UpdateUser(ctx, ann.ID, app.UserChange{PasswordHash: &hash})
	check(err)
	if _, err = db.UpdateUser(ctx, ann.ID, app.UserChange{IfPasswordHash: "another"}); !errors.Is(err, app.ErrWrongPassword) {
		t.Fatal(err)
	}
	_, err = db.SetRole(ctx, ann.ID, app.RoleAdmin)
	check(err)
	check(db.DeleteUser(ctx, admin.ID))
	mail, _, found, err := db.ClaimMail(ctx, testNow, time.Minute)
	if check(err); !found {
		t.Fatal("no mail to claim")
	}
	check(db.MailFailed(ctx, mail.ID, "why", testNow.Add(time.Hour)))
	check(db.MailFailed(ctx, mail.ID, "why", time.Time{}))
	check(db.MailSent(ctx, mail.ID, testNow))
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
			if strings.HasPrefix(query, "BEGIN") || strings.HasPrefix(query, "COMMIT") || strings.HasPrefix(query, "ROLLBACK") {
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
	if asked < 30 {
		t.Errorf("only %d statements were looked at", asked)
	}
}

func explain(t *testing.T, pool *sql.DB, query string) []string {
	t.Helper()
	rows, err := pool.Query("EXPLAIN QUERY PLAN "+query, make([]any, 9)...)
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
