package store

import "context"

// MetaOnce stores what is to be known of the whole database unless it is known already, and returns
// what is stored.
func (db *DB) MetaOnce(ctx context.Context, name, value string) (stored string, err error) {
	const query = `SELECT coalesce((SELECT value FROM meta WHERE name = ?), '')`
	reader, err := db.read(ctx)
	if err != nil {
		return "", err
	}
	if err := reader.one(query, []any{name}, &stored); err != nil || stored != "" {
		return stored, translate(err)
	}
	err = db.write(ctx, func(tx *tx) error {
		if err := tx.exec(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, value); err != nil {
			return err
		}
		return tx.one(query, []any{name}, &stored)
	})
	return stored, err
}
