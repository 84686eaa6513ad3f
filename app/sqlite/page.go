package sqlite

import (
	"context"

	"taskapi/app"
)

// pageOf reads a page and its total, of the same moment. The query gives the
// total in the first column of each row and takes, after args, a limit and an
// offset; count is for a page without rows.
func pageOf[T any](ctx context.Context, db *DB, page app.PageRequest, query, count string, args []any, scan func(row row, total *int64) (T, error)) (app.Page[T], error) {
	out := app.Page[T]{PageRequest: page}
	tx, err := db.read(ctx)
	if err != nil {
		return out, err
	}
	all := append(append(make([]any, 0, len(args)+2), args...), page.PerPage, page.Offset())
	err = tx.each(query, all, func(row row) error {
		item, err := scan(row, &out.Total)
		out.Items = append(out.Items, item)
		return err
	})
	if err == nil && len(out.Items) == 0 {
		err = tx.one(count, args, &out.Total)
	}
	return out, translate(err)
}
