package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"taskapi/app"
)

// Together runs several methods in one turn of the writer: those that get the context which
// do gets read and write in one transaction, of which all is done if do returns nil, and
// nothing else. Each is in a savepoint of its own, so that one that fails leaves nothing of
// itself even if do goes on.
//
// All that do does holds up everybody else who writes: it must not wait for anything. It may
// run more than once. Returns app.ErrTooMuchAtOnce if it changes more than maxTogether rows.
func (db *DB) Together(ctx context.Context, do func(context.Context) error) error {
	return db.write(ctx, func(tx *tx) error {
		return do(tx.insideOf(db))
	})
}

// maxTogether is how many rows one turn may change: some 2,000 tasks.
const maxTogether = 12_000

// outerKey is that of the transaction that a context is within.
type outerKey struct{}

type outer struct {
	db *DB
	tx *tx
}

// outerOf returns the transaction that a context is within; nil for none.
func (db *DB) outerOf(ctx context.Context) *tx {
	if o, ok := ctx.Value(outerKey{}).(outer); ok && o.db == db {
		return o.tx
	}
	return nil
}

// insideOf returns the context of what is done within t.
func (t *tx) insideOf(db *DB) context.Context {
	return context.WithValue(t.ctx, outerKey{}, outer{db, t})
}

// inner returns a transaction within t, which sees what t has done.
func (t *tx) inner(ctx context.Context) *tx {
	return &tx{ctx: context.WithoutCancel(ctx), runner: t.runner, source: t.source, group: t.group, known: t.known}
}

// nest runs a change within t, which leaves nothing of itself if it fails.
func (t *tx) nest(ctx context.Context, do func(*tx) error) error {
	if err := t.exec("SAVEPOINT nested"); err != nil {
		return translate(err)
	}
	inner := t.inner(ctx)
	err := translate(do(inner))
	if err == nil && t.rows+inner.rows > maxTogether {
		err = app.ErrTooMuchAtOnce
	}
	if err != nil {
		// Where the engine has ended the whole transaction, this fails, and so does t.
		return errors.Join(err, t.exec("ROLLBACK TO nested"), t.exec("RELEASE nested"))
	}
	if err := t.exec("RELEASE nested"); err != nil {
		return translate(fmt.Errorf("end a change within another: %w", err))
	}
	t.group, t.first, t.changed, t.rows = inner.group, cmp.Or(t.first, inner.first), t.changed || inner.changed, t.rows+inner.rows
	t.queued, t.touched = append(t.queued, inner.queued...), append(t.touched, inner.touched...)
	t.access = t.access || inner.access
	t.reminded, t.hooked = t.reminded || inner.reminded, cmp.Or(inner.hooked, t.hooked)
	if inner.first != 0 {
		app.ChangeMade(ctx, inner.first)
	}
	return nil
}
