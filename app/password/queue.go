package password

import (
	"slices"
	"time"
)

// knownTurns is how many turns those on known networks have in a row while
// others wait; then one of the others has one.
const knownTurns = 3

// otherShare is the part of a full queue, 1/otherShare, that those on known
// networks leave to the others.
const otherShare = 4

// queue is who waits in front of a gate. Whatever one network sends, it costs
// the others one turn: each has a lane, and the turns go
//
//   - to known networks, but each fourth to the others;
//   - among those to the network that owes least (see debts), so that who comes
//     now and then passes by those who come without end; of two that owe the
//     same, to the one whose lane is older;
//   - within a lane in the order of arrival.
//
// When max wait, a newcomer takes the place of the last one in the longest lane,
// and is turned away where that would be no fairer. The lanes are few, at most
// max, and a turn is tens of milliseconds, so they are searched one by one.
type queue struct {
	max    int
	lanes  []*lane // those with somebody in it, the oldest first
	known  int     // how many wait on known networks
	others int
	streak int // turns of known networks in a row while others waited
	debts  debts
}

// lane is who waits on one network, in the order of arrival.
type lane struct {
	client  client
	waiters []*waiter
}

// waiter is one entry in the queue.
type waiter struct {
	client client
	called chan error // has room for the one call: nil to come in, or ErrBusy
}

func (q *queue) waiting() int { return q.known + q.others }

// join puts w at the end of its lane. False if the queue is full of those who
// have as much right to be there; displaced, if any, has lost its place to w.
func (q *queue) join(w *waiter, now time.Time) (displaced *waiter, ok bool) {
	if q.waiting() >= q.max {
		if displaced = q.displaced(w.client, now); displaced == nil {
			return nil, false
		}
		q.remove(displaced)
	}
	l := q.lane(w.client)
	if l == nil {
		l = &lane{client: w.client}
		q.lanes = append(q.lanes, l)
	}
	l.waiters = append(l.waiters, w)
	*q.count(w.client)++
	return displaced, true
}

func (q *queue) lane(c client) *lane {
	i := slices.IndexFunc(q.lanes, func(l *lane) bool { return l.client == c })
	if i < 0 {
		return nil
	}
	return q.lanes[i]
}

func (q *queue) count(c client) *int {
	if c.known {
		return &q.known
	}
	return &q.others
}

// displaced returns the waiter that makes room for c in a full queue; nil for none.
func (q *queue) displaced(c client, now time.Time) *waiter {
	leastOfOthers := q.max / otherShare
	switch {
	case c.known && q.others > leastOfOthers:
		return q.longest(false, now).last()
	case !c.known && q.others < leastOfOthers:
		return q.longest(true, now).last()
	}
	length := 1 // of c's lane, with c in it
	if own := q.lane(c); own != nil {
		length += len(own.waiters)
	}
	victim := q.longest(c.known, now)
	switch {
	case victim == nil || len(victim.waiters) < length:
		return nil
	case len(victim.waiters) == length && q.debts.of(victim.client.network, now) <= q.debts.of(c.network, now):
		return nil
	}
	return victim.last()
}

func (l *lane) last() *waiter { return l.waiters[len(l.waiters)-1] }

// longest is the lane with the most waiters; of two as long, the one that owes
// more, and then the younger one.
func (q *queue) longest(known bool, now time.Time) *lane {
	var found *lane
	var owes time.Duration
	for _, l := range q.lanes {
		if l.client.known != known || found != nil && len(l.waiters) < len(found.waiters) {
			continue
		}
		owed := q.debts.of(l.client.network, now)
		if found == nil || len(l.waiters) > len(found.waiters) || owed >= owes {
			found, owes = l, owed
		}
	}
	return found
}

// next takes the one whose turn it is out of the queue; nil if the queue is empty.
func (q *queue) next(now time.Time) *waiter {
	if len(q.lanes) == 0 {
		return nil
	}
	known := q.known > 0 && (q.others == 0 || q.streak < knownTurns)
	if known && q.others > 0 {
		q.streak++
	} else {
		q.streak = 0
	}
	var chosen *lane
	var owes time.Duration
	for _, l := range q.lanes {
		if l.client.known != known {
			continue
		}
		if owed := q.debts.of(l.client.network, now); chosen == nil || owed < owes {
			chosen, owes = l, owed
		}
	}
	w := chosen.waiters[0]
	q.remove(w)
	q.debts.charge(w.client.network, now)
	return w
}

// remove takes w out of the queue. False if it is not in it.
func (q *queue) remove(w *waiter) bool {
	l := q.lane(w.client)
	if l == nil {
		return false
	}
	i := slices.Index(l.waiters, w)
	if i < 0 {
		return false
	}
	l.waiters = slices.Delete(l.waiters, i, i+1)
	*q.count(w.client)--
	if len(l.waiters) == 0 {
		q.lanes = slices.DeleteFunc(q.lanes, func(other *lane) bool { return other == l })
	}
	return true
}
