package store_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"taskapi/app"
	"taskapi/app/store"
	"taskapi/app/storetest"
)

// keep keeps answers of so many bytes for an account.
func keep(t *testing.T, db *storetest.DB, by app.Caller, from, to, bytes int) {
	t.Helper()
	body := make([]byte, bytes)
	if _, err := rand.Read(body); err != nil { // it can't be packed
		t.Fatal(err)
	}
	// Many in a turn, or each would wait for the disk.
	for first := from; first < to; first += 500 {
		err := db.Together(t.Context(), func(ctx context.Context) error {
			for n := first; n < min(first+500, to); n++ {
				if err := db.KeepAnswer(ctx, app.Retry{UserID: by.UserID, Key: fmt.Sprint(n)}, app.Answer{Status: 200, Body: body}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// has reports whether an account has the answer to a key.
func has(t *testing.T, db *storetest.DB, by app.Caller, n int) bool {
	t.Helper()
	_, found, err := db.AnswerTo(t.Context(), by, app.Retry{UserID: by.UserID, Key: fmt.Sprint(n)})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// An account keeps the newest answers up to their number and their bytes, and a little more,
// and nobody else's go for them.
func TestAnswersOfOneAccountAreBounded(t *testing.T) {
	for name, c := range map[string]struct{ bytes, least, most int }{
		"many":  {10, store.MaxAnswers, store.MaxAnswers + store.TrimAfter},
		"large": {100 << 10, store.MaxAnswered/(100<<10) - 1, (store.MaxAnswered+store.TrimAfterLen)/(100<<10) + 1},
	} {
		t.Run(name, func(t *testing.T) {
			db, ann, ben, _ := pair(t, 1)
			keep(t, db, ben, 0, 10, c.bytes)
			kept := 0
			for _, to := range []int{c.most / 2, c.most + 1, c.most + c.most/4} {
				keep(t, db, ann, kept, to, c.bytes)
				kept = to
				n := int(db.Count(t, `SELECT count(*) FROM answers WHERE user_id = `+fmt.Sprint(ann.UserID)))
				if n > c.most || n < min(kept, c.least) {
					t.Errorf("%d of %d are kept, want %d to %d", n, kept, c.least, c.most)
				}
				if oldest := kept - n; !has(t, db, ann, kept-1) || !has(t, db, ann, oldest) || oldest > 0 && has(t, db, ann, oldest-1) {
					t.Errorf("%d of %d are kept, and not the newest", n, kept)
				}
			}
			if n := db.Count(t, `SELECT count(*) FROM answers WHERE user_id = `+fmt.Sprint(ben.UserID)); n != 10 {
				t.Errorf("%d of 10 of somebody else are kept", n)
			}
		})
	}
}

// BenchmarkOnce is what it costs an account with as many answers as it may have to keep one more.
func BenchmarkOnce(b *testing.B) {
	db := openTest(b)
	user := addUser(b, db, "ann@example.com", app.RoleUser)
	ann := app.Caller{UserID: user.ID, Role: app.RoleUser, SessionID: addSession(b, db, "session-of-ann-0000000", user).ID}
	body := make([]byte, 400)
	n := 0
	more := func(count int) {
		err := db.Together(b.Context(), func(ctx context.Context) error {
			for range count {
				n++
				if _, _, err := db.Once(ctx, ann, app.Retry{UserID: user.ID, Key: fmt.Sprint(n)}, func(context.Context) (app.Answer, error) {
					return app.Answer{Status: 201, Header: map[string]string{"ETag": `"x-1"`}, Body: body}, nil
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for n < store.MaxAnswers {
		more(500)
	}
	for b.Loop() {
		more(100)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/answer")
}
