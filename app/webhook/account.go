package webhook

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"taskapi/app/outbox"
)

// account follows the log for the webhooks of one user.
type account struct {
	d     *Dispatcher
	user  int64
	again chan struct{} // that a webhook has come to its end, or was changed
	stale atomic.Bool   // the webhooks were changed
	slots chan struct{}
	work  sync.WaitGroup

	mu    sync.Mutex
	hooks map[int64]*hook
}

func (a *account) all() []*hook {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.hooks))
}

// run looks into the log each time that there may be something new, until the user has no
// active webhooks.
func (a *account) run(ctx context.Context) {
	changed, end := a.d.Follow(a.user)
	defer end()
	defer a.work.Wait()
	for {
		wait, err := a.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			a.d.Log.Error("the log of changes can't be read for webhooks", "user_id", a.user, "error", err)
			wait = storePause
		case len(a.hooks) == 0 && a.d.leave(a):
			return
		}
		if !a.d.pause(ctx, gather) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-a.again:
		case <-a.d.After(wait):
		}
	}
}

// idleWait is how long an account sleeps that nobody wakes.
const idleWait = time.Hour

// look gives each webhook that is free what is new for it, and returns when the next one is due
// by the clock.
func (a *account) look(ctx context.Context) (wait time.Duration, err error) {
	if a.stale.Swap(false) {
		if err := a.load(ctx); err != nil {
			a.stale.Store(true)
			return 0, err
		}
	}
	wait = idleWait
	now := a.d.Now()
	pages := map[int64]outbox.WebhookPage{} // those at one place read the same
	for _, h := range a.hooks {
		at, free := h.free()
		if !free {
			continue
		}
		if !at.Due(now) {
			wait = min(wait, at.NextAt.Sub(now))
			continue
		}
		page, ok := pages[at.Cursor]
		if !ok {
			if page, err = a.d.events(ctx, a.user, at.Cursor); err != nil {
				return 0, err
			}
			pages[at.Cursor] = page
		}
		if h.take(page) {
			a.work.Go(func() { h.tell(ctx) })
		} else if page.More {
			wait = 0
		}
	}
	return wait, nil
}

// load makes the webhooks what they are in the database.
func (a *account) load(ctx context.Context) error {
	rows, err := a.d.Store.ActiveWebhooks(ctx, a.user)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	there := map[int64]bool{}
	for _, row := range rows {
		there[row.ID] = true
		if h := a.hooks[row.ID]; h != nil {
			h.become(row)
			continue
		}
		a.hooks[row.ID] = &hook{a: a, webhook: row, known: row.Progress, progress: row.Progress}
	}
	for id, h := range a.hooks {
		if !there[id] {
			h.end()
			delete(a.hooks, id)
		}
	}
	return nil
}
