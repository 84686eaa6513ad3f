package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
)

// applicationID marks a file as ours: "tapi" as a number, as in schema.sql.
const applicationID = 1952542825

// steps bring an older schema forward: the first makes version 2 of version 1,
// and so on. A step that has been released is never changed. What a fresh
// database gets is in schema.sql; a test compares the two.
func steps() []step {
	return []step{statementsOf(stepAccounts), statementsOf(stepTotals), statementsOf(stepImportedHashes), stepLists, statementsOf(stepRetries), statementsOf(stepLive), statementsOf(stepCalendars)}
}

// step brings a schema to the next version. Progress may be nil.
type step func(ctx context.Context, conn *sql.Conn, progress Progress) error

// statementsOf is a step that is plain SQL.
func statementsOf(text string) step {
	return func(ctx context.Context, conn *sql.Conn, _ Progress) error {
		_, err := conn.ExecContext(ctx, text)
		return err
	}
}

// migrate makes the schema of an empty file, or brings an older one forward. All
// steps are one transaction, so that a cut leaves the file as it was: a schema
// between two versions is one that no program knows. Two processes may try at
// once: the second finds it done.
func migrate(ctx context.Context, conn *sql.Conn, schema string, steps []step, progress Progress) (err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
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
		return err
	}
	current := len(steps) + 1
	switch {
	case version > current:
		return fmt.Errorf("%w (its schema is number %d, this program knows %d)", ErrNewer, version, current)
	case version == current:
		return nil
	case version == 0:
		_, err = conn.ExecContext(ctx, schema)
		return err
	}
	for n := version; n < current; n++ {
		if err := steps[n-1](ctx, conn, progress); err != nil {
			return fmt.Errorf("bring the schema from %d to %d: %w", n, n+1, err)
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", current))
	return err
}

// Ours returns ErrForeign for a file that another program filled, nil for one
// of ours or an empty one, and another error for what is no database.
func Ours(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	// Plainly: the file of another program keeps its kind of journal.
	pool, err := openPool(withParams(path, url.Values{"_query_only": {"1"}, "_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())}}), 1)
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
