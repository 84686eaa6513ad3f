package account

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"taskapi/app"
)

// The limits on guessing passwords (OWASP ASVS 5.0, 6.3.1). Only wrong passwords
// count; a successful sign-in leaves no trace.
const (
	// guardFree is how many wrong passwords for one account from one network are
	// free: people mistype.
	guardFree = 5
	// Each further one doubles the delay, from guardFirst to guardLongest. Other
	// networks are not delayed.
	guardFirst   = time.Second
	guardLongest = 15 * time.Minute
	// guardParallel is how many concurrent attempts a network of the owner may have,
	// four fewer for each refusal. Other networks may have as many as they have
	// free refusals left.
	guardParallel = 20
	// guardForget is when refusals are forgotten after the last one.
	guardForget = time.Hour
	// guardKnown is how long a network counts as the owner's after a sign-in.
	guardKnown = 30 * 24 * time.Hour
)

// guardNetwork limits the refusals of one network over all accounts, and of the wider
// networks around it (see Limiter.TakeFrom). guardAccount limits those of one account
// over all networks except those from which its owner signed in. Beyond the latter, a
// network without a refusal still has one attempt, so nobody can lock the owner out.
func guardNetwork() app.Rate { return app.Rate{Burst: 100, Every: 5 * time.Second} }
func guardAccount() app.Rate { return app.Rate{Burst: 100, Every: 10 * time.Second} }

// Guard slows down the guessing of passwords and nothing else. A nil Guard allows
// everything. Max bounds its memory, at about 300 bytes for each pair of network and
// account; losing it does no harm.
type Guard struct {
	Now func() time.Time
	// Max is how many pairs of network and account are remembered.
	Max int

	mu      sync.Mutex
	pairs   map[pair]attempts
	limiter *app.Limiter
}

type pair struct {
	network netip.Prefix
	account string // a hash of its name, which may be as long as a request
}

func newPair(from app.Origin, account string) pair {
	sum := sha256.Sum256([]byte(account))
	return pair{from.Network(), string(sum[:])}
}

type attempts struct {
	refused  int       // in a row
	underWay int       // begun and not ended
	next     time.Time // the earliest moment of the next one
	last     time.Time
	known    time.Time // until when the network is one of the owner's
	told     bool      // that a delay binds
}

// Attempt is a password check under way. End each with Accepted, Refused or
// Abandoned.
type Attempt struct {
	guard   *Guard
	pair    pair
	counted bool // against the account
	known   bool // the network is one of the owner's
}

// Begin asks for an attempt on an account, by any name, known or not. If wait is
// positive there is no attempt; first is true for the first refusal of a series.
func (g *Guard) Begin(from app.Origin, account string) (attempt Attempt, wait time.Duration, first bool) {
	if g == nil {
		return Attempt{}, 0, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.Now()
	p := newPair(from, account)
	a := g.pairs[p]
	if a.underWay == 0 && now.Sub(a.last) > guardForget {
		a.refused, a.told = 0, false
	}
	known := now.Before(a.known)
	wait = a.next.Sub(now)
	parallel := guardFree - a.refused
	if known {
		parallel = guardParallel - 4*a.refused
	}
	if a.underWay >= max(1, parallel) {
		wait = max(wait, guardFirst)
	}
	counted := false // against the account
	if wait <= 0 {
		counted, wait = g.take(p, known, a.refused == 0 && a.underWay == 0)
	}
	if wait > 0 {
		first, a.told = !a.told, true
		g.put(p, a, now)
		return Attempt{}, wait, first
	}
	a.underWay++
	a.last, a.told = now, false
	g.put(p, a, now)
	return Attempt{guard: g, pair: p, counted: counted, known: known}, 0, false
}

// take counts against the network and, unless the network is the owner's, against the
// account. The first attempt of a network on an account is allowed whatever other
// networks did.
func (g *Guard) take(p pair, known, first bool) (counted bool, wait time.Duration) {
	if g.limiter == nil {
		g.limiter = &app.Limiter{Now: g.Now, Max: g.Max}
	}
	if wait, _ := g.limiter.TakeFrom(p.network, "n", guardNetwork()); wait > 0 {
		return false, wait
	}
	if known {
		return false, 0
	}
	wait, _ = g.limiter.Take("a "+p.account, guardAccount())
	if wait > 0 && first {
		return false, 0
	}
	if wait > 0 {
		g.limiter.RefundTo(p.network, "n", guardNetwork())
	}
	return wait == 0, wait
}

// Refused ends the attempt: the password was wrong.
func (a Attempt) Refused() {
	a.end(false, func(now time.Time, state *attempts) {
		state.refused++
		if over := state.refused - guardFree; over >= 0 {
			delay := guardLongest
			if over < 10 { // 1 s << 10 is beyond the longest
				delay = guardFirst << over
			}
			state.next = now.Add(delay)
		}
	})
}

// Accepted ends the attempt: the password was right, and the network is one
// of the owner's.
func (a Attempt) Accepted() {
	a.end(true, func(now time.Time, state *attempts) {
		state.refused, state.next, state.known = 0, time.Time{}, now.Add(guardKnown)
	})
}

// Abandoned ends the attempt: nothing was learnt.
func (a Attempt) Abandoned() { a.end(true, func(time.Time, *attempts) {}) }

func (a Attempt) end(refund bool, change func(now time.Time, state *attempts)) {
	g := a.guard
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.Now()
	state := g.pairs[a.pair]
	state.underWay = max(0, state.underWay-1)
	state.last = now
	change(now, &state)
	g.put(a.pair, state, now)
	if refund {
		g.limiter.RefundTo(a.pair.network, "n", guardNetwork())
		if a.counted {
			g.limiter.Refund("a "+a.pair.account, guardAccount())
		}
	}
}

// Trust makes the network one of the owner's and forgets its refusals: a
// password reset from there has worked.
func (g *Guard) Trust(from app.Origin, account string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.Now()
	g.put(newPair(from, account), attempts{last: now, known: now.Add(guardKnown)}, now)
}

// put stores a pair and keeps the map within its bound: first goes what is
// forgotten anyway, then a part of the rest.
func (g *Guard) put(p pair, a attempts, now time.Time) {
	if g.pairs == nil {
		g.pairs = make(map[pair]attempts)
	}
	if _, there := g.pairs[p]; !there && len(g.pairs) >= g.Max {
		for other, state := range g.pairs {
			if state.underWay == 0 && now.Sub(state.last) > guardForget && !now.Before(state.known) {
				delete(g.pairs, other)
			}
		}
		surplus := len(g.pairs) - g.Max + g.Max/8 + 1
		for other := range g.pairs {
			if surplus <= 0 {
				break
			}
			delete(g.pairs, other)
			surplus--
		}
	}
	g.pairs[p] = a
}
