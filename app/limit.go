package app

import (
	"net/netip"
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

	mu       sync.Mutex
	accounts map[string]account
}

// account is all the state of a key (the generic cell rate algorithm).
type account struct {
	due     time.Time // when everything taken so far is paid off
	refused bool      // since the last time it was allowed
}

// Take counts one more for the key, or returns how long to wait before it is
// allowed; first tells the first refusal of a series from those after it.
func (l *Limiter) Take(key string, rate Rate) (wait time.Duration, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	state := l.accounts[key]
	if state.due.Before(now) {
		state.due = now
	}
	if wait = state.due.Sub(now) - rate.Every*time.Duration(rate.Burst-1); wait > 0 {
		first = !state.refused
		state.refused = true
		l.accounts[key] = state
		return wait, first
	}
	l.makeRoom(now)
	l.accounts[key] = account{due: state.due.Add(rate.Every)}
	return 0, false
}

// Refund takes one back.
func (l *Limiter) Refund(key string, rate Rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state, ok := l.accounts[key]; ok {
		state.due = state.due.Add(-rate.Every)
		l.accounts[key] = state
	}
}

// wider lists the prefixes that providers assign as a whole around the /64 of one
// subscriber (RFC 6177), and how much larger their limits are. The holder of a /48
// has 65,536 networks to spend.
func wider() []struct{ bits, times int } {
	return []struct{ bits, times int }{{56, 2}, {48, 4}}
}

// shares returns the keys that something done from a network counts for, with
// the rate of each.
func shares(network netip.Prefix, action string, rate Rate) (keys []string, rates []Rate) {
	keys, rates = []string{action + " " + network.String()}, []Rate{rate}
	if !network.Addr().Is6() {
		return keys, rates
	}
	for _, w := range wider() {
		around, _ := network.Addr().Prefix(w.bits)
		keys = append(keys, action+" "+around.String())
		rates = append(rates, Rate{Burst: rate.Burst * w.times, Every: rate.Every / time.Duration(w.times)})
	}
	return keys, rates
}

// TakeFrom is Take for an action from a network, which counts for the wider
// networks around it, too: from all of them, or from none.
func (l *Limiter) TakeFrom(network netip.Prefix, action string, rate Rate) (wait time.Duration, first bool) {
	keys, rates := shares(network, action, rate)
	for i, key := range keys {
		if wait, first = l.Take(key, rates[i]); wait > 0 {
			for j, taken := range keys[:i] {
				l.Refund(taken, rates[j])
			}
			return wait, first
		}
	}
	return 0, false
}

// RefundTo takes back what TakeFrom has taken.
func (l *Limiter) RefundTo(network netip.Prefix, action string, rate Rate) {
	keys, rates := shares(network, action, rate)
	for i, key := range keys {
		l.Refund(key, rates[i])
	}
}

// Forget gives a key all of its rate back.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.accounts, key)
}

// makeRoom drops what is over and, so that a flood of keys does not sweep the
// whole map for each of them, an eighth of the rest if still full.
func (l *Limiter) makeRoom(now time.Time) {
	if l.accounts == nil {
		l.accounts = make(map[string]account)
	}
	if len(l.accounts) < l.Max {
		return
	}
	for key, state := range l.accounts {
		if !state.due.After(now) {
			delete(l.accounts, key)
		}
	}
	surplus := len(l.accounts) - l.Max + l.Max/8
	for key := range l.accounts {
		if surplus <= 0 {
			return
		}
		delete(l.accounts, key)
		surplus--
	}
}

// Len returns how many keys are remembered.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accounts)
}
