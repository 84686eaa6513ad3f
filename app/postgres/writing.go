package postgres

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"taskapi/app/store"
)

// writing is the store.Runner of the open transaction. Statements of which nothing is to be known
// are kept, and go to the server with the next one or with the commit, in one trip. If one of them
// fails, so does what it went with; whose it was shows when the store runs each change alone.
type writing struct{ e *engine }

// step is a statement that is to run.
type step struct {
	*prepared
	values
	scan func(record) error // nil for an answer that is not read
}

// maxKept is how many statements wait at most.
const maxKept = 256

func (w writing) step(ctx context.Context, query string, args []any, text func(string) string, scan func(record) error) (s step, err error) {
	if w.e.writer == nil {
		return s, busy(errClosed)
	}
	if s.values, err = encode(args); err != nil {
		return s, err
	}
	if s.prepared, err = w.e.writer.prepare(ctx, query, s.types, text); err != nil {
		return s, w.e.writer.met(err)
	}
	s.scan = scan
	return s, nil
}

// now runs a statement and what was kept before it, and returns how many rows it returned or
// changed.
func (w writing) now(ctx context.Context, query string, args []any, text func(string) string, scan func(record) error) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	s, err := w.step(ctx, query, args, text, scan)
	if err != nil {
		return 0, err
	}
	return w.e.flush(ctx, s)
}

// flush runs what was kept, and more.
func (e *engine) flush(ctx context.Context, more ...step) (n int64, err error) {
	all := append(e.kept, more...)
	e.kept = e.kept[:0]
	switch len(all) {
	case 0:
		return 0, nil
	case 1:
		s := all[0]
		return e.writer.read(e.writer.pg.ExecStatement(ctx, s.StatementDescription, s.raw, s.values.formats, s.prepared.formats), s.scan)
	}
	if all, err = e.writer.gather(ctx, all); err != nil {
		return 0, e.writer.met(err)
	}
	return e.writer.trip(ctx, all)
}

// trip runs statements in one trip, and returns how many rows the last one returned or changed. The
// first error ends them.
func (c *conn) trip(ctx context.Context, all []step) (n int64, err error) {
	p := c.pg.StartPipeline(ctx)
	for _, s := range all {
		p.SendQueryStatement(s.StatementDescription, s.raw, s.values.formats, s.prepared.formats)
	}
	err = p.Sync()
	for i := 0; i < len(all) && err == nil; i++ {
		var results any
		if results, err = p.GetResults(); err != nil {
			break
		}
		if result, ok := results.(*pgconn.ResultReader); ok {
			n, err = c.read(result, all[i].scan)
		}
	}
	if closeErr := p.Close(); err == nil {
		err = closeErr
	}
	return n, c.met(err)
}

// Queue implements store.Runner.
func (w writing) Queue(ctx context.Context, query string, args []any) (int64, error) {
	w.e.wrote = true
	if strings.HasPrefix(query, "ROLLBACK") || strings.HasPrefix(query, "SAVEPOINT") || strings.HasPrefix(query, "RELEASE") {
		// What goes wrong before one of these is of the change that it ends.
		return w.now(ctx, query, args, rewrite, nil)
	}
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	s, err := w.step(ctx, query, args, rewrite, nil)
	if err != nil {
		return 0, err
	}
	w.e.kept = append(w.e.kept, s)
	if len(w.e.kept) >= maxKept {
		_, err = w.e.flush(ctx)
	}
	return 1, err
}

// Exec implements store.Runner.
func (w writing) Exec(ctx context.Context, query string, args []any) (int64, error) {
	n, err := w.now(ctx, query, args, rewrite, nil)
	w.e.wrote = w.e.wrote || n > 0
	return n, err
}

// next is what begins the name of a table behind the id of a row, 0 for the next one.
const next = ", 0 /* next of "

// give gives an id to the row that a statement adds, if it has none, and returns it; 0 for a table
// whose ids the server gives. Who has the turn knows the last one, so nobody waits for it, and none
// is lost with what is rolled back.
func (w writing) give(query string, args []any) int64 {
	at := strings.Index(query, next)
	if at < 0 {
		return 0
	}
	table, _, _ := strings.Cut(query[at+len(next):], " ")
	last := w.e.last[table]
	if last == nil {
		return 0
	}
	n, err := strconv.Atoi(query[strings.LastIndexByte(query[:at], '?')+1 : at])
	if err != nil {
		n = 1 // it is the first value
	}
	id, ok := args[n-1].(int64)
	if !ok {
		return 0
	}
	if id == 0 {
		id = last.now + 1
		args[n-1] = id
	}
	last.now = max(last.now, id)
	return id
}

// Insert implements store.Runner.
func (w writing) Insert(ctx context.Context, query string, args []any) (id int64, err error) {
	w.e.wrote = true
	if id := w.give(query, args); id != 0 {
		_, err := w.Queue(ctx, query, args)
		return id, err
	}
	n, err := w.now(ctx, query, args, returning, func(r record) error { return r.Scan(&id) })
	if err == nil && n == 0 {
		err = errNoRow
	}
	return id, err
}

// One implements store.Runner.
func (w writing) One(ctx context.Context, query string, args, dest []any) error {
	w.give(query, args)
	found := false
	_, err := w.now(ctx, query, args, rewrite, func(r record) error {
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
func (w writing) Each(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	var rows rows
	if _, err := w.now(ctx, query, args, rewrite, rows.keep); err != nil {
		return err
	}
	if !strings.HasPrefix(query, "SELECT") {
		w.e.wrote = true
	}
	return rows.each(scan)
}

// Dynamic implements store.Runner.
func (w writing) Dynamic(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	if w.e.writer == nil {
		return busy(errClosed)
	}
	if _, err := w.e.flush(ctx); err != nil {
		return err
	}
	return on{w.e.writer}.Dynamic(ctx, query, args, scan)
}
