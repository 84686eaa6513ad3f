package machine

import (
	"sync"
	"time"
)

// Clock is the time of day, also on a machine whose own clock is certainly
// wrong. One without a battery begins in 1970, or whenever its system was made,
// until the network has set it: what is written in these moments would be
// decades old a minute later. So a clock that shows a time before this program
// was made does not count, and time goes on from the last moment known.
type Clock struct {
	// System is the system's clock, such as time.Now.
	System func() time.Time
	// Elapsed is how long the program has run, whatever the clock was set to.
	Elapsed func() time.Duration

	mu     sync.Mutex
	oldest time.Time // before which the system's clock is wrong
	known  time.Time // the last moment known, as of since
	since  time.Duration
}

// NewClock returns a clock for a program that was made at a time.
func NewClock(made time.Time) *Clock {
	began := time.Now() // the difference to it knows nothing of the clock's jumps
	return &Clock{System: time.Now, Elapsed: func() time.Duration { return time.Since(began) }, oldest: made, known: made}
}

// Now is the time of day.
func (c *Clock) Now() time.Time {
	now := c.System()
	if !now.Before(c.oldest) {
		return now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known.Add(c.Elapsed() - c.since)
}

// Wrong reports whether the system's clock does not count.
func (c *Clock) Wrong() bool { return c.System().Before(c.oldest) }

// Written reports a moment that has passed, such as that of the newest row.
func (c *Clock) Written(at time.Time) {
	elapsed := c.Elapsed()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.known.Add(elapsed - c.since); at.After(now) {
		c.known, c.since = at, elapsed
	}
}
