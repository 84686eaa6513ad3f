package api

import (
	"container/list"
	"context"
	"errors"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"taskapi/app"
)

// Memory that requests and responses may take together. With garbage not yet
// collected, the process uses about twice as much. Small ones are not counted:
// there are at most as many of them as connections.
const (
	bodyBudget   = 12 << 20
	answerBudget = 16 << 20
	uncounted    = 8 << 10 // bytes; what the server below reads ahead of a body
	muchGiven    = 12 << 20

	// How long a client may delay others with a request that does not arrive, or a
	// response that it does not read.
	bodyPatience   = 2 * time.Second
	answerPatience = time.Second
)

var errNoMemory = errors.New("too much memory is taken by requests that have not arrived and answers that nobody reads")

// budget hands out memory, at most half of it to one network. Requests for more
// than is free wait in order of arrival. Meanwhile the holder that has held its
// memory longest, for longer than the patience, is cut off, so that a client that
// withholds the end of a request or reads no response can't block the others.
type budget struct {
	patience time.Duration
	now      func() time.Time

	mu      sync.Mutex
	free    int64
	half    int64
	held    map[netip.Prefix]int64
	given   int64     // since garbage was collected last
	leases  list.List // of *lease, the oldest first
	waiting list.List // of *lease, in order
}

// lease is memory of a budget, granted or waited for.
type lease struct {
	budget  *budget
	network netip.Prefix
	bytes   int64
	cut     func() // ends what holds the memory; may be called at any time
	granted chan struct{}
	place   *list.Element // among the leases, or among those who wait
	has     bool
	since   time.Time
}

func newBudget(bytes int64, patience time.Duration, now func() time.Time) *budget {
	return &budget{patience: patience, now: now, free: bytes, half: bytes / 2, held: map[netip.Prefix]int64{}}
}

// take returns a lease, which the caller gives back. It waits for its turn and
// returns app.ErrBusy if the context ends first. A size above the share of one
// network counts as that share.
func (b *budget) take(ctx context.Context, network netip.Prefix, bytes int64, cut func()) (*lease, error) {
	l := &lease{budget: b, network: network, bytes: min(bytes, b.half), cut: cut, granted: make(chan struct{})}
	b.mu.Lock()
	l.place = b.waiting.PushBack(l)
	b.grant()
	b.mu.Unlock()
	select {
	case <-l.granted: // as nearly always, without a timer
		b.collect(bytes)
		return l, nil
	default:
	}
	tick := time.NewTicker(b.patience)
	defer tick.Stop()
	for {
		select {
		case <-l.granted:
			b.collect(bytes)
			return l, nil
		case <-ctx.Done():
			l.give()
			return nil, app.ErrBusy.With(errors.Join(errNoMemory, ctx.Err()))
		case <-tick.C:
			b.hurry(l)
		}
	}
}

// collect runs the garbage collector when the memory handed out would double the
// heap of an idle server. Left alone, the collector waits until the heap is twice
// the size in use.
func (b *budget) collect(bytes int64) {
	b.mu.Lock()
	b.given += bytes
	much := b.given >= muchGiven
	if much {
		b.given = 0
	}
	b.mu.Unlock()
	if much {
		runtime.GC()
	}
}

// grant serves waiting leases in order. One that waits for its own network does not
// block other networks.
func (b *budget) grant() {
	for e := b.waiting.Front(); e != nil; {
		next, l := e.Next(), e.Value.(*lease)
		switch {
		case b.held[l.network]+l.bytes > b.half:
		case l.bytes > b.free:
			return
		default:
			b.waiting.Remove(e)
			b.free -= l.bytes
			b.held[l.network] += l.bytes
			l.place, l.has, l.since = b.leases.PushBack(l), true, b.now()
			close(l.granted)
		}
		e = next
	}
}

// hurry cuts off the lease that keeps another one waiting: the oldest of the same
// network if that has its half, else the oldest of the network that holds most.
func (b *budget) hurry(waiting *lease) {
	// Without the lock: what is cut off gives its memory back.
	for _, cut := range b.slow(waiting) {
		cut()
	}
}

func (b *budget) slow(waiting *lease) (cuts []func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if waiting.has {
		return nil
	}
	from := waiting.network
	if b.held[from]+waiting.bytes <= b.half {
		for network, bytes := range b.held {
			if bytes > b.held[from] {
				from = network
			}
		}
	}
	// Cut off as many as are needed: each round of waiting would free only one
	// more.
	missing := waiting.bytes
	for e := b.leases.Front(); e != nil && missing > 0; e = e.Next() {
		if l := e.Value.(*lease); l.network == from && l.cut != nil && b.now().Sub(l.since) >= b.patience {
			cuts = append(cuts, l.cut)
			l.cut = nil
			missing -= l.bytes
		}
	}
	return cuts
}

// grow adds to a lease without waiting. It returns false if there is no room.
func (l *lease) grow(bytes int64) bool {
	b := l.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if bytes > b.free || b.held[l.network]+bytes > b.half {
		return false
	}
	b.free -= bytes
	b.held[l.network] += bytes
	l.bytes += bytes
	return true
}

// keep marks a lease whose client has done its part, so that it is not cut off.
func (l *lease) keep() {
	l.budget.mu.Lock()
	defer l.budget.mu.Unlock()
	l.cut = nil
}

// give returns the memory. It may be called again, and on nil.
func (l *lease) give() {
	if l == nil {
		return
	}
	b := l.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case l.place == nil:
		return
	case l.has:
		b.leases.Remove(l.place)
		b.free += l.bytes
		if b.held[l.network] -= l.bytes; b.held[l.network] == 0 {
			delete(b.held, l.network)
		}
	default:
		b.waiting.Remove(l.place)
	}
	l.place, l.has, l.cut = nil, false, nil
	b.grant()
}
