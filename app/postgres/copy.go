package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"taskapi/app/store"
)

var (
	// ErrNotEmpty: there are users in a database that is to be filled.
	ErrNotEmpty = errors.New("there are users in the database")
	// ErrServed: a server, or another copy, uses a database that is to be filled.
	ErrServed = errors.New("another process uses the database")
	// ErrUnsure: the connection was lost while a copy was being kept.
	ErrUnsure = errors.New("it is not known whether the copy was kept, since the connection was lost")
)

// Copying is a transaction in which a database is copied: from it, or into it.
type Copying struct {
	conn *conn
	// ordered reads rows by their keys, in which order the other side writes them fastest.
	ordered bool
	// complete are statements that give the tables what they did without while they were written.
	complete []string
}

var _ store.CopyTarget = (*Copying)(nil)

// A copy takes as long as it takes, and sorts in more memory than a request may.
const forCopy = everywhere + `SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '5s';
	SET work_mem = '64MB'; SET maintenance_work_mem = '256MB'`

func beginCopy(ctx context.Context, o Options) (*Copying, error) {
	c, err := dial(ctx, o, forCopy)
	if err != nil {
		return nil, err
	}
	return &Copying{conn: c}, nil
}

// lockNotAvailable is said when lock_timeout has passed.
const lockNotAvailable = "55P03"

// CopyFrom begins to read a database as of this moment. Errors are those of Open with Existing. Close
// it.
func CopyFrom(ctx context.Context, o Options) (*Copying, error) {
	c, err := beginCopy(ctx, o)
	if err != nil {
		return nil, err
	}
	c.ordered = true
	err = c.run(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	if err == nil {
		err = makeTables(ctx, c.conn, true)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// CopyInto begins to fill a database that has no tables, or none of users. Nothing is seen of it by
// others until Keep, and nothing is left of it without. Returns ErrNotEmpty, ErrServed, or an error of Open.
// Close it.
func CopyInto(ctx context.Context, o Options) (*Copying, error) {
	c, err := beginCopy(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := c.empty(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// empty makes tables, or empties those that are there, and takes from them all that costs time at
// each row.
func (c *Copying) empty(ctx context.Context) error {
	// The first lock is that of the process that leads, and goes with the connection. The second is
	// that of migrate: a server that starts meanwhile waits for it.
	// Both are waited for a little (lock_timeout): a process that was cut off may not have lost them yet.
	err := c.run(ctx, fmt.Sprintf(`SELECT pg_advisory_lock(%d, hashtext(current_schema())); BEGIN; SELECT pg_advisory_xact_lock(1952542825)`, leaderLock))
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Code == lockNotAvailable {
		err = ErrServed
	}
	if err == nil {
		err = makeTables(ctx, c.conn, false)
	}
	if err != nil {
		return err
	}
	var used bool
	if err := c.one(ctx, `SELECT EXISTS (SELECT 1 FROM users)`, &used); err != nil || used {
		return errors.Join(err, ErrNotEmpty)
	}
	return c.strip(ctx)
}

// strip empties the tables, and takes their indexes and references away.
func (c *Copying) strip(ctx context.Context) error {
	names := tableNames()
	var number string
	if err := c.one(ctx, `SELECT value FROM meta WHERE name = 'schema'`, &number); err != nil {
		return err
	}
	if err := c.run(ctx, `TRUNCATE `+strings.Join(names, ", ")+` RESTART IDENTITY`); err != nil {
		return err
	}
	if _, err := (on{c.conn}).Exec(ctx, `INSERT INTO meta (name, value) VALUES ('schema', ?)`, []any{number}); err != nil {
		return err
	}
	ours := `relname IN ('` + strings.Join(names, `', '`) + `') AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())`
	// References go before the keys they are to, and come back after them.
	for _, kinds := range []string{"f", "p,u"} {
		if err := c.takeAway(ctx, `SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', relname, conname), format('ALTER TABLE %I ADD CONSTRAINT %I %s', relname, conname, pg_get_constraintdef(c.oid))
			FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = conrelid WHERE position(contype IN '`+kinds+`') > 0 AND `+ours+` ORDER BY contype, conname`); err != nil {
			return err
		}
	}
	if err := c.takeAway(ctx, `SELECT format('DROP INDEX %I', (SELECT relname FROM pg_class WHERE oid = indexrelid)), pg_get_indexdef(indexrelid)
		FROM pg_index JOIN pg_class AS t ON t.oid = indrelid WHERE `+ours+` ORDER BY indexrelid`); err != nil {
		return err
	}
	for _, name := range names {
		if err := c.run(ctx, `ALTER TABLE `+name+` DISABLE TRIGGER USER`); err != nil {
			return err
		}
	}
	return nil
}

// takeAway runs the first column of a query, and keeps the second for the end, before what is there.
func (c *Copying) takeAway(ctx context.Context, query string) error {
	var drop, add []string
	err := on{c.conn}.Each(ctx, query, nil, func(row store.Row) error {
		var texts [2]string
		err := row.Scan(&texts[0], &texts[1])
		drop, add = append(drop, texts[0]), append(add, texts[1])
		return err
	})
	for _, text := range drop {
		if err == nil {
			err = c.run(ctx, text)
		}
	}
	c.complete = append(add, c.complete...)
	return err
}

func tableNames() (names []string) {
	for _, t := range store.Tables() {
		names = append(names, t.Name)
	}
	return names
}

// run runs statements, however long they take.
func (c *Copying) run(ctx context.Context, text string) error {
	return c.conn.met(c.conn.pg.Exec(ctx, text).Close())
}

// one reads the first value of an answer, however long that takes.
func (c *Copying) one(ctx context.Context, query string, to any) error {
	results, err := c.conn.pg.Exec(ctx, query).ReadAll()
	if err != nil {
		return c.conn.met(err)
	}
	if len(results) != 1 || len(results[0].Rows) == 0 {
		return errNoRow
	}
	return record{results[0].FieldDescriptions, results[0].Rows[0]}.Scan(to)
}

// CountRows implements store.CopySource.
func (c *Copying) CountRows(ctx context.Context, t store.Table) (n int64, err error) {
	err = c.one(ctx, `SELECT count(*) FROM `+t.Name+t.Condition(), &n)
	return n, err
}

// LastID implements store.CopySource. The sequence may be ahead of the moment that is read, which
// does no harm.
func (c *Copying) LastID(ctx context.Context, t store.Table) (n int64, err error) {
	err = c.one(ctx, `SELECT greatest((SELECT max(id) FROM `+t.Name+`), (SELECT last_value FROM pg_sequences WHERE schemaname = current_schema() AND sequencename = '`+t.Name+`_id_seq'), 0)`, &n)
	return n, err
}

// ReadTable implements store.CopySource.
func (c *Copying) ReadTable(ctx context.Context, t store.Table, lines io.Writer) error {
	query := `SELECT ` + t.List() + ` FROM ` + t.Name + t.Condition()
	if c.ordered {
		query += ` ORDER BY ` + t.Order()
	}
	_, err := c.conn.pg.CopyTo(ctx, lines, `COPY (`+query+`) TO STDOUT`)
	return c.conn.met(err)
}

// WriteTable implements store.CopyTarget. FREEZE spares the server to write the rows once more later,
// and is allowed since the table was emptied in this transaction.
func (c *Copying) WriteTable(ctx context.Context, t store.Table, lines io.Reader) error {
	options := ` WITH (FREEZE)`
	if t.Where != "" {
		options = "" // it has a row
	}
	_, err := c.conn.pg.CopyFrom(ctx, lines, `COPY `+t.Name+` (`+t.List()+`) FROM STDIN`+options)
	return c.conn.met(err)
}

// Complete implements store.CopyTarget.
func (c *Copying) Complete(ctx context.Context, last map[string]int64) error {
	for _, text := range c.complete {
		if err := c.run(ctx, text); err != nil {
			return err
		}
	}
	for _, t := range store.Tables() {
		statements := `ALTER TABLE ` + t.Name + ` ENABLE TRIGGER USER; ANALYZE ` + t.Name
		if id := last[t.Name]; id > 0 {
			statements += `; SELECT setval('` + t.Name + `_id_seq', ` + strconv.FormatInt(id, 10) + `)`
		}
		if err := c.run(ctx, statements); err != nil {
			return err
		}
	}
	// This table gives ids again in SQLite.
	if err := c.run(ctx, `SELECT setval('answers_id_seq', max(id)) FROM answers HAVING max(id) > 0`); err != nil {
		return err
	}
	// Without its identity, it would be taken for a database that was restored, and begin a new lineage.
	now, err := identityOf(ctx, c.conn)
	if err == nil {
		_, err = on{c.conn}.Exec(ctx, `INSERT INTO meta (name, value) VALUES ('identity', ?)`, []any{now})
	}
	return err
}

// Count implements store.CopyTarget.
func (c *Copying) Count(ctx context.Context, query string, n *int64) error {
	return c.one(ctx, rewrite(query), n)
}

// Keep implements store.CopyTarget.
func (c *Copying) Keep(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tag, err := c.conn.pg.Exec(context.WithoutCancel(ctx), "COMMIT").ReadAll()
	if err = c.conn.met(err); errors.Is(err, errClosed) {
		err = fmt.Errorf("%w (%w)", ErrUnsure, err)
	}
	if err != nil {
		return err
	}
	if tag := tag[0].CommandTag.String(); tag != "COMMIT" {
		return fmt.Errorf("the transaction ended with %s", tag)
	}
	return nil
}

// Close ends the connection, and a copy that was not kept. What the server is still doing is cancelled,
// which is waited for a little: the process may end next.
func (c *Copying) Close() error {
	c.conn.close()
	select {
	case <-c.conn.pg.CleanupDone():
	case <-time.After(5 * time.Second):
	}
	return nil
}
