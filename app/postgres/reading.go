package postgres

import (
	"context"

	"github.com/jackc/puddle/v2"

	"taskapi/app/store"
)

// reading is the store.Runner of single queries.
type reading struct{ e *engine }

func (r reading) run(ctx context.Context, do func(on) error) error {
	return r.e.withReader(ctx, func(c *puddle.Resource[*conn]) error { return do(on{c.Value()}) }, true)
}

// Exec implements store.Runner.
func (r reading) Exec(ctx context.Context, query string, args []any) (n int64, err error) {
	err = r.run(ctx, func(o on) (err error) { n, err = o.Exec(ctx, query, args); return err })
	return n, err
}

// Queue implements store.Runner.
func (r reading) Queue(ctx context.Context, query string, args []any) (int64, error) {
	return r.Exec(ctx, query, args)
}

// Insert implements store.Runner.
func (r reading) Insert(ctx context.Context, query string, args []any) (id int64, err error) {
	err = r.run(ctx, func(o on) (err error) { id, err = o.Insert(ctx, query, args); return err })
	return id, err
}

// One implements store.Runner.
func (r reading) One(ctx context.Context, query string, args, dest []any) error {
	return r.run(ctx, func(o on) error { return o.One(ctx, query, args, dest) })
}

// Each implements store.Runner.
func (r reading) Each(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	var rows rows
	err := r.run(ctx, func(o on) (err error) {
		rows = nil
		_, err = o.run(ctx, query, args, rewrite, rows.keep)
		return err
	})
	if err != nil {
		return err
	}
	return rows.each(scan) // which may need a connection of its own
}

// Dynamic implements store.Runner.
func (r reading) Dynamic(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	var rows rows
	err := r.run(ctx, func(o on) (err error) {
		rows = nil
		return o.once(ctx, query, args, rows.keep)
	})
	if err != nil {
		return err
	}
	return rows.each(scan)
}
