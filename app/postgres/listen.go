package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// lookEvery is how often a process looks whether it has missed something, and whether its
	// connection still stands.
	lookEvery = time.Second
	// reconnectEvery is the pause between two attempts to reach the server.
	reconnectEvery = 500 * time.Millisecond
	// aliveWithin is how long the server may take to show that a connection still stands.
	aliveWithin = 5 * time.Second
	// leaderLock and a number of the schema are the advisory lock of the process that leads: "lead".
	leaderLock = 1818582372
)

const (
	// A process that leads and hangs loses the lead.
	forLeader = everywhere + keepAlive + `SET idle_session_timeout = '10s'`
	// keepAlive lets the server notice within some ten seconds that the machine of a process has
	// gone without a word, whose locks it would hold for hours. alive asks whether the server is there.
	keepAlive = `SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; `
	alive     = `SELECT 1`
)

// Listen implements store.Engine.
func (e *engine) Listen(ctx context.Context, heard func(news string), idle func()) {
	for ctx.Err() == nil {
		e.listen(ctx, heard, idle)
		idle()
		pause(ctx, reconnectEvery)
	}
}

// listen listens until the connection is lost.
func (e *engine) listen(ctx context.Context, heard func(news string), idle func()) {
	config := e.config.Copy()
	var told []string
	config.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { told = append(told, n.Payload) }
	c, err := e.connectWith(ctx, config, everywhere+keepAlive+`LISTEN taskapi`)
	if err != nil {
		return
	}
	defer c.close()
	if e.checkIdentity(ctx, c) != nil {
		return
	}
	heard("") // what was committed before this was not heard
	looked := time.Now()
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, lookEvery)
		err := c.pg.WaitForNotification(wait)
		cancel()
		for _, text := range told {
			if process, news, _ := strings.Cut(text, " "); process != e.process {
				heard(news)
			}
		}
		told = told[:0]
		switch {
		case c.pg.IsClosed():
			return
		case err == nil && time.Since(looked) < lookEvery:
			continue
		}
		// That shows that the connection stands, too.
		within, cancel := context.WithTimeout(ctx, aliveWithin)
		err = e.checkIdentity(within, c)
		cancel()
		if err != nil {
			return
		}
		idle()
		looked = time.Now()
	}
}

// Lead implements store.Engine. The lock is that of a connection, which the server ends with the
// process; a process that can't reach the server leads no more.
func (e *engine) Lead(ctx context.Context, lead func(context.Context)) {
	for ctx.Err() == nil {
		e.tryToLead(ctx, lead)
		pause(ctx, lookEvery)
	}
}

func (e *engine) tryToLead(ctx context.Context, lead func(context.Context)) {
	c, err := e.connect(ctx, forLeader)
	if err != nil {
		return
	}
	defer c.close()
	for {
		var leads bool
		if err := (on{c}).One(ctx, `SELECT pg_try_advisory_lock(CAST(? AS INTEGER), hashtext(current_schema()))`, []any{leaderLock}, []any{&leads}); err != nil {
			return
		}
		if leads {
			break
		}
		if pause(ctx, lookEvery); ctx.Err() != nil {
			return
		}
	}
	leading, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		lead(leading)
	}()
	for leading.Err() == nil && c.simpleWithin(aliveWithin, alive) == nil {
		select {
		case <-done:
			end()
		case <-leading.Done():
		case <-time.After(lookEvery):
		}
	}
	end()
	<-done // before the lock goes with the connection
}

// pause waits unless the context ends.
func pause(ctx context.Context, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}
