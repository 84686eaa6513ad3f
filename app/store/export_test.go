package store

import (
	"context"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

// What tests in store_test see of the inside.

// Tx is tx.
type Tx = tx

// Constants as they are inside.
const (
	DoubtLooks   = doubtLooks
	KeepSent     = keepSent
	MailTurnMax  = mailTurnMax
	MaxAnswered  = maxAnswered
	MaxAnswers   = maxAnswers
	MaxBatch     = maxBatch
	MaxMailTurns = maxMailTurns
	MaxOfOne     = maxOfOne
	MaxSessions  = maxSessions
	MaxTrash     = maxTrash
	MaxUndoBytes = maxUndoBytes
	MaxWaiting   = maxWaiting
	NextSeq      = nextSeq
	SmallAccount = smallAccount
	Sorts        = sorts
	TaskColumns  = taskColumns
	TreeChunk    = treeChunk
	TrimAfter    = trimAfter
	TrimAfterLen = trimAfterLen
)

// Millis is millis.
func Millis(t time.Time) int64 { return millis(t) }

// Rules is how many rules Consistent knows.
func Rules() int { return len(rules()) }

// RareQueries are those of lists that only long lists have need of.
func RareQueries() (all []string) {
	for _, l := range []list{tasksOfUser(), allUsers(), eventsOfUser()} {
		for _, query := range []string{l.backward, l.after} {
			if query != "" {
				all = append(all, query)
			}
		}
	}
	return all
}

// Wrap puts an engine around the one of a store.
func Wrap(db *DB, around func(Engine) Engine) {
	db.engine = around(db.engine)
	db.writer.engine = db.engine
}

// SetNow sets another clock for all but the writer.
func SetNow(db *DB, now func() time.Time) { db.now, db.callers.now = now, now }

// Turn is what the writer holds while it writes.
func Turn(db *DB) chan struct{} { return db.writer.turn }

// As makes a change that of a caller.
func As(db *DB, by app.Caller, change func(*Tx) error) func(*Tx) error { return db.as(by, change) }

// Marks returns how many marks of a user's tasks are remembered.
func Marks(db *DB, userID int64) int {
	db.marks.mu.Lock()
	defer db.marks.mu.Unlock()
	return len(db.marks.ids[userID])
}

// MailSentNow remembers that a mail of a user's was sent.
func MailSentNow(db *DB, userID int64, at time.Time) { db.mailTurns.had(userID, at) }

// HandOverFirst hands a list over, up to the end of the first turn.
func HandOverFirst(db *DB, from app.Caller, list todo.Ref, heir int64, at time.Time) func(*Tx) error {
	return db.as(from, func(tx *tx) error {
		l, err := tx.ownList(db.seed, from, list)
		if err != nil {
			return err
		}
		return tx.handOver(act{from, at}, l, heir, 0)
	})
}

// PageQuery is the query of a page of a search.
func PageQuery(ctx context.Context, db *DB, find todo.Find) (query string, err error) {
	err = db.snapshot(ctx, func(tx *tx) error {
		f, err := tx.finder(db.seed, find)
		if err == nil {
			query, _ = pageQuery(f, find)
		}
		return err
	})
	return query, err
}

func (db *DB) Write(ctx context.Context, do func(*Tx) error) error { return db.write(ctx, do) }

func (db *DB) WriteAccess(ctx context.Context, do func(*Tx) error) error {
	return db.writeAccess(ctx, do)
}

func (db *DB) Read(ctx context.Context) (*Tx, error) { return db.read(ctx) }

func (db *DB) Snapshot(ctx context.Context, do func(*Tx) error) error { return db.snapshot(ctx, do) }

func (db *DB) PruneUndo(ctx context.Context, most int64) error { return db.pruneUndo(ctx, most) }

func (db *DB) PruneChanges(ctx context.Context, keep Keep) (int64, error) {
	return db.pruneChanges(ctx, keep)
}

func (db *DB) PruneDeliveries(ctx context.Context) (int64, error) { return db.pruneDeliveries(ctx) }

func (t *tx) Exec(query string, args ...any) error { return t.exec(query, args...) }

func (t *tx) One(query string, args []any, dest ...any) error { return t.one(query, args, dest...) }

func (t *tx) Each(query string, args []any, scan func(Row) error) error {
	return t.each(query, args, scan)
}

// Admitted is how many may act in the transaction, as far as was asked.
func (t *tx) Admitted() int { return len(t.known.admitted) }

func (t *tx) TotalOf(list string, owner int64) (int64, error) { return t.totalOf(list, owner) }

func (t *tx) QueueMail(userID int64, m outbox.NewMail) error { return t.queueMail(userID, m) }

// TrimAnswers drops answers by their number, and then by their bytes.
func (t *tx) TrimAnswers(userID int64) error {
	if _, err := t.trimAnswers(userID, answeredSum{}); err != nil {
		return err
	}
	return t.trimBytes(userID)
}

// Inbox returns the list that is the Inbox of a user.
func (t *tx) Inbox(userID int64) (list int64, err error) {
	h, err := t.inbox(userID)
	return h.list, err
}

func (t *tx) AddTask(by app.Caller, at time.Time, list, owner int64, n todo.NewTask) (todo.Task, error) {
	return t.addTask(act{by, at}, home{list: list, owner: owner}, n)
}

func (t *tx) JoinList(by app.Caller, at time.Time, list, userID int64, role todo.Role) error {
	return t.joinList(act{by, at}, list, userID, role)
}

// Tasks returns the tasks that a query of TaskColumns finds.
func (t *tx) Tasks(query string, args ...any) ([]todo.Task, error) { return t.tasks(query, args...) }

func (t *tx) Save(by app.Caller, at time.Time, before, after todo.Task, op todo.Op) (todo.Task, error) {
	return t.save(act{by, at}, before, after, op)
}

// Log adds a line of a task that was changed.
func (t *tx) Log(by app.Caller, at time.Time, scope, task int64) (seq int64, err error) {
	return t.log(act{by, at}, logged{scope: scope, kind: todo.KindTask, op: todo.OpUpdated, entity: task})
}
