package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"math"
	"strings"

	"taskapi/app/outbox"
	"taskapi/app/todo"
)

// tx is an open transaction, or a single statement's worth of reading.
// Statements run to their end whatever becomes of the request: SQLite rolls
// the whole transaction back when one is interrupted, and a context that can
// be cancelled doubles the cost of a lookup in its driver (a goroutine a
// call; 10.8 against 18 µs). All of them are short searches by an index.
type tx struct {
	ctx    context.Context
	runner Runner
	source io.Reader        // of random bytes; nil for those who read
	queued []outbox.NewMail // in this transaction
	// touched has one entry for each line that this change wrote into the log.
	touched []todo.Touched
	// group is the number of the first line that this change wrote into the log; 0
	// before that.
	group int64
	// first is the number of the first line of this change alone.
	first int64
	// inTurns says that the change is one of several turns of a request.
	inTurns bool
	// known is what the writer need not ask again; nil for those who read.
	known *known
	// reminded says that it may have changed when a reminder is due.
	reminded bool
	// hooked is the user whose webhooks were changed; 0 for nobody.
	hooked int64
	// changed says that a row was certainly changed, rows how many were, as far as is known.
	changed bool
	rows    int64
	// wrote says that a statement ran that may have changed something.
	wrote bool
	// access says that it may have changed who may act.
	access bool
	// failed is the first error of a statement. Nothing runs after it: the engine
	// may have ended the transaction, and what followed would stand alone.
	failed error
}

// exec runs a statement.
func (t *tx) exec(query string, args ...any) error {
	var n int64
	err := t.do(query, func() (err error) { n, err = t.runner.Queue(t.ctx, query, args); return err })
	t.changed, t.rows = t.changed || n > 0, t.rows+n
	return err
}

// insert adds one row to a table with a generated id, which it returns.
func (t *tx) insert(query string, args ...any) (id int64, err error) {
	err = t.do(query, func() (err error) { id, err = t.runner.Insert(t.ctx, query, args); return err })
	if err == nil {
		t.changed, t.rows = true, t.rows+1
	}
	return id, err
}

// change runs a statement and returns how many rows it changed.
func (t *tx) change(query string, args ...any) (n int64, err error) {
	err = t.do(query, func() (err error) { n, err = t.runner.Exec(t.ctx, query, args); return err })
	t.changed, t.rows = t.changed || n > 0, t.rows+n
	return n, err
}

// one scans the first row of a query into dest; sql.ErrNoRows without one.
func (t *tx) one(query string, args []any, dest ...any) error {
	return t.do(query, func() error { return t.runner.One(t.ctx, query, args, dest) })
}

// each calls scan for every row of a query.
func (t *tx) each(query string, args []any, scan func(Row) error) error {
	return t.do(query, func() error { return t.runner.Each(t.ctx, query, args, scan) })
}

// dynamic runs a query of which there are too many to keep each prepared.
func (t *tx) dynamic(query string, args []any, scan func(Row) error) error {
	return t.do(query, func() error { return t.runner.Dynamic(t.ctx, query, args, scan) })
}

// do runs a statement unless one before it failed.
func (t *tx) do(query string, run func() error) error {
	if t.failed != nil {
		return t.failed
	}
	if !strings.HasPrefix(query, "SELECT") {
		t.wrote = true
		if t.known != nil && t.known.ran(query) {
			t.access = true
		}
	}
	err := run()
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.failed = err
	}
	return err
}

// random returns random bytes, in hexadecimal.
func (t *tx) random(bytes int) (string, error) { return randomText(t.source, bytes) }

// read gives access to the readers for a request that is still wanted.
func (db *DB) read(ctx context.Context) (*tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, busy(err)
	}
	if outer := db.outerOf(ctx); outer != nil {
		return outer.inner(ctx), nil
	}
	return &tx{ctx: context.WithoutCancel(ctx), runner: db.engine.Reader()}, nil
}

// snapshot runs several queries on the state of one moment.
func (db *DB) snapshot(ctx context.Context, do func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return busy(err)
	}
	if outer := db.outerOf(ctx); outer != nil {
		return do(outer.inner(ctx))
	}
	runner, end, err := db.engine.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer end()
	return do(&tx{ctx: context.WithoutCancel(ctx), runner: runner})
}

// noLimit is the LIMIT of a query without one. SQLite takes a negative one for it, PostgreSQL doesn't.
const noLimit int64 = math.MaxInt64
