package postgres

import (
	"context"
	"io"
	"strings"

	"taskapi/app/store"
)

// Session is a connection that runs statements beside a store, in the store's dialect.
type Session struct {
	store.Runner
	conn *conn
}

// Dial connects to a database, whatever is in it. Returns ErrUnreachable with what the server or
// the network said.
func Dial(ctx context.Context, o Options) (*Session, error) {
	c, err := dial(ctx, o, everywhere)
	if err != nil {
		return nil, err
	}
	return &Session{Runner: on{c}, conn: c}, nil
}

// dial opens a connection with settings of its own.
func dial(ctx context.Context, o Options, settings string) (*conn, error) {
	config, err := configOf(o)
	if err != nil {
		return nil, err
	}
	c, err := (&engine{config: config}).connect(ctx, settings)
	if err != nil {
		return nil, unreachable(err)
	}
	return c, nil
}

// Explain returns how the server would run a query of the store, a step a line. Args are values that
// it runs with.
func (p *Session) Explain(ctx context.Context, query string, args []any) (steps []string, err error) {
	v, err := encode(args)
	if err != nil {
		return nil, err
	}
	s, err := p.conn.prepare(ctx, query, v.types, rewrite)
	if err != nil {
		return nil, p.conn.met(err)
	}
	text := "EXPLAIN EXECUTE " + s.Name
	if len(args) > 0 {
		text += "(" + strings.Repeat("NULL, ", len(args)-1) + "NULL)"
	}
	err = p.conn.once(ctx, text, nil, func(row record) error {
		var step string
		err := row.Scan(&step)
		steps = append(steps, step)
		return err
	})
	return steps, err
}

// Script runs statements that are PostgreSQL's own, in one transaction unless they begin others.
func (p *Session) Script(text string) error { return p.conn.simple(text) }

// CopyFrom sends rows in the text format of COPY.
func (p *Session) CopyFrom(ctx context.Context, statement string, rows io.Reader) (int64, error) {
	tag, err := p.conn.pg.CopyFrom(ctx, rows, statement)
	return tag.RowsAffected(), p.conn.met(err)
}

// Close ends the connection.
func (p *Session) Close() error {
	p.conn.close()
	return nil
}
