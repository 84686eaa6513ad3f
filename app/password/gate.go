package password

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrBusy says that too many passwords were being worked on: the queue was
// full, or the caller's context ended first, and then errors.Is finds the
// context's error as well.
var ErrBusy = errors.New("too many passwords are being checked at once: try again in a moment")

// gate lets a fixed number of callers through at a time and makes a bounded
// number of others wait: see queue for who comes next.
type gate struct {
	now func() time.Time

	mu          sync.Mutex
	concurrency int
	inside      int
	queue       queue // nobody waits in it while there is room inside
}

// newGate returns a gate with room for concurrency callers inside and waiting
// callers in front of it.
func newGate(concurrency, waiting int, now func() time.Time) *gate {
	return &gate{now: now, concurrency: concurrency, queue: queue{max: waiting}}
}

// enter returns nil when the caller is inside and must call leave. Otherwise
// it fails with ErrBusy.
func (g *gate) enter(ctx context.Context) error {
	w, err := g.join(clientOf(ctx))
	if err != nil {
		return err
	}
	select {
	case err = <-w.called:
	case <-ctx.Done():
		if g.quit(w) {
			return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		}
		err = <-w.called
	}
	if err != nil {
		return err
	}
	// A select with two ready cases takes either. Whoever is gone already
	// must not cost a hash.
	if err := ctx.Err(); err != nil {
		g.leave()
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return nil
}

// join takes a place inside, or else in the queue.
func (g *gate) join(c client) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := &waiter{client: c, called: make(chan error, 1)}
	if g.inside < g.concurrency {
		g.inside++
		g.queue.debts.charge(c.network, g.now())
		w.called <- nil
		return w, nil
	}
	displaced, ok := g.queue.join(w, g.now())
	if !ok {
		return nil, ErrBusy
	}
	if displaced != nil {
		displaced.called <- ErrBusy
	}
	return w, nil
}

// quit leaves the queue. False if the waiter has been called meanwhile.
func (g *gate) quit(w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queue.remove(w)
}

// leave makes room for the next one.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if next := g.queue.next(g.now()); next != nil {
		next.called <- nil
		return
	}
	g.inside--
}

// load returns how many are inside and how many wait. A caller about to be
// turned away is never counted as waiting.
func (g *gate) load() (running, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside, g.queue.waiting()
}
