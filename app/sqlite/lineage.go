package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"

	"taskapi/app/todo"
)

// After a restore, numbers of changes are given again. So each database has a lineage,
// a few random letters that a copy of it does not have: what a client knows of versions
// is of one lineage.

// Lineage returns the lineage of the database.
func (db *DB) Lineage() string { return db.lineage }

// beginLineage gives a new database, and one that was a copy, a lineage.
func beginLineage(ctx context.Context, conn *sql.Conn) (lineage string, err error) {
	_, err = conn.ExecContext(ctx, `INSERT INTO meta (name, value) SELECT 'lineage', lower(hex(randomblob(3)))
		WHERE NOT EXISTS (SELECT 1 FROM meta WHERE name = 'lineage' AND value <> '')
		ON CONFLICT DO UPDATE SET value = excluded.value`)
	if err == nil {
		err = conn.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'lineage'`).Scan(&lineage)
	}
	return lineage, err
}

// Seed returns what the derived uids of the database are made of. A copy has the same:
// what is in it is still the same thing.
func (db *DB) Seed() todo.Seed { return db.seed }

// beginSeed gives a database a seed that has none.
func beginSeed(ctx context.Context, conn *sql.Conn) (seed todo.Seed, err error) {
	_, err = conn.ExecContext(ctx, `INSERT INTO meta (name, value) SELECT 'uid_seed', lower(hex(randomblob(8)))
		WHERE NOT EXISTS (SELECT 1 FROM meta WHERE name = 'uid_seed')`)
	if err != nil {
		return seed, err
	}
	var text string
	if err := conn.QueryRowContext(ctx, seedText).Scan(&text); err != nil {
		return seed, err
	}
	return readSeed(text)
}

const seedText = `SELECT value FROM meta WHERE name = 'uid_seed'`

// seed returns what the derived uids of the database are made of.
func (t *tx) seed() (seed todo.Seed, err error) {
	var text string
	if err := t.one(seedText, nil, &text); err != nil {
		return seed, err
	}
	return readSeed(text)
}

func readSeed(text string) (seed todo.Seed, err error) {
	n, err := hex.Decode(seed[:], []byte(text))
	if err == nil && n != len(seed) {
		err = fmt.Errorf("the seed of uids is %q", text)
	}
	return seed, err
}
