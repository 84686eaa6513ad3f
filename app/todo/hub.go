package todo

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Touched says that a line was added to the log of changes.
type Touched struct {
	// Scope is a list or, when negative, minus the user whom alone the line concerns.
	Scope int64
	// Members says that who is in the list may have changed.
	Members bool
}

// maxKnownLists bounds how many lists a Hub remembers the members of, at some 200 bytes each.
const maxKnownLists = 10_000

// pollEvery is how often a Hub looks for changes of other processes, such as commands.
const pollEvery = time.Second

// Hub tells those who follow what a user sees that something in it may have changed. It carries no
// data: a follower reads the log from where it stands. So nothing is kept for followers that are
// slow, and waking one for nothing does no harm.
type Hub struct {
	// Members returns who is in a list.
	Members func(ctx context.Context, list int64) ([]int64, error)
	// Newest returns the number of the newest line of the log. Nil where Changed is told of what
	// other processes do.
	Newest func(ctx context.Context) (int64, error)
	// Now is the clock.
	Now func() time.Time

	following atomic.Int64
	mu        sync.Mutex
	followers map[int64]map[*Follower]struct{} // by user
	touched   []Touched
	since     time.Time         // of the first of touched
	members   map[int64][]int64 // of lists; those that are not there are asked for
	signal    chan struct{}
	lines     int64 // told since the number base was read
	base      int64
}

// Follower is woken for one user.
type Follower struct {
	// C receives after each change, many at once as one.
	C     <-chan struct{}
	c     chan struct{}
	user  int64
	hub   *Hub
	since atomic.Int64 // Unix time, in nanoseconds, of the first change not taken; 0 for none
}

// Since returns when the first change happened that C has told of since the last call, zero if
// there was none.
func (f *Follower) Since() time.Time {
	if at := f.since.Swap(0); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// NewHub returns a Hub; Run makes it work.
func NewHub(members func(context.Context, int64) ([]int64, error), newest func(context.Context) (int64, error), now func() time.Time) *Hub {
	return &Hub{
		Members: members, Newest: newest, Now: now, signal: make(chan struct{}, 1),
		followers: map[int64]map[*Follower]struct{}{}, members: map[int64][]int64{},
	}
}

// Follow returns a follower of what a user sees. The caller closes it.
func (h *Hub) Follow(userID int64) *Follower {
	c := make(chan struct{}, 1)
	f := &Follower{C: c, c: c, user: userID, hub: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.following.Add(1) == 1 {
		// Nobody has listened, so what is known may be old.
		clear(h.members)
		h.touched, h.base = nil, 0
	}
	if h.followers[userID] == nil {
		h.followers[userID] = map[*Follower]struct{}{}
	}
	h.followers[userID][f] = struct{}{}
	return f
}

// Close ends the following. It may be called again.
func (f *Follower) Close() {
	h := f.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.followers[f.user][f]; !ok {
		return
	}
	delete(h.followers[f.user], f)
	if len(h.followers[f.user]) == 0 {
		delete(h.followers, f.user)
	}
	h.following.Add(-1)
}

// Changed notes lines that have been committed. It does not block.
func (h *Hub) Changed(touched []Touched) {
	if h.following.Load() == 0 || len(touched) == 0 {
		return
	}
	h.mu.Lock()
	if len(h.touched) == 0 {
		h.since = h.Now()
	}
	h.touched = append(h.touched, touched...)
	h.lines += int64(len(touched))
	h.mu.Unlock()
	select {
	case h.signal <- struct{}{}:
	default:
	}
}

// Run wakes followers until the context ends.
func (h *Hub) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.signal:
			h.spread(ctx)
		case <-tick.C:
			h.poll(ctx)
		}
	}
}

// spread wakes those whom the noted lines concern.
func (h *Hub) spread(ctx context.Context) {
	h.mu.Lock()
	touched, since := h.touched, h.since
	h.touched = nil
	h.mu.Unlock()
	woken := map[int64]bool{}
	wake := func(user int64) {
		if !woken[user] {
			woken[user] = true
			h.wake(user, since)
		}
	}
	for _, t := range touched {
		if t.Members {
			h.mu.Lock()
			delete(h.members, t.Scope)
			h.mu.Unlock()
		}
		if t.Scope < 0 {
			wake(-t.Scope)
		}
	}
	seen := map[int64]bool{}
	for _, t := range touched {
		if t.Scope < 0 || seen[t.Scope] {
			continue
		}
		seen[t.Scope] = true
		users, err := h.in(ctx, t.Scope)
		if err != nil {
			h.wakeAll(since) // waking too many does no harm
			return
		}
		for _, user := range users {
			wake(user)
		}
	}
}

// in returns who is in a list.
func (h *Hub) in(ctx context.Context, list int64) ([]int64, error) {
	h.mu.Lock()
	users, ok := h.members[list]
	h.mu.Unlock()
	if ok {
		return users, nil
	}
	users, err := h.Members(ctx, list)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.members) >= maxKnownLists {
		clear(h.members)
	}
	h.members[list] = users
	return users, nil
}

func (h *Hub) wake(user int64, since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.followers[user] {
		f.wake(since)
	}
}

func (f *Follower) wake(since time.Time) {
	f.since.CompareAndSwap(0, since.UnixNano())
	select {
	case f.c <- struct{}{}:
	default:
	}
}

func (h *Hub) wakeAll(since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.members)
	for _, all := range h.followers {
		for f := range all {
			f.wake(since)
		}
	}
}

// Anew wakes all followers: everything may have changed.
func (h *Hub) Anew() { h.wakeAll(h.Now()) }

// poll looks whether the log has lines that nobody has told of: another process wrote them.
func (h *Hub) poll(ctx context.Context) {
	if h.following.Load() == 0 || h.Newest == nil {
		return
	}
	newest, err := h.Newest(ctx)
	if err != nil {
		return // whoever reads the log next says so
	}
	h.mu.Lock()
	foreign := h.base != 0 && newest != h.base+h.lines
	h.base, h.lines = newest, 0
	h.mu.Unlock()
	if foreign {
		h.wakeAll(h.Now())
	}
}
