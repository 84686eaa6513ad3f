package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"taskapi/app/store"
)

// ErrOlder: the schema of a file has to be brought forward before its tables can be copied.
var ErrOlder = errors.New("the database is of an older version of taskapi")

// copyConn is a connection whose one transaction reads or writes whole tables.
type copyConn struct {
	pool *sql.DB
	conn *sql.Conn
}

func openCopyConn(ctx context.Context, dsn string) (c copyConn, err error) {
	if c.pool, err = openPool(dsn, 1); err != nil {
		return c, err
	}
	if c.conn, err = c.pool.Conn(ctx); err != nil {
		return c, errors.Join(err, c.pool.Close())
	}
	return c, nil
}

func (c copyConn) close() error { return errors.Join(c.conn.Close(), c.pool.Close()) }

// CopySource is a file that is copied as of one moment. A server may be using it.
type CopySource struct{ copyConn }

var _ store.CopySource = (*CopySource)(nil)

// CopyFrom begins to read a file as of this moment. Nothing in it is changed. Returns
// fs.ErrNotExist, ErrNotFile, ErrForeign, ErrNewer, ErrOlder, ErrNotDatabase, ErrOtherTimeline, or what the system said.
// Close it.
func CopyFrom(ctx context.Context, path string) (*CopySource, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, ErrNotFile
	}
	if err := ours(ctx, path); err != nil {
		return nil, err
	}
	c, err := openCopyConn(ctx, lookDSN(path))
	if err != nil {
		return nil, describe(err)
	}
	if err := c.begin(ctx); err != nil {
		return nil, errors.Join(describe(err), c.close())
	}
	return &CopySource{c}, nil
}

// begin begins a transaction that sees the state of this moment.
func (c copyConn) begin(ctx context.Context) error {
	if _, err := c.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	version, err := schemaVersion(ctx, c.conn)
	switch current := len(steps()) + 1; {
	case err != nil:
		return err
	case version == 0:
		return ErrForeign
	case version > current:
		return fmt.Errorf("%w (its schema is number %d, this program knows %d)", ErrNewer, version, current)
	case version < current:
		return ErrOlder
	}
	return nil
}

// Close ends the reading.
func (s *CopySource) Close() error {
	_, err := s.conn.ExecContext(context.Background(), "ROLLBACK")
	return errors.Join(err, s.close())
}

// CountRows implements store.CopySource.
func (c copyConn) CountRows(ctx context.Context, t store.Table) (n int64, err error) {
	err = c.conn.QueryRowContext(ctx, `SELECT count(*) FROM `+t.Name+t.Condition()).Scan(&n)
	return n, describe(err)
}

// LastID implements store.CopySource.
func (c copyConn) LastID(ctx context.Context, t store.Table) (n int64, err error) {
	err = c.conn.QueryRowContext(ctx, `SELECT max(coalesce((SELECT max(id) FROM `+t.Name+`), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0))`, t.Name).Scan(&n)
	return n, describe(err)
}

// ReadTable implements store.CopySource. The rows come in the order in which they lie there, which is
// that of their keys.
func (c copyConn) ReadTable(ctx context.Context, t store.Table, lines io.Writer) (err error) {
	rows, err := c.conn.QueryContext(ctx, `SELECT `+t.List()+` FROM `+t.Name+t.Condition())
	if err != nil {
		return describe(err)
	}
	defer func() { err = errors.Join(err, describe(rows.Close())) }()
	values, to := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range values {
		to[i] = &values[i]
	}
	var line []byte
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if line, err = store.AppendLine(line[:0], values); err != nil {
			return err
		}
		if _, err := lines.Write(line); err != nil {
			return err
		}
	}
	return describe(rows.Err())
}

// CopyTarget is a file in the making. It bears another name until it is whole and proven.
type CopyTarget struct {
	copyConn
	path, partial string
	complete      []string // statements that make its indexes and triggers
	closed        bool
}

var _ store.CopyTarget = (*CopyTarget)(nil)

// CopyInto begins to make a file. Returns fs.ErrExist if there is anything at the path, or what the
// system said. Close it.
func CopyInto(ctx context.Context, path, schema string) (*CopyTarget, error) {
	if err := absent(path); err != nil {
		return nil, err
	}
	partial, err := temporaryName(path)
	if err != nil {
		return nil, err
	}
	c, err := openCopyConn(ctx, copyDSN(partial))
	if err != nil {
		return nil, errors.Join(describe(err), removeDatabase(partial))
	}
	t := &CopyTarget{copyConn: c, path: path, partial: partial}
	if err := t.strip(ctx, schema); err != nil {
		return nil, errors.Join(describe(err), t.Close())
	}
	return t, nil
}

// absent returns fs.ErrExist for a path with a database, or with the log of one, that would be played
// into the new one.
func absent(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-journal"} {
		if _, err := os.Lstat(name); err == nil {
			return fmt.Errorf("%s: %w", name, fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// strip makes the tables, and takes their indexes and triggers away.
func (t *CopyTarget) strip(ctx context.Context, schema string) error {
	// Nobody else knows the file. Pages are kept up to 64 MB.
	const settings = `PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536; PRAGMA foreign_keys = OFF; `
	if _, err := t.conn.ExecContext(ctx, settings+schema); err != nil {
		return err
	}
	if _, err := t.conn.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		return err
	}
	drop, err := t.takeAway(ctx)
	if err == nil {
		_, err = t.conn.ExecContext(ctx, strings.Join(drop, "; "))
	}
	return err
}

// takeAway returns statements that drop all indexes and triggers, and notes those that make them.
func (t *CopyTarget) takeAway(ctx context.Context) (drop []string, err error) {
	rows, err := t.conn.QueryContext(ctx, `SELECT type || ' ' || name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		drop, t.complete = append(drop, "DROP "+name), append(t.complete, text)
	}
	return drop, rows.Err()
}

// insertValues is about how many values one statement adds.
const insertValues = 400

// WriteTable implements store.CopyTarget.
func (t *CopyTarget) WriteTable(ctx context.Context, table store.Table, lines io.Reader) (err error) {
	many, err := t.inserter(ctx, table, max(1, insertValues/len(table.Columns)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, many.Close()) }()
	in := bufio.NewReaderSize(lines, 1<<16)
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var n int
		if n, err = many.read(in, table); errors.Is(err, io.EOF) {
			more = false
		} else if err != nil {
			return err
		}
		if n == many.rows {
			err = many.insert()
		} else {
			err = t.insertRest(ctx, table, many.values[:n*len(table.Columns)])
		}
		if err != nil {
			return describe(err)
		}
	}
	return nil
}

// inserter is a statement that adds some rows at once.
type inserter struct {
	*sql.Stmt
	rows   int
	values []any
	line   []byte
}

func (t *CopyTarget) inserter(ctx context.Context, table store.Table, rows int) (*inserter, error) {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(table.Columns)), ",") + ")"
	stmt, err := t.conn.PrepareContext(ctx, `INSERT INTO `+table.Name+` (`+table.List()+`) VALUES `+strings.TrimSuffix(strings.Repeat(row+",", rows), ","))
	return &inserter{Stmt: stmt, rows: rows, values: make([]any, rows*len(table.Columns))}, describe(err)
}

// read reads as many rows as the statement adds, or, with io.EOF, those that are left.
func (i *inserter) read(in *bufio.Reader, table store.Table) (n int, err error) {
	width := len(table.Columns)
	for ; n < i.rows; n++ {
		i.line = i.line[:0]
		for err = bufio.ErrBufferFull; errors.Is(err, bufio.ErrBufferFull); {
			var part []byte
			part, err = in.ReadSlice('\n')
			i.line = append(i.line, part...)
		}
		if err != nil {
			if errors.Is(err, io.EOF) && len(i.line) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
		if err := table.ReadLine(i.line[:len(i.line)-1], i.values[n*width:(n+1)*width]); err != nil {
			return n, err
		}
	}
	return n, nil
}

// insert adds the rows. The context is asked between statements, since watching it costs a goroutine
// each.
func (i *inserter) insert() error {
	_, err := i.ExecContext(context.Background(), i.values...)
	return err
}

// insertRest adds the last rows of a table.
func (t *CopyTarget) insertRest(ctx context.Context, table store.Table, values []any) (err error) {
	if len(values) == 0 {
		return nil
	}
	rest, err := t.inserter(ctx, table, len(values)/len(table.Columns))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rest.Close()) }()
	rest.values = values
	return rest.insert()
}

// Complete implements store.CopyTarget.
func (t *CopyTarget) Complete(ctx context.Context, last map[string]int64) error {
	for _, text := range t.complete {
		if _, err := t.conn.ExecContext(ctx, text); err != nil {
			return describe(err)
		}
	}
	for name, id := range last {
		if id == 0 {
			continue // nothing had an id yet
		}
		result, err := t.conn.ExecContext(ctx, `UPDATE sqlite_sequence SET seq = ? WHERE name = ?`, id, name)
		if err == nil {
			var n int64
			if n, err = result.RowsAffected(); err == nil && n == 0 {
				_, err = t.conn.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)`, name, id)
			}
		}
		if err != nil {
			return describe(err)
		}
	}
	return referencesLead(ctx, t.conn)
}

// Count implements store.CopyTarget.
func (t *CopyTarget) Count(ctx context.Context, query string, n *int64) error {
	return describe(t.conn.QueryRowContext(ctx, query).Scan(n))
}

// Keep implements store.CopyTarget.
func (t *CopyTarget) Keep(ctx context.Context) error {
	_, err := t.conn.ExecContext(ctx, "COMMIT")
	t.closed = true
	if err := errors.Join(err, t.close()); err != nil {
		return describe(err)
	}
	if err := errors.Join(removeEmptyLog(t.partial), syncFile(t.partial), absent(t.path)); err != nil {
		return err
	}
	if err := os.Rename(t.partial, t.path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(t.path))
}

// Close ends the work, and removes a file that was not kept.
func (t *CopyTarget) Close() error {
	var err error
	if !t.closed {
		err = t.close()
	}
	return errors.Join(err, removeDatabase(t.partial))
}
