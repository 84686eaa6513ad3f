package store

import (
	"sync"
	"time"

	"taskapi/app"
)

const (
	// SeenWithin is how long this process may take to notice a change of access by
	// another one, such as a command.
	SeenWithin = 100 * time.Millisecond
	// maxCallers bounds the cache, at about 3 MB.
	maxCallers = 10_000
)

// callers caches which caller a session or an API token belongs to, so that a
// request needs no query. Each write of this process that concerns access empties
// the cache before it returns, so an ended session ends at once. Writes of other
// processes show in Engine.Watch, which the first request after SeenWithin calls;
// without requests, nothing is read.
type callers struct {
	now   func() time.Time
	watch func() (int64, error) // Engine.Watch

	mu      sync.RWMutex
	byKey   map[string]remembered
	epoch   int64     // counts how often the cache was emptied
	checked time.Time // when watch was called last
	version int64
	asking  sync.Mutex // one at a time calls watch
}

type remembered struct {
	caller  app.Caller
	expires time.Time // zero: does not
}

func (c *callers) start(watch func() (int64, error), now func() time.Time) {
	c.watch, c.now, c.byKey = watch, now, map[string]remembered{}
}

// forget empties everything. Lookups that have begun are not remembered.
func (c *callers) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	clear(c.byKey)
}

// find returns the caller of a key, from the cache if it is fresh, else from ask.
// Returns account.ErrSessionEnded if there is none. Ask must not wait for a turn to
// write.
func (c *callers) find(key string, now time.Time, ask func() (app.Caller, time.Time, error)) (app.Caller, error) {
	found, epoch, fresh := c.look(key)
	if !fresh && c.asking.TryLock() {
		err := c.check()
		c.asking.Unlock()
		if err != nil {
			return app.Caller{}, err
		}
		found, epoch, _ = c.look(key)
		fresh = true
	}
	living := found.expires.IsZero() || now.Before(found.expires)
	if fresh && found.caller.UserID != 0 && living {
		return found.caller, nil
	}
	caller, expires, err := ask()
	if err != nil {
		return app.Caller{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// If the cache was emptied meanwhile, the session may have ended since.
	if c.epoch == epoch {
		if len(c.byKey) >= maxCallers {
			clear(c.byKey)
		}
		c.byKey[key] = remembered{caller, expires}
	}
	return caller, nil
}

// changes counts how often the cache was emptied.
func (c *callers) changes() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return uint64(c.epoch)
}

// look returns the cached entry of a key, and whether it is still valid.
func (c *callers) look(key string) (found remembered, epoch int64, fresh bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	age := c.now().Sub(c.checked)
	return c.byKey[key], c.epoch, age >= 0 && age < SeenWithin
}

// check calls watch and forgets everything when it has moved.
func (c *callers) check() error {
	began := c.now()
	version, err := c.watch()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if version != c.version {
		c.version = version
		c.epoch++
		clear(c.byKey)
	}
	c.checked = began
	return nil
}
