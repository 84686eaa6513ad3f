package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

// Group commit. There is one writer at a time, and each commit waits for the disk. So the goroutine that holds the turn runs the changes
// of all that wait in one transaction, each in its own savepoint, and one commit
// answers them all.
//
//   - Order: the changes of one user, or of one network that is not signed in, run in
//     the order of their calls. Users and networks take turns, one change each, so an
//     import does not hold up a tick. A call returns only after the commit with its
//     change is on the disk.
//   - No delay: a change that finds nobody waiting commits at once; no change waits
//     for a batch to fill. Batches grow by themselves while a commit is under way.
//   - One failure: a change that fails or panics before it writes leaves nothing behind.
//     If one does after it has written, all run again, each in its own savepoint, to which
//     that one is rolled back. Only its caller gets the error or the panic.
//   - Common failure: if the engine ends the whole transaction (disk full, I/O error),
//     the savepoints are gone. Each change then runs again in its own transaction,
//     so that only the changes that must fail do. If the commit fails, every change
//     in it fails.
//   - Cancellation: until a batch takes a change, the end of its context removes it
//     from the queue with app.ErrBusy; afterwards it is carried through.
//   - Bounds: at most maxWaiting changes wait, maxOfOne of them of one user or of
//     one network that is not signed in; a further change gets app.ErrBusy at once.
//     app.Line keeps as many places again for those who have nothing waiting.
const (
	maxWaiting = 4096
	maxOfOne   = 512
	maxBatch   = 256
)

// writer owns the writing of this process, and places BEGIN and COMMIT.
type writer struct {
	engine  Engine
	random  io.Reader
	turn    chan struct{} // holds a token while nobody writes
	waiting app.Line[app.Claimant, *change]
	// known is of the transaction that is open.
	known *known
	// onMail is called for each mail after its commit. May be nil.
	onMail func(outbox.NewMail)
	// onChange receives the lines of the log that a commit has added. May be nil.
	onChange func([]todo.Touched)
	// onReminder is called after a commit that may have changed when a reminder is due. May
	// be nil.
	onReminder func()
	// onWebhook is called after a commit that changed webhooks of a user. May be nil.
	onWebhook func(userID int64)
	// onCommit is called after each batch. May be nil.
	onCommit func()
	// onBatch receives the number of changes in a batch. May be nil.
	onBatch func(changes int)
	// own are the lines of the log that this process wrote; see follow.go.
	own lines
	// written is when a change last reached the disk, in Unix milliseconds; 0
	// after one that failed and was not the caller's fault.
	written atomic.Int64
	// commits counts the beginnings and the ends of commits: it is odd during one.
	commits atomic.Uint64
	now     func() time.Time
}

// change is the work of one caller in a batch.
type change struct {
	ctx   context.Context
	do    func(tx *tx) error
	state atomic.Int32 // stateWaiting, stateTaken or stateLeft
	done  chan outcome
	// Set by the batch that runs it.
	outcome outcome
	mails   []outbox.NewMail
	touched []todo.Touched
	changed bool
	group   int64
	// first, reminded, access are those of the tx.
	first    int64
	reminded bool
	access   bool
	// spoilt says that it may have left something in the transaction, or ended it.
	spoilt bool
	// hooked is that of the tx.
	hooked int64
}

// outcome is the error of a change, or the value that it panicked with.
type outcome struct {
	err      error
	panicked any
}

const (
	stateWaiting = iota
	stateTaken   // by a batch
	stateLeft    // by its caller
)

func newWriter(engine Engine, now func() time.Time, random io.Reader) *writer {
	w := &writer{engine: engine, now: now, random: random, turn: make(chan struct{}, 1), known: newKnown()}
	w.waiting.Each, w.waiting.Max = maxOfOne, maxWaiting
	w.turn <- struct{}{}
	return w
}

// writeAccess is write for a change of users, roles, sessions or API tokens: it
// empties the cache of callers before it returns.
func (db *DB) writeAccess(ctx context.Context, do func(tx *tx) error) error {
	defer db.callers.forget()
	return db.write(ctx, do)
}

// write runs do in a transaction, commits it if do returns nil, and rolls it back
// if do fails or panics. It may run do more than once. Returns app.ErrBusy if the
// context ends before do runs, or if too many changes wait.
func (db *DB) write(ctx context.Context, do func(tx *tx) error) error {
	if outer := db.outerOf(ctx); outer != nil {
		return outer.nest(ctx, do)
	}
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
			if o.err == nil && c.group != 0 {
				app.ChangeMade(ctx, c.group)
			}
			return o.err
		case <-w.turn:
			w.batch()
			w.turn <- struct{}{}
		case <-ctx.Done():
			if c.state.CompareAndSwap(stateWaiting, stateLeft) {
				return busy(ctx.Err())
			}
			ctx = context.WithoutCancel(ctx) // a batch has taken it
		}
	}
}

// claimant returns whose places in the queue a change takes: those of the user,
// whatever network the request came from.
func claimant(ctx context.Context) app.Claimant {
	c := app.ClaimantOf(ctx)
	if c.UserID != 0 {
		return app.Claimant{UserID: c.UserID}
	}
	return c
}

// batch runs the changes that wait, and answers their callers.
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
	if w.onCommit != nil {
		w.onCommit()
	}
	w.tell(taken)
	for _, c := range taken {
		w.note(c)
		if c.reminded && c.outcome == (outcome{}) && w.onReminder != nil {
			w.onReminder()
		}
		if c.hooked != 0 && c.outcome == (outcome{}) && w.onWebhook != nil {
			w.onWebhook(c.hooked)
		}
		if c.outcome == (outcome{}) && w.onMail != nil {
			for _, mail := range c.mails {
				w.onMail(mail)
			}
		}
		c.done <- c.outcome
	}
}

// tell tells of the lines in the log of those changes that were committed.
func (w *writer) tell(taken []*change) {
	if w.onChange == nil {
		return
	}
	w.own.add(taken)
	touched := taken[0].touched
	if taken[0].outcome != (outcome{}) {
		touched = nil
	}
	for _, c := range taken[1:] {
		if c.outcome == (outcome{}) {
			touched = append(touched, c.touched...)
		}
	}
	w.onChange(touched)
}

// note records whether writing works, for CheckWrite.
func (w *writer) note(c *change) {
	var refused *app.Error
	switch err := c.outcome.err; {
	case c.outcome == (outcome{}) && c.changed:
		w.written.Store(millis(w.now()))
	case err != nil && (!errors.As(err, &refused) || refused.Kind == app.KindUnavailable):
		w.written.Store(0)
	}
}

// maxAgain is how often a transaction is tried that met another one, and againWait the longest
// wait before the second time; it doubles.
const (
	maxAgain  = 6
	againWait = 4 * time.Millisecond
)

// alone runs one change in its own transaction, and again if that met another one.
func (w *writer) alone(c *change) {
	for again := range maxAgain {
		w.once(c)
		if !errors.Is(c.outcome.err, ErrAgain) {
			return
		}
		time.Sleep(rand.N(againWait << again)) //nolint:gosec // chance keeps processes apart, no secret
	}
}

func (w *writer) once(c *change) {
	c.outcome = outcome{}
	if err := w.begin(); err != nil {
		c.outcome = outcome{err: err}
		return
	}
	w.try(c)
	if c.outcome != (outcome{}) {
		// The failed statement may have ended the transaction already.
		w.engine.Rollback()
		return
	}
	if err := w.commit(c); err != nil {
		c.outcome = outcome{err: err}
	}
}

// together runs several changes in one transaction. It returns false, with nothing
// done, if the engine ended the transaction in between.
func (w *writer) together(taken []*change) bool {
	if err := w.begin(); err != nil {
		fail(taken, err)
		return !errors.Is(err, ErrAgain)
	}
	for _, c := range taken {
		w.try(c)
		if errors.Is(c.outcome.err, ErrAgain) {
			w.engine.Rollback()
			return false
		}
		if c.outcome != (outcome{}) && c.spoilt {
			w.engine.Rollback()
			return w.apart(taken)
		}
	}
	if err := w.commit(taken...); err != nil {
		fail(taken, err)
		return !errors.Is(err, ErrAgain)
	}
	return true
}

// apart is together with a savepoint for each change.
func (w *writer) apart(taken []*change) bool {
	if err := w.begin(); err != nil {
		fail(taken, err)
		return true
	}
	for _, c := range taken {
		if err := w.exec("SAVEPOINT one"); err != nil {
			w.engine.Rollback()
			return false
		}
		w.try(c)
		if c.outcome == (outcome{}) {
			err := w.exec("RELEASE one")
			if err == nil {
				continue
			}
			c.outcome = outcome{err: err} // of a statement that ran late: see Runner.Queue
		}
		w.known.forget()
		if w.exec("ROLLBACK TO one") != nil || w.exec("RELEASE one") != nil {
			w.engine.Rollback()
			return false
		}
	}
	if err := w.commit(taken...); err != nil {
		fail(taken, err)
		return !errors.Is(err, ErrAgain)
	}
	return true
}

// fail gives an error to each change that has no outcome yet.
func fail(taken []*change, err error) {
	for _, c := range taken {
		if c.outcome == (outcome{}) {
			c.outcome = outcome{err: err}
		}
	}
}

func (w *writer) begin() error {
	w.known.forget() // other processes may have changed who may act
	return w.engine.Begin()
}

func (w *writer) commit(taken ...*change) error {
	w.commits.Add(1)
	defer w.commits.Add(1)
	if err := w.engine.Commit(newsOf(taken)); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// try runs a change and stores its outcome.
func (w *writer) try(c *change) {
	t := &tx{ctx: context.WithoutCancel(c.ctx), runner: w.engine.Writer(), source: w.random, known: w.known}
	c.outcome = outcome{}
	defer func() {
		c.mails, c.touched, c.changed, c.group = t.queued, t.touched, t.changed, t.group
		c.first, c.reminded, c.access, c.hooked, c.spoilt = t.first, t.reminded, t.access, t.hooked, t.wrote || t.failed != nil
		if reason := recover(); reason != nil {
			// The caller's goroutine panics again, without this stack.
			c.outcome = outcome{panicked: fmt.Sprintf("%v\n%s", reason, debug.Stack())}
		}
	}()
	c.outcome.err = translate(c.do(t))
}

func (w *writer) exec(query string) error {
	_, err := w.engine.Writer().Exec(context.Background(), query, nil)
	return err
}
