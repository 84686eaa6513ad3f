package webhook

import (
	"context"
	"sync"
	"time"

	"taskapi/app/outbox"
)

// pace bounds how many tries are begun in a second.
type pace struct {
	mu   sync.Mutex
	next time.Time // when the next one may begin, without the burst
}

// take counts a try and returns how long it has to wait for its turn.
func (p *pace) take(now time.Time) time.Duration {
	const each = time.Second / perSecond
	p.mu.Lock()
	defer p.mu.Unlock()
	// A clock that was set back would leave all waiting.
	if idle := now.Add(-burst * each); p.next.Before(idle) || p.next.Sub(now) > time.Minute {
		p.next = idle
	}
	p.next = p.next.Add(each)
	return max(0, p.next.Sub(now))
}

// reads lets one account after the other look into the log.
type reads struct {
	turn chan struct{}
	free time.Time // when the next one may look, of whose turn it is
}

// events looks into the log when it is the turn of a user.
func (d *Dispatcher) events(ctx context.Context, userID, after int64) (page outbox.WebhookPage, err error) {
	select {
	case d.reads.turn <- struct{}{}:
	case <-ctx.Done():
		return page, ctx.Err()
	}
	defer func() { <-d.reads.turn }()
	began := d.Now()
	// A clock that was set back would leave all waiting.
	if wait := min(d.reads.free.Sub(began), time.Second); wait > 0 {
		if !d.pause(ctx, wait) {
			return page, ctx.Err()
		}
		began = d.Now()
	}
	page, err = d.Store.WebhookEvents(ctx, userID, after, pageLines)
	d.reads.free = d.Now().Add(readRest * max(0, d.Now().Sub(began)))
	return page, err
}
