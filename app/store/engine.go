package store

import (
	"context"
	"errors"
)

// Engine is a SQL database in which one process at a time may write. The queries of this package
// are in the dialect of SQLite, with its parameters (? and ?1); an engine of another dialect
// rewrites them. Errors of its methods and of its runners are of the kinds of package app as far
// as requests can meet them; ErrUnique and ErrAgain are within those they apply to.
type Engine interface {
	// Begin waits for the turn to write and opens the transaction of Writer, which sees every
	// commit before it and holds the turn to its end. Returns app.ErrBusy if the turn takes too long.
	Begin() error
	// Commit returns when the transaction survives what the engine promises. If it fails, the
	// transaction has ended, and may have been committed only if the connection was lost. News is
	// what other processes are told that listen, unless nothing was written.
	Commit(news string) error
	// Rollback ends the transaction if the engine has not ended it already.
	Rollback()
	// Writer runs statements in the open transaction. It has one user at a time.
	Writer() Runner
	// Reader runs single queries, each on the state of the last commit.
	Reader() Runner
	// Snapshot returns what reads the state of one moment until it is closed.
	Snapshot(ctx context.Context) (r Runner, end func(), err error)
	// Watch returns a number that has changed if another process may have changed who may act.
	Watch() (int64, error)
	// Listen calls heard with the news of each commit of another process, and with "" when some may
	// have been missed, until the context ends. It calls idle at least every second.
	Listen(ctx context.Context, heard func(news string), idle func())
	// Lead runs work that only one process of those that share the database may do, as soon as no
	// other one does it. The context of lead ends when another process may begin.
	Lead(ctx context.Context, lead func(context.Context))
	// Shared reports whether other processes write as a matter of course: then what was read can
	// be out of date at any time.
	Shared() bool
}

// Runner runs statements. Those whose text is in the program are prepared once.
type Runner interface {
	// Exec returns how many rows a statement changed.
	Exec(ctx context.Context, query string, args []any) (rows int64, err error)
	// Queue is Exec for a statement that fails only by somebody's fault. It may run with the next one or
	// with the commit, and its error may come from there. Rows are 1 where it is not known.
	Queue(ctx context.Context, query string, args []any) (rows int64, err error)
	// Insert adds one row to a table with a generated id, which it returns. Like Queue, it may
	// run with the next statement.
	Insert(ctx context.Context, query string, args []any) (id int64, err error)
	// One scans the first row of a query. Returns sql.ErrNoRows without one.
	One(ctx context.Context, query string, args, dest []any) error
	// Each calls scan for every row of a query, and returns its first error.
	Each(ctx context.Context, query string, args []any, scan func(Row) error) error
	// Dynamic is Each for a query of which there are too many to keep each prepared.
	Dynamic(ctx context.Context, query string, args []any, scan func(Row) error) error
}

// Row is one row of an answer.
type Row interface{ Scan(dest ...any) error }

var (
	// ErrUnique is within the error of a statement that a UNIQUE constraint refused.
	ErrUnique = errors.New("there is such a row already")
	// ErrAgain is within the error of a transaction that may succeed if it is run again.
	ErrAgain = errors.New("the transaction met another one")
)
