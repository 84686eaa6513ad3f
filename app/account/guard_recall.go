package account

import (
	"context"
	"time"

	"taskapi/app"
)

// OriginStore knows from where users were last signed in.
type OriginStore interface {
	// Origins calls each for the sessions used since, the latest first, at most
	// limit of them, with the address of the user and that of the use.
	Origins(ctx context.Context, since time.Time, limit int, each func(email string, from app.Origin, at time.Time)) error
}

// Recall makes the networks from which sessions were used lately their users'
// own again, as they were before a restart. It fills half the memory at most.
func (g *Guard) Recall(ctx context.Context, store OriginStore) error {
	if g == nil {
		return nil
	}
	return store.Origins(ctx, g.Now().Add(-guardKnown), g.Max/2, func(email string, from app.Origin, at time.Time) {
		if !from.Address.IsValid() {
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		p := newPair(from, app.EmailKey(email))
		if _, there := g.pairs[p]; !there { // what has happened since the start counts more
			if now := g.Now(); at.After(now) { // of a clock that was ahead
				at = now
			}
			g.put(p, attempts{last: at, known: at.Add(guardKnown)}, g.Now())
		}
	})
}
