package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// filled is an open database of some pages whose log is in it, as one that was
// just started has it. Its clock goes on by a second at each look.
func filled(t *testing.T) *DB {
	t.Helper()
	path := build(t, freshSchema(t))
	db := open(t, path)
	ann := addUser(t, db, "ann@example.com")
	exec(t, db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
		INSERT INTO tasks (user_id, list_id, title, description, created_at, updated_at, version) SELECT ?1, (SELECT id FROM lists WHERE owner_id = ?1 AND inbox = 1), 'task ' || i, hex(randomblob(200)), 0, 0, 100 + i FROM n`, ann.ID)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	now := testNow
	db, err := Open(context.Background(), Options{Path: path, Schema: freshSchema(t), Now: func() time.Time { now = now.Add(time.Second); return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a damaged one has errors of its own
	return db
}

// refusesWrites fails unless nothing is written and readiness is red, again and
// again.
func (db *DB) refusesWrites(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	for range 3 {
		_, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: 1, Title: "more", CreatedAt: testNow})
		if !errors.Is(err, app.ErrDatabaseDamaged) {
			t.Fatalf("a write: %v", err)
		}
		if err := db.CheckRead(ctx); err == nil {
			t.Error("it is ready")
		}
	}
}

func TestAFileCutShortIsWrittenNoMore(t *testing.T) {
	for percent := 5; percent < 100; percent += 19 {
		t.Run(fmt.Sprint(percent, " percent"), func(t *testing.T) {
			db := filled(t)
			info, err := os.Stat(db.Path())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(db.Path(), info.Size()*int64(percent)/100); err != nil {
				t.Fatal(err)
			}
			db.refusesWrites(t)
		})
	}
}

// Growing, and a log that is taken in, are no damage.
func TestAHealthyFileIsWritten(t *testing.T) {
	ctx, db := context.Background(), filled(t)
	for i := range 20 {
		if _, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: 1, Title: "more", Description: strings.Repeat("x", 8000), CreatedAt: testNow}); err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			if _, err := db.engine.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(db.CheckRead(ctx), db.CheckWrite(ctx, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.CheckSound(ctx); err != nil {
		t.Error(err)
	}
}

// What lies still is looked at, and what was found there stops writing.
func TestBytesThatFlipAreFound(t *testing.T) {
	db := filled(t)
	file, err := os.OpenFile(db.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 60)
	for i := range noise {
		noise[i] = 0xa5
	}
	for page := int64(20); page < 120; page += 10 {
		if _, err := file.WriteAt(noise, page*4096); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.CheckSound(context.Background()); !errors.Is(err, ErrDamaged) {
		t.Fatalf("looked at: %v", err)
	}
	db.refusesWrites(t)
}

// A table, an index or a trigger that is gone or changed, by whoever else has
// the file, is met before the next write.
func TestASchemaOfSomebodyElses(t *testing.T) {
	for _, change := range []string{
		`DROP TABLE tasks`, `DROP TABLE links`, `DROP INDEX tasks_user`, `DROP TRIGGER tasks_count_more`,
		`ALTER TABLE users ADD COLUMN nickname TEXT`, `CREATE TABLE theirs (x)`,
	} {
		t.Run(change, func(t *testing.T) {
			db := filled(t)
			pool, err := openPool(dsn(db.Path(), Full, false), 1)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Exec(change); err != nil {
				t.Fatal(err)
			}
			if err := pool.Close(); err != nil {
				t.Fatal(err)
			}
			db.refusesWrites(t)
		})
	}
}
