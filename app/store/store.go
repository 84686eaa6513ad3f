// Package store keeps users, lists, tasks and all that belongs to them in a SQL database. It
// writes SQL that the engines below it understand, and knows no driver. One exported method is
// one transaction.
//
// One change is made at a time: the transactions of all writers follow each other, those of
// one process and those of several. Readers see the state of the last commit and wait for nobody.
package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

// Options says how a store works.
type Options struct {
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// Elapsed is how long the program has run, whatever the clock was set to.
	// Nil goes by the clock.
	Elapsed func() time.Duration
	// Random is where random bytes come from. Nil is crypto/rand.
	Random io.Reader
}

// DB is an open store. All its methods may be called at the same time.
type DB struct {
	engine    Engine
	now       func() time.Time
	random    io.Reader
	writer    *writer
	callers   callers
	marks     marks
	mailTurns mailTurns
	elapsed   func() time.Duration
	clock     settling
	lineage   string
	seed      todo.Seed
	deleted   chan struct{} // that a user was, for KeepRemoving
	answered  map[int64]answeredSum
	began     int64 // the newest line of the log when a shared store was opened
}

// New returns the store in a database. Begin it before any other method.
func New(engine Engine, o Options) *DB {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Elapsed == nil {
		opened := o.Now()
		o.Elapsed = func() time.Duration { return o.Now().Sub(opened) }
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	db := &DB{engine: engine, now: o.Now, random: o.Random, elapsed: o.Elapsed, deleted: make(chan struct{}, 1), answered: map[int64]answeredSum{}}
	db.clock.last, db.clock.since, db.clock.wall = db.elapsed(), db.elapsed(), o.Now()
	db.writer = newWriter(engine, o.Now, o.Random)
	db.callers.start(engine.Watch, o.Now)
	return db
}

// Begin gives a new database, and one that was a copy, what tells it from others.
func (db *DB) Begin(ctx context.Context) (err error) {
	if db.lineage, err = db.beginLineage(ctx); err != nil {
		return err
	}
	if db.seed, err = db.beginSeed(ctx); err != nil {
		return err
	}
	if db.engine.Shared() {
		if db.began, err = db.NewestChange(ctx); err != nil {
			return err
		}
	}
	return db.callers.check()
}

// OnMail sets a function that is called for each mail after the commit that queued
// it. Call it before any other method; queued must not block.
func (db *DB) OnMail(queued func(outbox.NewMail)) { db.writer.onMail = queued }

// OnChange sets a function that is called after each commit with the lines that it added to
// the log of changes. Call it before any other method; changed must not block.
func (db *DB) OnChange(changed func([]todo.Touched)) { db.writer.onChange = changed }

// OnReminder sets a function that is called after a commit that may have changed when a reminder
// is due. Call it before any other method; changed must not block.
func (db *DB) OnReminder(changed func()) { db.writer.onReminder = changed }

// OnWebhook sets a function that is called after each commit that has changed webhooks of a user.
// Call it before any other method; changed must not block.
func (db *DB) OnWebhook(changed func(userID int64)) { db.writer.onWebhook = changed }

// OnBatch sets a function that is called after each commit or failure with the
// number of changes in it. Call it before any other method; batch must not block.
func (db *DB) OnBatch(batch func(changes int)) { db.writer.onBatch = batch }

// OnCommit sets a function that is called after each batch. Call it before any other method;
// committed must not block.
func (db *DB) OnCommit(committed func()) { db.writer.onCommit = committed }

// InTurn runs what belongs to the engine while nobody writes. It must not change what is stored.
func (db *DB) InTurn(ctx context.Context, do func() error) error {
	w := db.writer
	select {
	case <-w.turn:
	case <-ctx.Done():
		return busy(ctx.Err())
	}
	defer func() { w.turn <- struct{}{} }()
	w.commits.Add(1)
	defer w.commits.Add(1)
	return do()
}

// Waiting returns how many changes wait for their turn.
func (db *DB) Waiting() int { return db.writer.waiting.Len() }

// SetMeta stores what is to be known of the whole database.
func (db *DB) SetMeta(ctx context.Context, name, value string) error {
	return db.writeAccess(ctx, func(tx *tx) error { return tx.setMeta(name, value) })
}

func (t *tx) setMeta(name, value string) error {
	return t.exec(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
}

// Replace runs what puts another state of the database in the place of this one, while nobody
// writes. Replace is told the number of the newest change of before. What was remembered is
// forgotten, and those who wait for changes are told.
func (db *DB) Replace(ctx context.Context, replace func(newest int64) error) error {
	w := db.writer
	select {
	case <-w.turn:
	case <-ctx.Done():
		return busy(ctx.Err())
	}
	defer func() { w.turn <- struct{}{} }()
	defer db.callers.forget()
	hooked, err := db.WebhookUsers(ctx)
	if err != nil {
		return err
	}
	reader, err := db.read(ctx)
	if err != nil {
		return err
	}
	var newest int64
	if err := reader.one(`SELECT coalesce(max(seq), 1) FROM changes`, nil, &newest); err != nil {
		return err
	}
	clear(db.answered)
	w.commits.Add(1)
	defer w.commits.Add(1)
	if err := replace(newest); err != nil {
		return err
	}
	if w.onReminder != nil {
		w.onReminder()
	}
	if w.onWebhook == nil {
		return nil
	}
	back, err := db.WebhookUsers(ctx)
	for _, user := range append(hooked, back...) {
		w.onWebhook(user)
	}
	return err
}

// randomText returns random bytes, in hexadecimal.
func randomText(random io.Reader, bytes int) (string, error) {
	raw := make([]byte, bytes)
	_, err := io.ReadFull(random, raw)
	return hex.EncodeToString(raw), err
}

// translate turns the end of a context into an error of our kinds.
func translate(err error) error {
	var ours *app.Error
	switch {
	case err == nil || errors.As(err, &ours):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return busy(err)
	}
	return err
}

func busy(cause error) error { return app.ErrBusy.With(cause) }
