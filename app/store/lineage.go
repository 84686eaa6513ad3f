package store

import (
	"context"
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
func (db *DB) beginLineage(ctx context.Context) (string, error) {
	return db.beginMeta(ctx, "lineage", 3)
}

// beginMeta returns a text that belongs to the database, and makes it of random bytes if there is
// none.
func (db *DB) beginMeta(ctx context.Context, name string, bytes int) (text string, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return "", err
	}
	const find = `SELECT coalesce((SELECT value FROM meta WHERE name = ?), '')`
	if err := reader.one(find, []any{name}, &text); err != nil || text != "" {
		return text, err
	}
	err = db.write(ctx, func(tx *tx) error {
		// Another process may have been faster.
		if err := tx.one(find, []any{name}, &text); err != nil || text != "" {
			return err
		}
		if text, err = tx.random(bytes); err != nil {
			return err
		}
		return tx.setMeta(name, text)
	})
	return text, err
}

// Seed returns what the derived uids of the database are made of. A copy has the same:
// what is in it is still the same thing.
func (db *DB) Seed() todo.Seed { return db.seed }

// beginSeed gives a database a seed that has none.
func (db *DB) beginSeed(ctx context.Context) (seed todo.Seed, err error) {
	text, err := db.beginMeta(ctx, "uid_seed", len(seed))
	if err != nil {
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
