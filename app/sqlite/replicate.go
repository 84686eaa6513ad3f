package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"taskapi/app/replica"
)

const (
	// shipPace is how long a segment waits for more, after the one before: with the time that the
	// place takes, what the loss of this machine costs.
	shipPace = 500 * time.Millisecond
	// shipLook is how often the log is looked at when nobody says that it has grown.
	shipLook = time.Second
	// momentEvery is how finely a moment can be restored after the place was out of reach.
	momentEvery = time.Second
	// mostBehind is how much of the log may wait for the place. Beyond, the log is let go.
	mostBehind = 256 << 20
	// logFull is how long the log becomes before it is moved into the database, as SQLite's
	// own 1,000 pages.
	logFull = 4 << 20
	// snapshotEvery bounds how much log a restore plays, replicaKeep how far back it can go.
	snapshotEvery = 24 * time.Hour
	replicaKeep   = 7 * 24 * time.Hour
	// verifyEvery is how often it is looked whether the place still has what was sent.
	verifyEvery = time.Minute
	// firstRetry and lastRetry are the waits after the place failed.
	firstRetry = 500 * time.Millisecond
	lastRetry  = 15 * time.Second
	// lastShip is how long the end of the server waits for the place.
	lastShip = 10 * time.Second
)

// ReplicaEnd is what the name of the file ends with that says where a replication stopped.
const ReplicaEnd = ".replica"

// ReplicateOptions says where a database is replicated to.
type ReplicateOptions struct {
	Place   replica.Place
	Version string // of taskapi
	Log     *slog.Logger
	// Random makes names of generations differ.
	Random func() string
	// Room returns how many bytes are free for a copy of the database. Nil is not asked.
	Room func() (int64, error)

	pace, look    time.Duration // 0: shipPace, shipLook
	most          int64         // 0: mostBehind
	full          int64         // 0: logFull
	snapshotEvery time.Duration // 0: snapshotEvery
	verifyEvery   time.Duration // 0: verifyEvery
}

func (o *ReplicateOptions) complete() {
	if o.pace == 0 {
		o.pace = shipPace
	}
	if o.look == 0 {
		o.look = shipLook
	}
	if o.most == 0 {
		o.most = mostBehind
	}
	if o.full == 0 {
		o.full = logFull
	}
	if o.verifyEvery == 0 {
		o.verifyEvery = verifyEvery
	}
	if o.snapshotEvery == 0 {
		o.snapshotEvery = snapshotEvery
	}
}

// Replication copies the database to another place while it is written: a snapshot, and the log
// after it, piece by piece. It holds a read transaction, so that no frame of the log is overwritten
// before it was read, and moves the log into the database itself, in the writer's turn. A place that
// can't be reached stops nobody: if too much waits for it, the log is let go, and a new generation
// begins once the place answers.
type Replication struct {
	db     *DB
	o      ReplicateOptions
	view   *logView
	poked  chan struct{}
	stop   context.CancelFunc
	ended  chan struct{}
	stored replicaEnd // where the last run stopped

	mu    sync.Mutex // for all below, and to hold and release the log
	log   replica.Log
	head  logHeader
	pos   int64 // up to which the log was read
	sum   logSum
	end   int64 // of the log, as far as was seen
	marks []mark
	// waiting is what was read and has not arrived.
	waiting      []object
	waitingBytes int64
	small        []object                // those that have arrived and can be put together
	since        time.Time               // of the oldest commit that has not arrived; zero without one
	bare         time.Time               // since when there is no whole snapshot to play the log into; zero if there is
	lost         context.CancelCauseFunc // ends the generation
	snapshotAt   time.Time               // of the newest whole one of the generation
	failed       error                   // of the log
	uncopied     error                   // of the last snapshot
	failures     int64
	unverified   bool // the place has failed since it was verified
}

// mark is how long the log was at a moment.
type mark struct {
	end int64
	at  time.Time
}

// ReplicaState says how far a replica is behind.
type ReplicaState struct {
	// Behind is the age of the oldest commit that has not arrived.
	Behind time.Duration
	// Waiting is how many bytes of the log have not arrived.
	Waiting int64
	// Failures is how often the place failed since the start, Err the last failure, nil after a success.
	Failures int64
	Err      error
	// Generation is empty while there is none.
	Generation string
	// Snapshot is when the newest whole snapshot of the generation was made. Zero without one.
	Snapshot time.Time
}

// Replicate begins to hold the log for a replica. Call it before BeginTimeline; Start begins the
// work. Close comes before that of the database.
func (db *DB) Replicate(ctx context.Context, o ReplicateOptions) (*Replication, error) {
	o.complete()
	view, err := openLogView(ctx, db.path, Normal)
	if err != nil {
		return nil, translate(err)
	}
	r := &Replication{db: db, o: o, view: view, poked: make(chan struct{}, 1), stored: readReplicaEnd(db.path)}
	// From now on only this moves the log into the database.
	if _, err := db.engine.conn.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 0"); err != nil {
		return nil, errors.Join(translate(err), view.close())
	}
	db.replication = r
	db.OnCommit(r.poke)
	return r, nil
}

// beginLog holds the log from where it is now. It is no failure if that can't be done: then a new
// generation begins.
func (r *Replication) beginLog(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.take(ctx); err != nil {
		r.o.Log.Debug("the log of the database can't be held yet", "error", err)
	}
}

// take holds the log and reads how it begins.
func (r *Replication) take(ctx context.Context) (err error) {
	if err := r.view.hold(ctx); err != nil {
		return err
	}
	if r.head, err = r.view.header(); err != nil {
		return errors.Join(err, r.view.release())
	}
	return nil
}

// poke says that the log may have grown.
func (r *Replication) poke() {
	select {
	case r.poked <- struct{}{}:
	default:
	}
}

// Start begins the work in goroutines of its own, which Close ends. Both do nothing without a
// replication.
func (r *Replication) Start() {
	if r == nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.ended = stop, make(chan struct{})
	go func() {
		defer close(r.ended)
		var guard sync.WaitGroup
		guard.Go(func() { r.guard(ctx) })
		r.run(ctx)
		guard.Wait()
	}()
}

// Close sends what is left, as far as the place answers in time, notes where it stopped, and lets
// the log go. Nothing must be written meanwhile.
func (r *Replication) Close() error {
	if r == nil {
		return nil
	}
	if r.stop != nil {
		r.stop()
		<-r.ended
		ctx, cancel := context.WithTimeout(context.Background(), lastShip)
		defer cancel()
		if err := r.finish(ctx); err != nil {
			r.o.Log.Warn("the replica is not up to date", "place", r.o.Place.String(), "error", err)
		}
	}
	return r.view.close()
}

// ReplicaState says how far the replica is behind; false if there is none.
func (db *DB) ReplicaState(ctx context.Context) (ReplicaState, bool) {
	if db.replication == nil {
		return ReplicaState{}, false
	}
	return db.replication.State(ctx), true
}

// State says how far the replica is behind.
func (r *Replication) State(ctx context.Context) ReplicaState {
	// What can't be asked is as it was seen last.
	_, _ = r.observe(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	s := ReplicaState{Waiting: r.waitingBytes + max(0, r.end-r.pos), Failures: r.failures, Err: errors.Join(r.failed, r.uncopied), Generation: r.log.Generation, Snapshot: r.snapshotAt}
	for _, since := range []time.Time{r.since, r.bare} {
		if !since.IsZero() {
			s.Behind = max(s.Behind, r.db.now().Sub(since))
		}
	}
	return s
}

// run makes one generation after another until the context ends.
func (r *Replication) run(ctx context.Context) {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		began := r.db.now()
		err := r.generation(ctx)
		if ctx.Err() != nil {
			return
		}
		r.fail(err)
		if r.db.now().Sub(began) > lastRetry {
			wait = firstRetry
		}
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fail notes that the place failed, or that the log broke, and says so once.
func (r *Replication) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.o.Log.Warn("the replica can't be kept up to date; it is tried again", "place", r.o.Place.String(), "error", err)
	}
	r.failed, r.failures, r.unverified = err, r.failures+1, true
	if r.since.IsZero() {
		r.since = r.db.now()
	}
}

// arrived notes that the place works.
func (r *Replication) arrived() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		r.o.Log.Info("the replica is being kept up to date again", "place", r.o.Place.String(), "generation", r.log.Generation)
	}
	r.failed = nil
}
