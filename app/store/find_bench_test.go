package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// large is a database with so many accounts and tasks, of which the first account has
// 10,000; the words of its tasks are collected.
func large(b *testing.B, accounts, tasks int) (db *storetest.DB, first app.Caller) {
	b.Helper()
	db = openTest(b)
	ctx := context.Background()
	user := addUser(b, db, "first@example.com", app.RoleUser)
	first = app.Caller{UserID: user.ID, Role: app.RoleUser, SessionID: addSession(b, db, testSession, user).ID}
	err := db.WriteAccess(ctx, func(tx *store.Tx) error {
		for _, query := range []string{
			fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				INSERT INTO users (id, username, email, email_key, password_hash, role, created_at) SELECT i, 'u', i || '@e.com', i || '@e.com', '$argon2id$', 'user', 0 FROM n`, accounts),
			`INSERT INTO lists (owner_id, name, inbox, created_at, updated_at, version) SELECT id, 'Inbox', 1, 0, 0, 1 FROM users WHERE id > 1`,
			`INSERT INTO members (user_id, list_id, role, position, joined_at, version) SELECT owner_id, id, 3, 0, 0, 1 FROM lists WHERE owner_id > 1`,
			fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				INSERT INTO tasks (user_id, list_id, title, description, created_at, updated_at, completed_at, version, priority, due, due_wall)
				SELECT u, u, 'buy ' || substr('breadmilkfruitwater', 1 + i %% 14, 5) || ' ' || i, '', i, i, iif(i %% 2, NULL, i), 100 + i, i %% 4,
					iif(i %% 3, NULL, '2026-01-' || printf('%%02d', 1 + i %% 28)), iif(i %% 3, NULL, 1767225600000 + 86400000 * (i %% 28) + 86399999)
				FROM (SELECT i, iif(i <= 10000, 1, 2 + i %% (%d - 1)) AS u FROM n)`, tasks, accounts),
			`INSERT INTO meta (name, value) VALUES ('words_back', '10000')`,
			`INSERT INTO meta (name, value) SELECT 'words_to', max(seq) FROM changes`,
		} {
			if err := tx.Exec(query); err != nil {
				return err
			}
		}
		return nil
	})
	for more := true; more && err == nil; {
		more, err = db.IndexWords(ctx)
	}
	if err != nil {
		b.Fatal(err)
	}
	return db, first
}

// BenchmarkFind measures what one account of 10,000 tasks finds, among 10,000 accounts and
// 1,000,000 tasks.
func BenchmarkFind(b *testing.B) {
	db, first := large(b, 10_000, 1_000_000)
	open := false
	now := todo.Now{At: time.Date(2026, 1, 14, 12, 0, 0, 0, time.UTC), Reader: time.UTC}
	page := app.PageRequest{Page: 1, PerPage: 50}
	all := todo.ScopeAll
	for _, c := range []struct {
		name string
		find todo.Find
	}{
		{"today", todo.Find{Scope: all, Completed: &open, Due: true, Before: []todo.Boundary{now.Tomorrow()}, Sort: todo.SortDue}},
		{"upcoming", todo.Find{Scope: all, Completed: &open, Due: true, NotBefore: []todo.Boundary{now.Tomorrow()}, Sort: todo.SortDue}},
		{"list by position", todo.Find{Lists: []todo.Ref{todo.ByID(1)}, Completed: &open, Sort: todo.SortPosition}},
		{"list by cursor", todo.Find{Lists: []todo.Ref{todo.ByID(1)}, Completed: &open, Sort: todo.SortPosition, After: &todo.Cursor{Number: -1024 * 5000, ID: 5000}}},
		{"priority", todo.Find{Completed: &open, Sort: todo.SortPriority, Down: true}},
		{"title", todo.Find{Completed: &open, Sort: todo.SortTitle}},
		{"one word", todo.Find{Scope: all, Words: []string{"fruit"}, Sort: todo.SortID}},
		{"a rare word", todo.Find{Scope: all, Words: []string{"1234"}, Sort: todo.SortID}},
		{"two words", todo.Find{Scope: all, Words: []string{"buy", "mil"}, Sort: todo.SortID}},
	} {
		find := c.find
		find.UserID, find.Page = first.UserID, page
		if find.Scope == "" {
			find.Scope = todo.ScopeOwn
		}
		b.Run(c.name, func(b *testing.B) {
			var total int64
			for b.Loop() {
				found, err := db.FindTasks(b.Context(), find)
				if err != nil {
					b.Fatal(err)
				}
				total = found.Total
			}
			b.ReportMetric(float64(total), "found")
		})
	}
	b.Run("counts", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.Counts(b.Context(), first.UserID, now); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkChange measures one write at a time in an account of 10,000 tasks.
func BenchmarkChange(b *testing.B) {
	db, first := large(b, 100, 20_000)
	ctx := context.Background()
	title := 0
	change := func(b *testing.B, do func() error) {
		for b.Loop() {
			if err := do(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("create", func(b *testing.B) {
		change(b, func() error {
			_, err := db.CreateTask(ctx, first, todo.NewTask{UserID: first.UserID, Title: "one more", CreatedAt: testNow})
			return err
		})
	})
	b.Run("update", func(b *testing.B) {
		change(b, func() error {
			title++
			text := fmt.Sprint("title ", title)
			_, err := db.UpdateTask(ctx, first, todo.ByID(5), todo.TaskChange{Title: &text, Now: testNow})
			return err
		})
	})
	b.Run("read", func(b *testing.B) {
		change(b, func() error { _, err := db.Task(ctx, first, todo.ByID(5)); return err })
	})
}

// BenchmarkSync measures what a copy of one that is in seven lists asks for among 100,000 tasks.
func BenchmarkSync(b *testing.B) {
	db, first := large(b, 100, 100_000)
	ctx := context.Background()
	for range 6 {
		if _, err := db.CreateList(ctx, first, todo.NewList{Name: "list", CreatedAt: testNow}); err != nil {
			b.Fatal(err)
		}
	}
	newest, err := db.NewestChange(ctx)
	if err != nil {
		b.Fatal(err)
	}
	quiet := todo.SyncCursor{Seq: newest}
	for i := range 10 {
		if _, err := db.CreateTask(ctx, first, todo.NewTask{UserID: first.UserID, Title: fmt.Sprint("new ", i), CreatedAt: testNow}); err != nil {
			b.Fatal(err)
		}
	}
	last, err := db.NewestChange(ctx)
	if err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]struct {
		after todo.SyncCursor
		tasks int
	}{"ten new": {quiet, 10}, "nothing new": {todo.SyncCursor{Seq: last}, 0}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, err := db.Sync(ctx, todo.SyncQuery{UserID: first.UserID, After: &c.after, Limit: todo.DefaultSync})
				if err != nil || len(page.Tasks) != c.tasks {
					b.Fatal(len(page.Tasks), err)
				}
			}
		})
	}
}
