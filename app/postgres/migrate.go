package postgres

import (
	"context"
	"fmt"
	"strconv"
)

// state is what a schema holds.
type state struct {
	tables  int64
	ours    bool
	server  int64
	charset string
}

// migrate makes the tables of an empty schema. Several processes may start at once: the second
// finds it done.
func (e *engine) migrate(ctx context.Context, existing bool) error {
	c, err := e.connect(ctx, everywhere)
	if err != nil {
		return unreachable(err)
	}
	defer c.close()
	// One process at a time, whatever the tables are: the number is "tapi".
	if err := c.simple("BEGIN; SELECT pg_advisory_xact_lock(1952542825)"); err != nil {
		return err
	}
	if err := makeTables(ctx, c, existing); err != nil {
		return err
	}
	if e.identity, err = identify(ctx, c); err != nil {
		return err
	}
	return c.simple("COMMIT")
}

// Facts are what an operator may want to know of a database.
type Facts struct {
	Version string
	// FSync says that what is on the disk survives a crash of the machine.
	FSync bool
	// SyncsCommits says that a commit waits for the disk.
	SyncsCommits bool
	// ReadOnly says that nothing can be written, as on a standby.
	ReadOnly bool
}

// Facts looks at a database that Open has made. Returns ErrEmpty, ErrForeign, ErrNewer, ErrTooOld,
// ErrEncoding, or what the server said.
func (p *Session) Facts(ctx context.Context) (f Facts, err error) {
	if err := makeTables(ctx, p.conn, true); err != nil {
		return f, err
	}
	err = p.One(ctx, `SELECT current_setting('server_version'), current_setting('fsync') = 'on', current_setting('synchronous_commit') <> 'off',
		current_setting('transaction_read_only') = 'on'`, nil, []any{&f.Version, &f.FSync, &f.SyncsCommits, &f.ReadOnly})
	return f, err
}

// Make makes the tables of an empty schema, with nothing in them. Errors are those of Open.
func (p *Session) Make(ctx context.Context) error { return makeTables(ctx, p.conn, false) }

func makeTables(ctx context.Context, c *conn, existing bool) error {
	var s state
	err := on{c}.One(ctx, `SELECT (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()),
		EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'turn') AND EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'meta'),
		current_setting('server_version_num'), current_setting('server_encoding')`, nil, []any{&s.tables, &s.ours, &s.server, &s.charset})
	switch {
	case err != nil:
		return err
	case s.server < 150000:
		return fmt.Errorf("%w (this is %d.%d)", ErrTooOld, s.server/10000, s.server%10000)
	case s.charset != "UTF8":
		return ErrEncoding
	case s.tables == 0 && existing:
		return ErrEmpty
	case s.tables == 0:
		return c.simple(schema)
	case !s.ours:
		return ErrForeign
	}
	var number string
	if err := (on{c}).One(ctx, `SELECT value FROM meta WHERE name = 'schema'`, nil, []any{&number}); err != nil {
		return err
	}
	n, err := strconv.Atoi(number)
	if err == nil && n > schemaNumber {
		err = fmt.Errorf("%w (its schema is number %d, this program knows %d)", ErrNewer, n, schemaNumber)
	}
	return err
}

// identity is what tells this database from a copy of it, and this server from one that has taken
// over from another: the server's and the database's number, that of a table, and the timeline.
const identity = `SELECT format('%s.%s.%s.%s', (SELECT system_identifier FROM pg_control_system()), (SELECT oid FROM pg_database WHERE datname = current_database()),
	CAST(CAST('changes' AS regclass) AS oid), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))`

// identify returns the identity of a database. If it was another one, commits may have been lost, so
// that numbers of changes are given again: then the lineage is made anew (app/store/lineage.go).
func identify(ctx context.Context, c *conn) (string, error) {
	now, err := identityOf(ctx, c)
	if err != nil {
		return "", err
	}
	var before string
	if err := (on{c}).One(ctx, `SELECT coalesce((SELECT value FROM meta WHERE name = 'identity'), '')`, nil, []any{&before}); err != nil || now == before {
		return now, err
	}
	if _, err := (on{c}).Exec(ctx, `UPDATE meta SET value = '' WHERE name = 'lineage'`, nil); err != nil {
		return "", err
	}
	_, err = on{c}.Exec(ctx, `INSERT INTO meta (name, value) VALUES ('identity', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []any{now})
	return now, err
}

func identityOf(ctx context.Context, c *conn) (text string, err error) {
	err = on{c}.One(ctx, identity, nil, []any{&text})
	return text, err
}

// checkIdentity returns ErrReplaced if the server of a new connection is another one than before.
func (e *engine) checkIdentity(ctx context.Context, c *conn) error {
	if e.identity == "" {
		return nil // the database is being opened
	}
	now, err := identityOf(ctx, c)
	if err == nil && now != e.identity {
		e.replace.Do(func() { close(e.replaced) })
		err = busy(ErrReplaced)
	}
	return err
}
