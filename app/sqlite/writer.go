package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
)

// Group commit. SQLite has one writer at a time, and with synchronous=FULL a
// commit waits for the disk. So whoever has the turn takes everybody who waits
// along: all their changes run in one transaction, each in a savepoint of its
// own, and one commit answers them all.
//
//   - Order: changes run in the order in which they asked. Nobody is answered
//     before the commit that holds their change is on the disk.
//   - Alone: who finds nobody waiting commits at once; nothing waits for a
//     batch to fill. Batches grow by themselves while a commit is under way.
//   - Failure of one: a change that fails, or panics, is rolled back to its
//     savepoint, and only its caller gets the error, or the panic.
//   - Failure of all: if a statement made SQLite end the whole transaction (a
//     full disk, an I/O error), the savepoint is gone with it. Then each change
//     is run again in a transaction of its own, so that only those fail that
//     must. A commit that fails is the failure of everybody in it.
//   - Waiting ends with the context, as app.ErrBusy, until the change has been
//     taken; from then on it is carried through.
//   - At most maxWaiting wait, and maxOfOne of one user, or of one network that
//     is not signed in; the next one gets app.ErrBusy at once. Who has nothing
//     waiting has as many places again: see app.Line.
const (
	maxWaiting = 4096
	maxOfOne   = 512
	maxBatch   = 256
)

// writer owns the one write connection. It holds the connection itself rather
// than a pool of one, so that statements stay prepared on it and BEGIN and
// COMMIT are ours to place.
type writer struct {
	pool    *sql.DB
	conn    *sql.Conn
	turn    chan struct{} // holds one token: whose turn it is
	waiting app.Line[app.Claimant, *change]
	stmts   statements
	// onMail is told of each mail after its commit. May be nil.
	onMail func(outbox.NewMail)
	// onBatch is told how many changes a batch had. May be nil.
	onBatch func(changes int)
	// written is when a change last reached the disk, in Unix milliseconds; 0
	// after one that failed and was not the caller's fault.
	written atomic.Int64
	now     func() time.Time
	// inPlace fails when what is written would be lost. Nil while the database
	// is being opened.
	inPlace func() error
}

// change is what one caller wants to do.
type change struct {
	ctx   context.Context
	do    func(tx *tx) error
	state atomic.Int32 // stateWaiting, stateTaken or stateLeft
	done  chan outcome
	// What came of it, while its batch is under way.
	outcome outcome
	mails   []outbox.NewMail
	changed bool
}

// outcome is an error, or the value that do has panicked with.
type outcome struct {
	err      error
	panicked any
}

const (
	stateWaiting = iota
	stateTaken   // by a batch
	stateLeft    // by its caller
)

func newWriter(pool *sql.DB, conn *sql.Conn, now func() time.Time) *writer {
	w := &writer{pool: pool, conn: conn, now: now, turn: make(chan struct{}, 1)}
	w.waiting.Each, w.waiting.Max = maxOfOne, maxWaiting
	w.stmts.prepare = conn.PrepareContext
	w.turn <- struct{}{}
	return w
}

func (w *writer) close() error {
	return errors.Join(w.stmts.close(), w.conn.Close(), w.pool.Close())
}

// write runs a transaction that may change who may do what: what is remembered
// of that is forgotten before the change is answered. It is committed if do
// returns nil, else undone, also when do panics. Do may be run more than once.
func (db *DB) write(ctx context.Context, do func(tx *tx) error) error {
	defer db.callers.forget()
	return db.writeAside(ctx, do)
}

// writeAside is write for what changes nobody's sessions, API tokens or role.
func (db *DB) writeAside(ctx context.Context, do func(tx *tx) error) error {
	return db.writer.run(ctx, do)
}

func (w *writer) run(ctx context.Context, do func(tx *tx) error) error {
	if err := ctx.Err(); err != nil {
		return busy(err)
	}
	c := &change{ctx: ctx, do: do, done: make(chan outcome, 1)}
	if !w.waiting.Join(claimant(ctx), c) {
		return busy(errors.New("too many changes are waiting"))
	}
	for {
		select {
		case o := <-c.done:
			if o.panicked != nil {
				panic(o.panicked)
			}
			return o.err
		case <-w.turn:
			w.batch()
			w.turn <- struct{}{}
		case <-ctx.Done():
			if c.state.CompareAndSwap(stateWaiting, stateLeft) {
				return busy(ctx.Err())
			}
			ctx = context.WithoutCancel(ctx) // it is being carried through
		}
	}
}

// claimant is whose places in the queue a change takes: the user's, wherever
// they are.
func claimant(ctx context.Context) app.Claimant {
	c := app.ClaimantOf(ctx)
	if c.UserID != 0 {
		return app.Claimant{UserID: c.UserID}
	}
	return c
}

// batch takes those who wait and answers them.
func (w *writer) batch() {
	taken := slices.DeleteFunc(w.waiting.Take(nil, maxBatch), func(c *change) bool {
		return !c.state.CompareAndSwap(stateWaiting, stateTaken)
	})
	if len(taken) == 0 {
		return
	}
	if len(taken) == 1 || !w.together(taken) {
		for _, c := range taken {
			w.alone(c)
		}
	}
	if w.onBatch != nil {
		w.onBatch(len(taken))
	}
	for _, c := range taken {
		w.note(c)
		if c.outcome == (outcome{}) && w.onMail != nil {
			for _, mail := range c.mails {
				w.onMail(mail)
			}
		}
		c.done <- c.outcome
	}
}

// note remembers whether writing works, as a change has shown.
func (w *writer) note(c *change) {
	var refused *app.Error
	switch err := c.outcome.err; {
	case c.outcome == (outcome{}) && c.changed:
		w.written.Store(millis(w.now()))
	case err != nil && (!errors.As(err, &refused) || refused.Kind == app.KindUnavailable):
		w.written.Store(0)
	}
}

// alone runs one change in a transaction of its own.
func (w *writer) alone(c *change) {
	if err := w.begin(); err != nil {
		c.outcome = outcome{err: err}
		return
	}
	w.try(c)
	if c.outcome != (outcome{}) {
		// Best effort: a failed statement may have ended it already.
		_ = w.exec("ROLLBACK")
		return
	}
	if err := w.commit(); err != nil {
		c.outcome = outcome{err: err}
	}
}

// together runs several changes in one transaction. False, with nothing done,
// if SQLite has ended the transaction in between.
func (w *writer) together(taken []*change) bool {
	if err := w.begin(); err != nil {
		fail(taken, err)
		return true
	}
	for _, c := range taken {
		if err := w.exec("SAVEPOINT one"); err != nil {
			_ = w.exec("ROLLBACK")
			return false
		}
		w.try(c)
		if c.outcome != (outcome{}) {
			if err := w.exec("ROLLBACK TO one"); err != nil {
				_ = w.exec("ROLLBACK")
				return false
			}
		}
		if err := w.exec("RELEASE one"); err != nil {
			_ = w.exec("ROLLBACK")
			return false
		}
	}
	if err := w.commit(); err != nil {
		fail(taken, err)
	}
	return true
}

// fail is the outcome of those who have had none so far.
func fail(taken []*change, err error) {
	for _, c := range taken {
		if c.outcome == (outcome{}) {
			c.outcome = outcome{err: err}
		}
	}
}

func (w *writer) begin() error {
	if w.inPlace != nil {
		if err := w.inPlace(); err != nil {
			return err
		}
	}
	return translate(w.exec("BEGIN IMMEDIATE"))
}

func (w *writer) commit() error {
	err := w.exec("COMMIT")
	if err == nil {
		return nil
	}
	// A commit that fails may leave the transaction open.
	_ = w.exec("ROLLBACK")
	return translate(fmt.Errorf("commit: %w", err))
}

// try runs a change and notes what came of it.
func (w *writer) try(c *change) {
	t := &tx{ctx: context.WithoutCancel(c.ctx), stmts: &w.stmts}
	c.outcome = outcome{}
	defer func() {
		c.mails, c.changed = t.queued, t.changed
		if reason := recover(); reason != nil {
			// The stack would end here: another goroutine goes on with it.
			c.outcome = outcome{panicked: fmt.Sprintf("%v\n%s", reason, debug.Stack())}
		}
	}()
	c.outcome.err = translate(c.do(t))
}

func (w *writer) exec(query string) error {
	t := &tx{ctx: context.Background(), stmts: &w.stmts}
	return t.exec(query)
}
