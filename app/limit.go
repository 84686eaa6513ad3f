package app

import (
	"sync"
	"time"
)

// Rate is how often something may happen: Burst times at once, and then once
// every Every.
type Rate struct {
	Burst int
	Every time.Duration
}

// Limiter counts how often keys do something. Its memory is bounded whatever
// an attacker sends: at Max keys, those with nothing on their account are
// dropped, and if that is not enough some others too.
type Limiter struct {
	Now func() time.Time
	// Max is how many keys are remembered. A key costs about 100 bytes.
	Max int

	mu  sync.Mutex
	due map[string]time.Time
}

// Take counts one more for the key, or returns how long to wait before it is
// allowed (the generic cell rate algorithm: one time a key is all its state).
func (l *Limiter) Take(key string, rate Rate) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	due := l.due[key]
	if due.Before(now) {
		due = now
	}
	if wait = due.Sub(now) - rate.Every*time.Duration(rate.Burst-1); wait > 0 {
		return wait
	}
	l.makeRoom(now)
	l.due[key] = due.Add(rate.Every)
	return 0
}

// makeRoom drops what is over and, so that a flood of keys does not sweep the
// whole map for each of them, an eighth of the rest if still full.
func (l *Limiter) makeRoom(now time.Time) {
	if l.due == nil {
		l.due = make(map[string]time.Time)
	}
	if len(l.due) < l.Max {
		return
	}
	for key, due := range l.due {
		if !due.After(now) {
			delete(l.due, key)
		}
	}
	surplus := len(l.due) - l.Max + l.Max/8
	for key := range l.due {
		if surplus <= 0 {
			return
		}
		delete(l.due, key)
		surplus--
	}
}
