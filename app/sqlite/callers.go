package sqlite

import (
	"context"
	"database/sql"
	"errors"
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
// processes show in SQLite's data_version, which the first request after SeenWithin
// reads; without requests, nothing is read.
type callers struct {
	now   func() time.Time
	pool  *sql.DB
	watch *sql.Stmt // reads data_version, always on the same connection

	mu      sync.RWMutex
	byKey   map[string]remembered
	epoch   int64     // counts how often the cache was emptied
	checked time.Time // when data_version was read last
	version int64
	asking  sync.Mutex // one at a time reads data_version
}

type remembered struct {
	caller  app.Caller
	expires time.Time // zero: does not
}

func (c *callers) start(ctx context.Context, pool *sql.DB, now func() time.Time) error {
	c.pool, c.now, c.byKey = pool, now, map[string]remembered{}
	// The pool has one connection, which the version belongs to.
	pool.SetConnMaxIdleTime(0)
	pool.SetConnMaxLifetime(0)
	var err error
	c.watch, err = pool.PrepareContext(ctx, "PRAGMA data_version")
	if err != nil {
		return err
	}
	return c.check()
}

func (c *callers) close() error {
	if c.pool == nil {
		return nil
	}
	var err error
	if c.watch != nil {
		err = c.watch.Close()
	}
	return errors.Join(err, c.pool.Close())
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

// check reads data_version and forgets everything when it has moved.
func (c *callers) check() error {
	began := c.now()
	var version int64
	if err := c.watch.QueryRow().Scan(&version); err != nil {
		return translate(err)
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
