package sqlite

import (
	"context"
	"errors"
	"testing"

	"taskapi/app"
	"taskapi/app/account"
)

func addKnownAs(t *testing.T, db *DB, email string) account.User {
	t.Helper()
	user, err := db.CreateUser(context.Background(), app.Operator(), account.NewUser{
		Username: "x", Email: email, PasswordHash: testHash, Role: app.RoleUser, CreatedAt: testNow,
	}, account.Record{})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// addOld adds an account from before there was more to a key than lower case.
func addOld(t *testing.T, db *DB, email, key string) account.User {
	t.Helper()
	user := addKnownAs(t, db, email)
	exec(t, db, `UPDATE users SET email_key = ? WHERE id = ?`, key, user.ID)
	return user
}

func TestKeysOfOldAccountsAreRenewed(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	plain := addKnownAs(t, db, "ann@example.com")
	composed := addKnownAs(t, db, "jos\u00e9@example.com")
	decomposed := addOld(t, db, "z\u0065\u0301e@example.com", "z\u0065\u0301e@example.com")
	domain := addOld(t, db, "max@M\u00dcller.example", "max@m\u00fcller.example")
	// The twin has the key that the one before should have.
	twin := addKnownAs(t, db, "max@xn--mller-kva.example")
	if err := rekey(ctx, db.engine.conn); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]int64{
		"ANN@example.com":            plain.ID,
		"jose\u0301@EXAMPLE.com":     composed.ID,
		"JOS\u00c9@example.com":      composed.ID,
		"z\u00e9e@example.com":       decomposed.ID,
		"ze\u0301e@example.com":      decomposed.ID,
		"max@m\u00fcller.example":    domain.ID,
		"MAX@xn--mller-kva.example":  twin.ID,
		"ann@e\uff58ample.com":       plain.ID,
		"\u212aann@example.com":      0,
		"ann@example\u3002com":       plain.ID,
		"jos\u00e9@ex\u00e1mple.com": 0,
	} {
		user, err := db.UserByEmail(ctx, address)
		if want == 0 && !errors.Is(err, account.ErrUserNotFound) || user.ID != want {
			t.Errorf("%q is %d, want %d (%v)", address, user.ID, want, err)
		}
	}
	for _, address := range []string{"jose\u0301@example.com", "ann@e\uff58ample.com", "Max@xn--mller-kva.example"} {
		_, err := db.CreateUser(ctx, app.Operator(), account.NewUser{Username: "x", Email: address, PasswordHash: testHash, Role: app.RoleUser, CreatedAt: testNow}, account.Record{})
		if !errors.Is(err, account.ErrEmailTaken) {
			t.Errorf("a second account of %q: %v", address, err)
		}
	}
}
