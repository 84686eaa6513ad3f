package dev

import (
	"regexp"
	"strconv"
	"sync"
	"time"
)

// Limits of a clock. What is beyond them has other forms of a date, or overflows.
const (
	MaxRate = 1_000_000
	minYear = 1971
	maxYear = 9000 // the last one
	// longAgo is how long the clock has been right when the program starts: whoever waits for a
	// clock to settle has waited.
	longAgo = 366 * 24 * time.Hour
)

// Setting is how far a clock is from the real time, and how fast it runs.
type Setting struct {
	real, shown time.Time
	rate        float64
}

// Clock is a time of day that can be set, and run faster than the real one. The zero value of its
// setting is the real time.
type Clock struct {
	// System is the real time, such as time.Now.
	System func() time.Time

	began time.Time

	mu      sync.Mutex
	setting Setting
	changed chan struct{}
}

// NewClock returns a clock that shows the real time or, unless that is zero, begins at another one.
func NewClock(system func() time.Time, start time.Time) *Clock {
	c := &Clock{System: system, changed: make(chan struct{}, 1)}
	if !start.IsZero() {
		c.setting = Setting{real: system(), shown: start, rate: 1}
	}
	c.began = c.Now()
	return c
}

// Now is the time of day.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.setting.at(c.System())
}

func (s Setting) at(real time.Time) time.Time {
	if s.real.IsZero() {
		return real
	}
	passed := time.Duration(float64(real.Sub(s.real)) * s.rate)
	return s.shown.Add(passed)
}

// Elapsed is how much time has passed by this clock: for those who measure, a day that was
// skipped is a day that went by.
func (c *Clock) Elapsed() time.Duration { return c.Now().Sub(c.began) + longAgo }

// Rate is how many seconds pass in a real one.
func (c *Clock) Rate() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.setting.real.IsZero() {
		return 1
	}
	return c.setting.rate
}

// Changed receives after the clock was set, many times as one.
func (c *Clock) Changed() <-chan struct{} { return c.changed }

// Setting returns how the clock is set and what it shows, for Restore.
func (c *Clock) Setting() Setting {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.setting
	if !s.real.IsZero() {
		s.shown = s.at(c.System())
	}
	return s
}

// Restore sets the clock as it was set, to the time that it showed then. The zero Setting is the
// real time.
func (c *Clock) Restore(s Setting) {
	c.change(func(real time.Time) Setting {
		if !s.real.IsZero() {
			s.real = real
		}
		return s
	})
}

// Turn says how to set a clock. What is nil stays.
type Turn struct {
	Now     *time.Time
	Advance *time.Duration
	Rate    *float64
}

// Set sets the clock and returns the time that it shows then. It returns false, with nothing
// changed, for a time out of range.
func (c *Clock) Set(t Turn) (now time.Time, ok bool) {
	ok = true
	c.change(func(real time.Time) Setting {
		before := c.setting
		rate := before.rate
		if before.real.IsZero() {
			rate = 1
		}
		shown := before.at(real)
		if t.Now != nil {
			shown = *t.Now
		}
		if t.Advance != nil {
			shown = shown.Add(*t.Advance)
		}
		if t.Rate != nil {
			rate = *t.Rate
		}
		if !InRange(shown) {
			ok = false
			return before
		}
		return Setting{real: real, shown: shown, rate: rate}
	})
	return c.Now(), ok
}

// InRange reports whether a clock may show a time.
func InRange(t time.Time) bool { return t.Year() >= minYear && t.Year() <= maxYear }

func (c *Clock) change(to func(real time.Time) Setting) {
	c.mu.Lock()
	c.setting = to(c.System())
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

var durationForm = regexp.MustCompile(`^(-?)P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?$`)

// ParseDuration reads a duration of RFC 5545 (section 3.3.6), such as PT1H or -P1D.
func ParseDuration(text string) (time.Duration, bool) {
	parts := durationForm.FindStringSubmatch(text)
	if parts == nil || text[len(text)-1] == 'P' || text[len(text)-1] == 'T' {
		return 0, false
	}
	const day = 24 * time.Hour
	var total time.Duration
	for i, unit := range []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second} {
		if parts[i+2] == "" {
			continue
		}
		n, err := strconv.Atoi(parts[i+2])
		if err != nil {
			return 0, false
		}
		total += time.Duration(n) * unit
	}
	if parts[1] == "-" {
		total = -total
	}
	return total, true
}
