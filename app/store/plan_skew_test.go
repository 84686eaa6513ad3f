package store_test

import (
	"errors"
	"testing"
	"time"

	"taskapi/app/store"
	"taskapi/app/storetest"
)

// TestWhatOneAccountAsksForIsNotReadThroughAnothers runs every statement for accounts that have
// little, beside one that has nearly everything: a server that believes a half of all rows to be of
// whom it is asked about finds the first ten of them by walking through all.
func TestWhatOneAccountAsksForIsNotReadThroughAnothers(t *testing.T) {
	if storetest.IsSQLite() {
		t.Skip("only for PostgreSQL: SQLite plans without what is in the tables")
	}
	for name, use := range map[string]func(*testing.T, *storetest.DB){"lists, accounts, mails": useEverything, "calendars": useCalendars} {
		t.Run(name, func(t *testing.T) {
			const most = 5000
			db := openTest(t)
			fillOne(t, db, 10*most)
			db.Count(t, `SELECT count(pg_stat_force_next_flush())`)
			db.Count(t, `SELECT count(pg_stat_reset())`)
			other := db.Another(t, storetest.Options{Now: func() time.Time { return testNow }})
			use(t, other)
			if err := errors.Join(other.Close(), db.Close()); err != nil {
				t.Fatal(err)
			}
			// What was read is counted when the server ends a connection, a moment after it was closed.
			for db.Count(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`) > 0 {
			}
			all := int64(0)
			db.Each(t, `SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes`, nil, func(row store.Row) error {
				var index string
				var read int64
				err := row.Scan(&index, &read)
				if all += read; read > most {
					t.Errorf("%d entries of %s were read", read, index)
				}
				return err
			})
			if all == 0 {
				t.Error("nothing is known of what was read")
			}
		})
	}
}

// fillOne adds one account that has so many rows of each kind.
func fillOne(t *testing.T, db *storetest.DB, rows int) {
	t.Helper()
	series := numbers(rows)
	for _, query := range []string{
		`INSERT INTO users (id, username, email, email_key, password_hash, role, created_at) VALUES (1000001, 'u', 'u@x', 'u@x', '$argon2id$', 'user', 1)`,
		`INSERT INTO lists (id, owner_id, name, inbox, created_at, updated_at, version) VALUES (1000001, 1000001, 'Inbox', 1, 1, 1, 1)`,
		`INSERT INTO members (user_id, list_id, role, position, joined_at, version) VALUES (1000001, 1000001, 3, 0, 1, 1)`,
		`INSERT INTO webhooks (id, user_id, url, events, secret, created_at, cursor) VALUES (1000001, 1000001, 'https://x', 1, CAST('0123456789abcdef01234567' AS BYTEA), 1, 1)`,
		series + `INSERT INTO sessions (id, user_id, generation, created_at, last_used_at, expires_at) SELECT substr('session-of-somebody-' || i, 6, 22), 1000001, 1, 1, 1, 9999999999999 FROM n`,
		series + `INSERT INTO trash (id, user_id, list_id, grp, at, data) SELECT i + 1000000, 1000001, 1000001, i, i, '{}' FROM n`,
		series + `INSERT INTO tasks (id, user_id, list_id, title, description, created_at, updated_at, version) SELECT i, 1000001, 1000001, 't', '', 1, 1, i FROM n`,
		// Beside the lines of the tasks, which are there by now.
		series + `INSERT INTO changes (seq, scope, grp, at, kind, op, entity) SELECT i + 1000000, -1000001, i + 1000000, i, 4, 5, i FROM n`,
		series + `INSERT INTO task_labels (list_id, key, task_id) SELECT 1000001, 'home', i FROM n`,
		series + `INSERT INTO task_words (list_id, word, task_id) SELECT 1000001, 't', i FROM n`,
		series + `INSERT INTO task_ical (task_id, said_uid) SELECT i, 'u' || i FROM n`,
		series + `INSERT INTO task_names (list_id, task_id, name) SELECT 1000001, i, 'n' || i FROM n`,
		series + `INSERT INTO reminders (user_id, task_id, before, version) SELECT 1000001, i, 60000, 1 FROM n`,
		series + `INSERT INTO events (at, name, user_id) SELECT i, 'signed_in', 1000001 FROM n`,
		series + `INSERT INTO answers (user_id, key, fingerprint, status, body, at) SELECT 1000001, i, CAST('0123456789abcdef' AS BYTEA), 200, CAST('x' AS BYTEA), i FROM n`,
		series + `INSERT INTO mails (user_id, template, recipient, data, message_id, status, created_at, next_at) SELECT 1000001, 'welcome', 'x', '{}', 'm' || i, 'sent', i, i FROM n`,
		series + `INSERT INTO deliveries (webhook_id, seq, event, at, tries, ms) SELECT 1000001, i, 'task.created', i, 1, 1 FROM n WHERE i <= 1000200`,
		`INSERT INTO meta (name, value) SELECT 'words_to', CAST(max(seq) AS TEXT) FROM changes`,
		`ANALYZE`,
	} {
		db.Exec(t, query)
	}
}
