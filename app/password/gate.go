package password

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrBusy says that too many passwords were being worked on: the queue was
// full, or the caller's context ended first, and then errors.Is finds the
// context's error as well.
var ErrBusy = errors.New("too many passwords are being checked at once: try again in a moment")

// gate lets a fixed number of callers through at a time and makes a bounded
// number of others wait, in the order of their arrival.
type gate struct {
	slots   chan struct{} // one element for each caller inside
	waiting atomic.Int64
	queue   int64
}

// newGate returns a gate with room for concurrency callers inside and queue
// callers in front of it.
func newGate(concurrency, queue int) *gate {
	return &gate{slots: make(chan struct{}, concurrency), queue: int64(queue)}
}

// enter returns nil when the caller is inside and must call leave. Otherwise
// it fails with ErrBusy.
func (g *gate) enter(ctx context.Context) error {
	// While others wait, this can't overtake them: a channel hands the room
	// that leave makes to the sender that has been blocked longest.
	select {
	case g.slots <- struct{}{}:
	default:
		if err := g.wait(ctx); err != nil {
			return err
		}
	}
	// A select with two ready cases takes either. Whoever is gone already
	// shall not cost a hash.
	if err := ctx.Err(); err != nil {
		g.leave()
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return nil
}

// wait blocks until there is room inside or ctx ends.
func (g *gate) wait(ctx context.Context) error {
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.queue {
		return ErrBusy
	}
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
}

// leave makes room for the next one.
func (g *gate) leave() { <-g.slots }

// load returns how many are inside and how many wait. A caller about to be
// turned away is never counted as waiting.
func (g *gate) load() (running, waiting int) {
	return len(g.slots), int(min(g.waiting.Load(), g.queue))
}
