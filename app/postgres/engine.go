package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"taskapi/app/store"
)

// engine is what the store runs on: a connection that writes, others that read, and one that hears
// of the commits of other processes.
type engine struct {
	config *pgconn.Config
	// process tells the commits of this process from those of others.
	process string
	// identity is that of the database when it was opened.
	identity string
	// replaced is closed when another database was met.
	replaced chan struct{}
	replace  sync.Once
	writer   *conn  // nil until the first write, and after it was lost
	wrote    bool   // something, in the transaction that is open
	kept     []step // statements of it that have not gone to the server
	// last are the highest ids of the tables whose ids are given with the turn.
	last    map[string]*highestID
	readers *puddle.Pool[*conn]
}

// highestID is that of a table in the open transaction, and before it.
type highestID struct{ now, before int64 }

var _ store.Engine = (*engine)(nil)

const (
	// connectTimeout is how long the connection that writes may take to come about.
	connectTimeout = 5 * time.Second
	// acquireTimeout is how long a query waits for a connection.
	acquireTimeout = 5 * time.Second
)

// connect opens a connection, with settings that hold on it alone.
func (e *engine) connect(ctx context.Context, settings string) (*conn, error) {
	return e.connectWith(ctx, e.config, settings)
}

func (e *engine) connectWith(ctx context.Context, config *pgconn.Config, settings string) (*conn, error) {
	pg, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	c := &conn{pg: pg, prepared: map[string]*prepared{}}
	if err := c.simple(settings); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

const (
	// A statement ends before whoever waits for it gives up. All statements are searches by an index
	// that run many times: each is planned once, for any values, and not by what was in the tables on
	// that day, when they may have been empty. They are written for an engine that joins by nested
	// loops over indexes; other joins go through whole tables.
	everywhere = `SET application_name = 'taskapi'; SET statement_timeout = '30s'; SET client_encoding = 'UTF8'; SET bytea_output = 'hex'; SET row_security = off;
		SET jit = off; SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = 'force_generic_plan'; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off;
		SET random_page_cost = 1.1; `
	// A process that hangs in the middle of a turn loses it.
	forWriter = everywhere + `SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '5s'`
)

func (e *engine) openReaders(connections int) (err error) {
	e.readers, err = puddle.NewPool(&puddle.Config[*conn]{
		Constructor: func(ctx context.Context) (*conn, error) { return e.connect(ctx, everywhere) },
		Destructor:  func(c *conn) { c.close() },
		MaxSize:     int32(connections),
	})
	return err
}

func (e *engine) close() {
	if e.readers != nil {
		e.readers.Close()
	}
	if e.writer != nil {
		e.writer.close()
	}
}

// takeTurn begins a transaction that no other one writes beside. Its statements see all commits
// before it, since each has a snapshot of its own (READ COMMITTED) and the row is waited for first.
// Ids of tasks and lists are given by who has the turn. Nothing is written into tables that have come
// in the place of those that were opened, from a dump.
const takeTurn = `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT id FROM turn FOR UPDATE;
	SELECT CASE WHEN t.is_called THEN t.last_value ELSE 0 END, CASE WHEN l.is_called THEN l.last_value ELSE 0 END,
		CAST(CAST('changes' AS regclass) AS oid) FROM tasks_id_seq AS t, lists_id_seq AS l`

const (
	keepLast = `SELECT reserve(?, ?)`
	notify   = `SELECT pg_notify('taskapi', ?)`
)

// Begin implements store.Engine.
func (e *engine) Begin() error {
	kept := e.writer != nil
	err := e.begin()
	if kept && errors.Is(err, errClosed) {
		err = e.begin() // the server was started again since the last write
	}
	return err
}

func (e *engine) begin() error {
	if e.writer == nil {
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		c, err := e.connect(ctx, forWriter)
		if err != nil {
			return translate(err)
		}
		if err := e.checkIdentity(ctx, c); err != nil {
			c.close()
			return err
		}
		e.writer = c
	}
	e.wrote, e.kept = false, e.kept[:0]
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	results, err := e.writer.pg.Exec(ctx, takeTurn).ReadAll()
	if err = e.writer.met(err); err == nil {
		row := results[len(results)-1].Rows[0]
		tasks, tasksErr := strconv.ParseInt(string(row[0]), 10, 64)
		lists, listsErr := strconv.ParseInt(string(row[1]), 10, 64)
		e.last = map[string]*highestID{"tasks": {tasks, tasks}, "lists": {lists, lists}}
		err = errors.Join(tasksErr, listsErr, e.sameTables(string(row[2])))
	}
	if err != nil {
		e.Rollback()
	}
	return err
}

// sameTables returns ErrReplaced if a table has another number than when the database was opened.
func (e *engine) sameTables(number string) error {
	if parts := strings.Split(e.identity, "."); len(parts) == 4 && parts[2] != number {
		e.replace.Do(func() { close(e.replaced) })
		return busy(ErrReplaced)
	}
	return nil
}

// Commit implements store.Engine.
func (e *engine) Commit(news string) error {
	if e.writer == nil {
		return busy(errClosed)
	}
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	err := e.commit(ctx, news)
	if err != nil {
		e.Rollback()
	}
	return err
}

// commit sends what was kept, the last id, the news and the commit in one trip. None of it happens
// if one fails.
func (e *engine) commit(ctx context.Context, news string) error {
	w := writing{e}
	for table, last := range e.last {
		if last.now > last.before {
			if _, err := w.Queue(ctx, keepLast, []any{last.now, table}); err != nil {
				return err
			}
		}
	}
	if e.wrote {
		if _, err := w.Queue(ctx, notify, []any{e.process + " " + clip(news)}); err != nil {
			return err
		}
	}
	_, err := w.now(ctx, "COMMIT", nil, rewrite, nil)
	if status := e.writer.pg.TxStatus(); err == nil && status != 'I' {
		err = fmt.Errorf("the transaction is in state %q after its commit", status)
	}
	return err
}

// clip keeps news within what a message may have (8000 bytes). None say that everything may have
// changed.
func clip(news string) string {
	if len(news) > 7000 || strings.ContainsAny(news, `'\`) {
		return ""
	}
	return news
}

// Rollback implements store.Engine.
func (e *engine) Rollback() {
	e.kept = e.kept[:0]
	if e.writer == nil {
		return
	}
	if e.writer.pg.IsClosed() || e.writer.simple("ROLLBACK") != nil {
		e.writer.close()
		e.writer = nil
	}
}

// Writer implements store.Engine.
func (e *engine) Writer() store.Runner { return writing{e} }

// Reader implements store.Engine.
func (e *engine) Reader() store.Runner { return reading{e} }

// Shared implements store.Engine.
func (e *engine) Shared() bool { return true }

// Watch implements store.Engine. It asks, since a message of a commit can be lost with its
// connection.
func (e *engine) Watch() (access int64, err error) {
	err = e.Reader().One(context.Background(), `SELECT access FROM turn`, nil, []any{&access})
	return access, err
}

// Snapshot implements store.Engine. Returns app.ErrBusy if no connection is free in time.
func (e *engine) Snapshot(ctx context.Context) (store.Runner, func(), error) {
	var held *puddle.Resource[*conn]
	err := e.withReader(ctx, func(c *puddle.Resource[*conn]) error {
		held = c
		return c.Value().simple("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	}, false)
	if err != nil {
		return nil, nil, err
	}
	end := func() {
		if held.Value().simple("ROLLBACK") != nil {
			held.Destroy()
			return
		}
		held.Release()
	}
	return on{held.Value()}, end, nil
}

// withReader runs a query on a free connection, and again if the connection turns out to have been
// lost before. It gives the connection back unless do has succeeded and keeps it.
func (e *engine) withReader(ctx context.Context, do func(*puddle.Resource[*conn]) error, giveBack bool) error {
	ctx, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	for tries := int32(0); ; tries++ {
		c, err := e.readers.Acquire(ctx)
		if err != nil {
			return translate(err)
		}
		err = do(c)
		switch {
		case c.Value().pg.IsClosed():
			c.Destroy()
			if tries < e.readers.Stat().MaxResources() {
				continue
			}
		case err != nil || giveBack:
			c.Release()
		}
		return err
	}
}
