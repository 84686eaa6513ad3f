package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"taskapi/app/outbox"
	"taskapi/app/todo"
)

// tx is an open transaction, or a single statement's worth of reading.
// Statements run to their end whatever becomes of the request: SQLite rolls
// the whole transaction back when one is interrupted, and a context that can
// be cancelled doubles the cost of a lookup in this driver (a goroutine a
// call; 10.8 against 18 µs). All of them are short searches by an index.
type tx struct {
	ctx    context.Context
	stmts  *statements
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
	// admitted are those who may act in the transaction, as far as was asked; nil for those who read.
	admitted admitted
	// within is the snapshot that is read; nil for the state of the last commit.
	within *sql.Tx
	// reminded says that it may have changed when a reminder is due.
	reminded bool
	// hooked is the user whose webhooks were changed; 0 for nobody.
	hooked int64
	// changed says that a row was certainly changed, rows how many were, as far as is known.
	changed bool
	rows    int64
	// wrote says that a statement ran that may have changed something.
	wrote bool
	// failed is the first error of a statement. Nothing runs after it: SQLite
	// may have ended the transaction, and what followed would stand alone.
	failed error
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.change(query, args...)
	return err
}

// insert adds one row and returns its rowid. RETURNING would have SQLite make a table for the
// answer, which costs a sixth of adding a task.
func (t *tx) insert(query string, args ...any) (id int64, err error) {
	err = t.do(query, func(stmt *sql.Stmt) error {
		result, err := stmt.ExecContext(t.ctx, args...)
		if err != nil {
			return err
		}
		id, err = result.LastInsertId()
		return err
	})
	if err == nil {
		t.changed, t.rows = true, t.rows+1
	}
	return id, err
}

// change runs a statement and returns how many rows it changed.
func (t *tx) change(query string, args ...any) (n int64, err error) {
	err = t.do(query, func(stmt *sql.Stmt) error {
		result, err := stmt.ExecContext(t.ctx, args...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	t.changed, t.rows = t.changed || n > 0, t.rows+n
	return n, err
}

// do runs a statement unless one before it failed.
func (t *tx) do(query string, run func(*sql.Stmt) error) error {
	if t.failed != nil {
		return t.failed
	}
	stmt, err := t.stmts.get(t.ctx, query)
	if err == nil {
		if stmt.writes {
			t.wrote = true
		}
		if stmt.access {
			clear(t.admitted)
		}
		if t.within != nil {
			err = run(t.within.StmtContext(t.ctx, stmt.Stmt))
		} else {
			err = run(stmt.Stmt)
		}
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.failed = err
		if isDamage(err) {
			met := err // err itself would cost every statement an allocation
			t.stmts.damage.Store(&met)
		}
	}
	return err
}

// row is satisfied by *sql.Row and *sql.Rows.
type row interface{ Scan(dest ...any) error }

// one scans the first row of a query into dest; sql.ErrNoRows without one.
func (t *tx) one(query string, args []any, dest ...any) error {
	return t.do(query, func(stmt *sql.Stmt) error { return stmt.QueryRowContext(t.ctx, args...).Scan(dest...) })
}

// each calls scan for every row of a query.
func (t *tx) each(query string, args []any, scan func(row) error) error {
	return t.do(query, func(stmt *sql.Stmt) (err error) {
		rows, err := stmt.QueryContext(t.ctx, args...)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// readers run single queries, each on the state of the last commit.
type readers struct {
	pool  *sql.DB
	stmts statements
	// snapshots has room for those that are read at once. Each holds a connection, and
	// takes another one to prepare a statement that is new: were all connections held by
	// them, none would ever end.
	snapshots chan struct{}
}

func newReaders(pool *sql.DB) *readers {
	r := &readers{pool: pool, snapshots: make(chan struct{}, readConnections-1)}
	r.stmts.prepare = pool.PrepareContext
	return r
}

func (r *readers) close() error { return errors.Join(r.stmts.close(), r.pool.Close()) }

// read gives access to the readers for a request that is still wanted.
func (db *DB) read(ctx context.Context) (*tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, busy(err)
	}
	if outer := db.outerOf(ctx); outer != nil {
		return outer.inner(ctx), nil
	}
	return &tx{ctx: context.WithoutCancel(ctx), stmts: &db.readers.stmts}, nil
}

// statements keeps what has been prepared, by text. There are as many as
// there are queries in this package, so nothing is ever dropped.
type statements struct {
	prepare func(ctx context.Context, query string) (*sql.Stmt, error)
	byText  sync.Map // query text to *prepared
	// damage is what the last statement said that met any.
	damage atomic.Pointer[error]
}

// prepared is a statement, with what it does as far as its text tells.
type prepared struct {
	*sql.Stmt
	writes bool // it may change something
	access bool // it may change who may act
}

func (s *statements) get(ctx context.Context, query string) (*prepared, error) {
	if stmt, ok := s.byText.Load(query); ok {
		return stmt.(*prepared), nil
	}
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	writes := !strings.HasPrefix(query, "SELECT")
	made := &prepared{stmt, writes, writes && changesAccess(query)}
	if first, raced := s.byText.LoadOrStore(query, made); raced {
		return first.(*prepared), stmt.Close()
	}
	return made, nil
}

func (s *statements) close() error {
	var errs []error
	s.byText.Range(func(_, stmt any) bool {
		errs = append(errs, stmt.(*prepared).Close())
		return true
	})
	return errors.Join(errs...)
}
