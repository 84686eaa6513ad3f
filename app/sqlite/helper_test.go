package sqlite

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
)

const testHash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U"

var testNow = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// openTest opens a fresh database that is closed at the end of the test.
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

// addUser adds somebody, with the mail and the link of a registration.
func addUser(t testing.TB, db *DB, email string) account.User {
	t.Helper()
	user, err := db.CreateUser(context.Background(), app.Operator(), account.NewUser{
		Username: "someone", Email: email, PasswordHash: testHash, Role: app.RoleUser, CreatedAt: testNow,
	}, account.Record{
		Events: []account.Event{{At: testNow, Name: account.EventUserCreated}},
		Mails: []outbox.NewMail{{
			Template: outbox.MailWelcome, To: email, Data: map[string]string{"Username": "someone"}, CreatedAt: testNow,
			Link: &outbox.NewLink{Hash: linkHash(email), Purpose: outbox.PurposeVerify, ExpiresAt: testNow.Add(time.Hour)},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// linkHash is 43 characters that stand for the hash of a link.
func linkHash(text string) string { return (text + strings.Repeat("-", 43))[:43] }

// exec runs a statement on the connection that writes, beside the store.
func exec(t testing.TB, db *DB, query string, args ...any) {
	t.Helper()
	if _, err := db.engine.conn.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatal(err)
	}
}
