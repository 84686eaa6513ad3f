package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"taskapi/app/store"
)

// session runs statements on the write connection, on the readers, or within a snapshot.
type session struct {
	stmts *statements
	query func(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// within is the snapshot that is read; nil for the state of the last commit.
	within *sql.Tx
}

// do runs a prepared statement.
func (s *session) do(ctx context.Context, query string, run func(*sql.Stmt) error) error {
	stmt, err := s.stmts.get(ctx, query)
	if err == nil {
		if s.within != nil {
			stmt = s.within.StmtContext(ctx, stmt)
		}
		err = run(stmt)
	}
	return s.stmts.met(err)
}

// Exec implements store.Runner.
func (s *session) Exec(ctx context.Context, query string, args []any) (n int64, err error) {
	err = s.do(ctx, query, func(stmt *sql.Stmt) error {
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

// Queue implements store.Runner.
func (s *session) Queue(ctx context.Context, query string, args []any) (int64, error) {
	return s.Exec(ctx, query, args)
}

// Insert implements store.Runner. RETURNING would have SQLite make a table for the
// answer, which costs a sixth of adding a task.
func (s *session) Insert(ctx context.Context, query string, args []any) (id int64, err error) {
	err = s.do(ctx, query, func(stmt *sql.Stmt) error {
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		id, err = result.LastInsertId()
		return err
	})
	return id, err
}

// One implements store.Runner.
func (s *session) One(ctx context.Context, query string, args, dest []any) error {
	return s.do(ctx, query, func(stmt *sql.Stmt) error { return stmt.QueryRowContext(ctx, args...).Scan(dest...) })
}

// Each implements store.Runner.
func (s *session) Each(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	return s.do(ctx, query, func(stmt *sql.Stmt) error {
		rows, err := stmt.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		return eachOf(rows, scan)
	})
}

// Dynamic implements store.Runner.
func (s *session) Dynamic(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	rows, err := s.query(ctx, query, args...)
	if err == nil {
		err = eachOf(rows, scan)
	}
	return s.stmts.met(err)
}

func eachOf(rows *sql.Rows, scan func(store.Row) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// statements keeps what has been prepared, by text. There are as many as
// there are queries in the store, so nothing is ever dropped.
type statements struct {
	prepare func(ctx context.Context, query string) (*sql.Stmt, error)
	byText  sync.Map // query text to *sql.Stmt
	// damage is what the last statement said that met any.
	damage atomic.Pointer[error]
}

func (s *statements) get(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := s.byText.Load(query); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if first, raced := s.byText.LoadOrStore(query, stmt); raced {
		return first.(*sql.Stmt), stmt.Close()
	}
	return stmt, nil
}

// met translates the error of a statement, and notes damage.
func (s *statements) met(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if isDamage(err) {
		met := err // err itself would cost every statement an allocation
		s.damage.Store(&met)
	}
	return translate(err)
}

func (s *statements) close() error {
	var errs []error
	s.byText.Range(func(_, stmt any) bool {
		errs = append(errs, stmt.(*sql.Stmt).Close())
		return true
	})
	return errors.Join(errs...)
}
