package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// applicationID marks a file as ours: "tapi" as a number, as in schema.sql.
const applicationID = 1952542825

// steps bring an older schema forward: the first makes version 2 of version 1,
// and so on. A step that has been released is never changed. What a fresh
// database gets stands in schema.sql; a test holds the two together.
func steps() []string {
	return []string{stepAccounts, stepTotals, stepImportedHashes, stepDeletion}
}

// migrate makes the schema of an empty file, or brings an older one forward,
// each step in a transaction of its own, so that a cut leaves the file at one
// version or the next. Two processes may try at once: the second finds it done.
func migrate(ctx context.Context, conn *sql.Conn, schema string, steps []string) error {
	for {
		done, err := migrateOnce(ctx, conn, schema, steps)
		if done || err != nil {
			return err
		}
	}
}

func migrateOnce(ctx context.Context, conn *sql.Conn, schema string, steps []string) (done bool, err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	defer func() {
		end := "COMMIT"
		if err != nil {
			end = "ROLLBACK"
		}
		_, endErr := conn.ExecContext(ctx, end)
		err = errors.Join(err, endErr)
	}()
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return false, err
	}
	current := len(steps) + 1
	switch {
	case version > current:
		return false, fmt.Errorf("%w (its schema is number %d, this program knows %d)", ErrNewer, version, current)
	case version == current:
		return true, nil
	case version == 0:
		_, err = conn.ExecContext(ctx, schema)
		return false, err
	}
	if _, err = conn.ExecContext(ctx, steps[version-1]); err == nil {
		_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1))
	}
	if err != nil {
		return false, fmt.Errorf("bring the schema from %d to %d: %w", version, version+1, err)
	}
	return false, nil
}

// Ours returns ErrForeign for a file that another program filled, nil for one
// of ours or an empty one, and another error for what is no database.
func Ours(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	pool, err := openPool(dsn(path, Full, true), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	_, err = schemaVersion(ctx, conn)
	return errors.Join(err, conn.Close())
}

// schemaVersion returns the number of the schema in the file, 0 for an empty
// file, ErrForeign for a file that another program filled.
func schemaVersion(ctx context.Context, conn *sql.Conn) (version int, err error) {
	var id, objects int
	err = conn.QueryRowContext(ctx, `SELECT
		(SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&id, &version, &objects)
	switch {
	case err != nil:
		return 0, err
	case objects == 0 && id == 0:
		return 0, nil
	case id != applicationID || version < 1:
		return 0, ErrForeign
	}
	return version, nil
}
