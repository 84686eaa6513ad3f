package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"taskapi/app/store"
)

// engine is what the store runs on: one write connection, held instead of a pool of one, so that
// statements stay prepared, and readers with connections of their own that refuse to write. Readers
// see the state of the last commit and wait for nobody (write-ahead log).
type engine struct {
	conn      *sql.Conn // the only one that writes
	writePool *sql.DB
	writer    session
	readPool  *sql.DB
	reader    session
	// snapshots has room for those that are read at once. Each holds a connection, and
	// takes another one to prepare a statement that is new: were all connections held by
	// them, none would ever end.
	snapshots chan struct{}
	watchPool *sql.DB
	watch     *sql.Stmt // reads data_version, always on the same connection
	// mayWrite returns an error if a write would be lost. Nil while the database is
	// being opened.
	mayWrite func() error
}

var _ store.Engine = (*engine)(nil)

// openWriter begins with the connection that writes.
func openWriter(ctx context.Context, pool *sql.DB) (*engine, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	e := &engine{conn: conn, writePool: pool, snapshots: make(chan struct{}, readConnections-1)}
	e.writer = session{stmts: &statements{prepare: conn.PrepareContext}, query: conn.QueryContext}
	return e, nil
}

// openReaders adds the connections that read.
func (e *engine) openReaders(ctx context.Context, dsn string) (err error) {
	if e.readPool, err = openPool(dsn, readConnections); err != nil {
		return err
	}
	e.reader = session{stmts: &statements{prepare: e.readPool.PrepareContext}, query: e.readPool.QueryContext}
	if err := e.readPool.PingContext(ctx); err != nil {
		return err
	}
	if e.watchPool, err = openPool(dsn, 1); err != nil {
		return err
	}
	// The pool has one connection, which the version belongs to.
	e.watchPool.SetConnMaxIdleTime(0)
	e.watchPool.SetConnMaxLifetime(0)
	e.watch, err = e.watchPool.PrepareContext(ctx, "PRAGMA data_version")
	return err
}

func (e *engine) close() error {
	var errs []error
	if e.watch != nil {
		errs = append(errs, e.watch.Close())
	}
	if e.watchPool != nil {
		errs = append(errs, e.watchPool.Close())
	}
	if e.readPool != nil {
		errs = append(errs, e.reader.stmts.close(), e.readPool.Close())
	}
	return errors.Join(append(errs, e.writer.stmts.close(), e.conn.Close(), e.writePool.Close())...)
}

// Begin implements store.Engine.
func (e *engine) Begin() error {
	if e.mayWrite != nil {
		if err := e.mayWrite(); err != nil {
			return err
		}
	}
	return e.exec("BEGIN IMMEDIATE")
}

// Commit implements store.Engine. Nobody listens.
func (e *engine) Commit(string) error {
	err := e.exec("COMMIT")
	if err != nil {
		e.Rollback() // a commit that fails may leave the transaction open
	}
	return err
}

// Rollback implements store.Engine.
func (e *engine) Rollback() { _ = e.exec("ROLLBACK") } // an error says that there is none

func (e *engine) exec(query string) error {
	_, err := e.writer.Exec(context.Background(), query, nil)
	return err
}

// Writer implements store.Engine.
func (e *engine) Writer() store.Runner { return &e.writer }

// Reader implements store.Engine.
func (e *engine) Reader() store.Runner { return &e.reader }

// Snapshot implements store.Engine. Returns app.ErrBusy if there is no room for one in time.
func (e *engine) Snapshot(ctx context.Context) (store.Runner, func(), error) {
	select {
	case e.snapshots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, busy(ctx.Err())
	}
	begun, err := e.readPool.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		<-e.snapshots
		return nil, nil, translate(err)
	}
	end := func() {
		_ = begun.Rollback() // nothing was changed; the rows are what counts
		<-e.snapshots
	}
	return &session{stmts: e.reader.stmts, query: begun.QueryContext, within: begun}, end, nil
}

// damage returns what the last statement said that met any; nil for none.
func (e *engine) damage() error {
	for _, stmts := range []*statements{e.writer.stmts, e.reader.stmts} {
		if met := stmts.damage.Load(); met != nil {
			return *met
		}
	}
	return nil
}

// Watch implements store.Engine.
func (e *engine) Watch() (version int64, err error) {
	err = e.watch.QueryRow().Scan(&version)
	return version, translate(err)
}

// Listen implements store.Engine. What a command writes is found by whoever polls.
func (e *engine) Listen(ctx context.Context, _ func(string), _ func()) { <-ctx.Done() }

// Lead implements store.Engine: the folder has one server.
func (e *engine) Lead(ctx context.Context, lead func(context.Context)) { lead(ctx) }

// Shared implements store.Engine: commands write beside the server, which Watch tells of.
func (e *engine) Shared() bool { return false }
