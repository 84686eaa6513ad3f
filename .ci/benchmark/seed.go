package main

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// searched is how many tasks the account has that is searched. It is seeded last, so that the
// server collects the words of no other.
const searched = 10_000

// seeds add rows to a database that nobody serves: ?1 is how many, ?2 whose.
var seeds = map[string][]string{
	// tasks FILE COUNT EMAIL
	"tasks": {`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
		INSERT INTO tasks (user_id, list_id, title, description, created_at, updated_at, version, created_by, due, due_wall)
		SELECT u.id, l.id, 'task ' || n, 'made by a benchmark', 1767323045678, 1767323045678, (SELECT coalesce(max(seq), 1) FROM changes) + n, u.id,
			iif(n % 10, NULL, '2026-01-02'), iif(n % 10, NULL, 1767398399999)
		FROM users u JOIN lists l ON l.owner_id = u.id AND l.inbox = 1, numbers WHERE email = ?2`},
	// accounts FILE COUNT x: with ten tasks each
	"accounts": {
		`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
		INSERT INTO users (username, email, email_key, password_hash, role, created_at)
		SELECT 'many' || n, ?2 || n || '@example.com', ?2 || n || '@example.com', '$argon2id$not-used', 'user', 1767323045678 FROM numbers`,
		`INSERT INTO lists (owner_id, name, inbox, created_at, updated_at, version)
		SELECT id, 'Inbox', 1, 1767323045678, 1767323045678, (SELECT coalesce(max(seq), 1) FROM changes) + id FROM users WHERE username LIKE 'many%' AND ?1 AND ?2 <> ''`,
		`INSERT INTO members (user_id, list_id, role, position, joined_at, version)
		SELECT owner_id, id, 3, 0, 1767323045678, version FROM lists WHERE owner_id IN (SELECT id FROM users WHERE username LIKE 'many%') AND ?1 AND ?2 <> ''`,
		`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10)
		INSERT INTO tasks (user_id, list_id, title, description, created_at, updated_at, version, created_by)
		SELECT l.owner_id, l.id, 'task ' || n, 'made by a benchmark', 1767323045678, 1767323045678, (SELECT coalesce(max(seq), 1) FROM changes) + 10 * l.id + n, l.owner_id
		FROM numbers, lists l WHERE owner_id IN (SELECT id FROM users WHERE username LIKE 'many%') AND ?1 AND ?2 <> ''`,
	},
	// The same for PocketBase.
	"peer-tasks": {`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
		INSERT INTO tasks (title, description, owner, created, updated)
		SELECT 'task ' || n, 'made by a benchmark', u.id, '2026-01-02 03:04:05.678Z', '2026-01-02 03:04:05.678Z' FROM users u, numbers WHERE email = ?2`},
	"peer-accounts": {
		`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
		INSERT INTO users (name, email, password, tokenKey) SELECT 'many' || n, ?2 || n || '@example.com', '$2a$10$not-used', lower(hex(randomblob(25))) FROM numbers`,
		`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10)
		INSERT INTO tasks (title, description, owner, created, updated)
		SELECT 'task ' || n, 'made by a benchmark', u.id, '2026-01-02 03:04:05.678Z', '2026-01-02 03:04:05.678Z' FROM users u, numbers WHERE name LIKE 'many%' AND ?1 AND ?2 <> ''`,
	},
}

// seed runs one of seeds: its name, the file, how many, whose.
func seed(args []string) (err error) {
	if len(args) != 4 || seeds[args[0]] == nil {
		return errors.New("constant FOLDER, statements FOLDER, or tasks, accounts, peer-tasks or peer-accounts, each with FILE COUNT NAME")
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+args[1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range seeds[args[0]] {
		if _, err := db.Exec(statement, n, args[3]); err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
	}
	if args[0] == "tasks" && n != searched {
		_, err = db.Exec(`INSERT INTO meta (name, value) SELECT 'words_to', max(seq) FROM changes WHERE true ON CONFLICT DO UPDATE SET value = excluded.value`)
	}
	return err
}
