package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/store"
	"taskapi/app/todo"
)

// Several changes that one request makes together are all undone if the disk is full at any of
// them, and so is the answer; and the same request does it all once there is room. What waits
// beside it is done, if it needs no room.
func TestAFullDiskInTheMiddleOfABatch(t *testing.T) {
	db, ann, ben, _ := pair(t, 1)
	db.SQLite(t, "it can be told how long its file may become")
	const many = 50
	retry := app.Retry{UserID: ann.UserID, Key: "k"}
	made := 0
	batch := func() (again bool, err error) {
		_, again, err = db.Once(t.Context(), ann, retry, func(ctx context.Context) (app.Answer, error) {
			for made = 0; made < many; made++ {
				_, err := db.CreateTask(ctx, ann, todo.NewTask{UserID: ann.UserID, Title: fmt.Sprint(made), Description: strings.Repeat("x", 5000), CreatedAt: testNow})
				if err != nil {
					return app.Answer{}, err
				}
			}
			return app.Answer{Status: 200, Body: []byte("done")}, nil
		})
		return again, err
	}
	limit := func(pages int64) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			return tx.One(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages), nil, &pages)
		}); err != nil {
			t.Fatal(err)
		}
	}
	answers := func() int64 { return db.Count(t, `SELECT count(*) FROM answers`) }
	pages, tasks := db.Count(t, `PRAGMA page_count`), db.Count(t, `SELECT count(*) FROM tasks`)
	limit(pages + 20)
	if _, err := batch(); !errors.Is(err, app.ErrDiskFull) || made == 0 || made == many {
		t.Fatalf("%v at number %d", err, made)
	}
	if n := db.Count(t, `SELECT count(*) FROM tasks`); n != tasks || answers() != 0 {
		t.Errorf("%d tasks of %d, %d answers are left", n, tasks, answers())
	}
	title := "small"
	results := batchOf(t, db,
		func(tx *store.Tx) error { return tx.Exec(`UPDATE users SET username = 'b' WHERE id = ?`, ben.UserID) },
		func(tx *store.Tx) error {
			for range many {
				if _, err := tx.AddTask(ann, testNow, 1, ann.UserID, todo.NewTask{Title: title, Description: strings.Repeat("x", 5000), CreatedAt: testNow}); err != nil {
					return err
				}
			}
			return nil
		},
		func(tx *store.Tx) error { return tx.Exec(`UPDATE users SET username = 'a' WHERE id = ?`, ann.UserID) })
	if results[0] != nil || !errors.Is(results[1], app.ErrDiskFull) || results[2] != nil {
		t.Errorf("%v", results)
	}
	if n := db.Count(t, `SELECT count(*) FROM users WHERE username IN ('a', 'b')`); n != 2 {
		t.Errorf("%d of 2 changes beside it are there", n)
	}
	limit(1 << 30)
	for _, want := range []bool{false, true} {
		if again, err := batch(); err != nil || again != want {
			t.Errorf("with room: again is %t, want %t: %v", again, want, err)
		}
	}
	if n := db.Count(t, `SELECT count(*) FROM tasks`); n != tasks+many || answers() != 1 {
		t.Errorf("%d tasks, want %d; %d answers", n, tasks+many, answers())
	}
}

// However much is in the trash, emptying it holds up others for no more than a chunk.
func TestALargeTrashIsEmptiedInManyTurns(t *testing.T) {
	const many, most = 100_000, 2000
	db, ann, ben, _ := pair(t, 1)
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		return errors.Join(
			tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
				INSERT INTO trash (id, user_id, list_id, grp, at, data) SELECT 1000000 + i, ?1, 4711, 5, i, '{"title":"old"}' FROM n`, ann.UserID, many),
			tx.Exec(`INSERT INTO trash (id, user_id, list_id, grp, at, data) VALUES (1000000, ?, 4712, 5, 1, '{"title":"his"}')`, ben.UserID))
	})
	if err != nil {
		t.Fatal(err)
	}
	before, turns := int64(many+1), 0
	db.OnBatch(func(int) {
		left := db.Count(t, `SELECT count(*) FROM trash`)
		if turns++; before-left > most {
			t.Errorf("turn %d removed %d", turns, before-left)
		}
		before = left
	})
	if removed, err := db.EmptyTrash(t.Context(), ann); err != nil || removed != many {
		t.Errorf("removed %d: %v", removed, err)
	}
	if n := db.Count(t, `SELECT count(*) FROM trash`); n != 1 || turns < many/most {
		t.Errorf("%d are left after %d turns", n, turns)
	}
	if n := db.Count(t, `SELECT sum(total) FROM totals WHERE list = 'trash'`); n != 1 {
		t.Errorf("%d are counted", n)
	}
}

// Within a request only its caller acts without being asked again: whoever is signed out does
// not, nor in a role that they have no more.
func TestWhoActsWithinARequestIsAskedOnce(t *testing.T) {
	db, ann, ben, _ := pair(t, 0)
	gone, admin := ben, ben
	gone.SessionID = "session-that-has-ended"
	admin.Role = app.RoleAdmin
	for name, c := range map[string]struct {
		by   app.Caller
		want error
	}{"the caller": {ann, nil}, "another": {ben, nil}, "signed out": {gone, account.ErrSessionEnded}, "in another role": {admin, account.ErrSessionEnded}} {
		_, _, err := db.Once(t.Context(), ann, app.Retry{UserID: ann.UserID, Key: name}, func(ctx context.Context) (app.Answer, error) {
			for _, by := range []app.Caller{ann, c.by} {
				if _, err := db.CreateTask(ctx, by, todo.NewTask{UserID: by.UserID, Title: "t", CreatedAt: testNow}); err != nil {
					return app.Answer{}, err
				}
			}
			return app.Answer{Status: 200}, nil
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
