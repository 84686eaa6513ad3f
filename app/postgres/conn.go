package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"taskapi/app/store"
)

// statementTimeout is how long one statement may take. The server ends it first; this is for a server that
// has gone without a word.
const statementTimeout = 35 * time.Second

// errClosed is within the error of a statement whose connection was lost.
var errClosed = errors.New("the connection was lost")

// conn is one connection with what is prepared on it. It has one user at a time.
type conn struct {
	pg       *pgconn.PgConn
	prepared map[string]*prepared
}

type prepared struct {
	*pgconn.StatementDescription
	formats []int16 // of the columns of its answer
	row     string  // that it adds, if it may add more; see rows.go
}

func (c *conn) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.pg.Close(ctx) // nothing can be done about what is lost already
}

// simple runs statements without parameters, in one trip.
func (c *conn) simple(text string) error { return c.simpleWithin(statementTimeout, text) }

func (c *conn) simpleWithin(wait time.Duration, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	return c.met(c.pg.Exec(ctx, text).Close())
}

// prepare returns a statement; key is what it is found by, and make its text.
func (c *conn) prepare(ctx context.Context, key string, types []uint32, text func(string) string) (*prepared, error) {
	if p, ok := c.prepared[key]; ok {
		return p, nil
	}
	query := text(key)
	for i, known := range types {
		if known == 0 && !names(query, i+1) {
			types[i] = oidText // nothing in the query tells what it would be
		}
	}
	described, err := c.pg.Prepare(ctx, "s"+strconv.Itoa(len(c.prepared)), query, types)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	p := &prepared{described, make([]int16, len(described.Fields)), rowOf(query)}
	for i, field := range described.Fields {
		if field.DataTypeOID == oidBytea {
			p.formats[i] = formatBinary
		}
	}
	c.prepared[key] = p
	return p, nil
}

// run runs a statement and hands each row of its answer to scan, which may use the connection only
// after the last one. It returns how many rows the statement returned or changed.
func (c *conn) run(ctx context.Context, query string, args []any, text func(string) string, scan func(record) error) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	v, err := encode(args)
	if err != nil {
		return 0, err
	}
	p, err := c.prepare(ctx, query, v.types, text)
	if err != nil {
		return 0, c.met(err)
	}
	return c.read(c.pg.ExecStatement(ctx, p.StatementDescription, v.raw, v.formats, p.formats), scan)
}

// names reports whether a query has a parameter.
func names(query string, n int) bool {
	name := "$" + strconv.Itoa(n)
	for {
		_, rest, found := strings.Cut(query, name)
		if !found {
			return false
		}
		if rest == "" || rest[0] < '0' || rest[0] > '9' {
			return true
		}
		query = rest
	}
}

// once is run for a statement that is not kept.
func (c *conn) once(ctx context.Context, query string, args []any, scan func(record) error) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	v, err := encode(args)
	if err != nil {
		return err
	}
	_, err = c.read(c.pg.ExecParams(ctx, rewrite(query), v.raw, v.types, v.formats, nil), scan)
	return err
}

func (c *conn) read(result *pgconn.ResultReader, scan func(record) error) (int64, error) {
	var scanned error
	for result.NextRow() {
		if scan != nil && scanned == nil {
			scanned = scan(record{result.FieldDescriptions(), result.Values()})
		}
	}
	tag, err := result.Close()
	if err != nil {
		return 0, c.met(err)
	}
	return tag.RowsAffected(), scanned
}

// met marks the error of a connection that is of no more use.
func (c *conn) met(err error) error {
	if err != nil && c.pg.IsClosed() {
		return translate(fmt.Errorf("%w: %w", errClosed, err))
	}
	return translate(err)
}

// The runners below differ in where their connection comes from.

// on is a store.Runner on one connection.
type on struct{ *conn }

var errNoRow = errors.New("the statement returned no row")

// Exec implements store.Runner.
func (o on) Exec(ctx context.Context, query string, args []any) (int64, error) {
	return o.run(ctx, query, args, rewrite, nil)
}

// Queue implements store.Runner.
func (o on) Queue(ctx context.Context, query string, args []any) (int64, error) {
	return o.Exec(ctx, query, args)
}

// Insert implements store.Runner.
func (o on) Insert(ctx context.Context, query string, args []any) (id int64, err error) {
	n, err := o.run(ctx, query, args, returning, func(r record) error { return r.Scan(&id) })
	if err == nil && n == 0 {
		err = errNoRow
	}
	return id, err
}

// One implements store.Runner.
func (o on) One(ctx context.Context, query string, args, dest []any) error {
	found := false
	_, err := o.run(ctx, query, args, rewrite, func(r record) error {
		if found {
			return nil
		}
		found = true
		return r.Scan(dest...)
	})
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// Each implements store.Runner. All rows are read before the first is handed out, since scan may
// use the connection.
func (o on) Each(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	var rows rows
	if _, err := o.run(ctx, query, args, rewrite, rows.keep); err != nil {
		return err
	}
	return rows.each(scan)
}

// Dynamic implements store.Runner.
func (o on) Dynamic(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	var rows rows
	if err := o.once(ctx, query, args, rows.keep); err != nil {
		return err
	}
	return rows.each(scan)
}

// rows are copies of the rows of an answer.
type rows []record

func (r *rows) keep(row record) error {
	size := 0
	for _, raw := range row.raw {
		size += len(raw)
	}
	text, raw := make([]byte, 0, size), make([][]byte, len(row.raw))
	for i, value := range row.raw {
		if value != nil {
			from := len(text)
			text = append(text, value...)
			raw[i] = text[from:len(text):len(text)]
		}
	}
	if len(*r) > 0 { // the descriptions belong to the connection
		row.fields = (*r)[0].fields
	} else {
		row.fields = append([]pgconn.FieldDescription(nil), row.fields...)
	}
	*r = append(*r, record{row.fields, raw})
	return nil
}

func (r rows) each(scan func(store.Row) error) error {
	for _, row := range r {
		if err := scan(row); err != nil {
			return err
		}
	}
	return nil
}
