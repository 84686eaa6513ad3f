package app

import "sync"

// keptPlaces is how much room a Line keeps for reuse: the elements of a queue, and
// the queues of keys that have nothing waiting.
const keptPlaces = 64

// Line is a bounded queue that takes turns by key: Take gives out one value of each
// key that has any, then the next value of each, and the values of one key in the
// order of their arrival. So whoever has many waiting does not hold up whoever has
// one. Each key has so many places and no more, and some places only go to keys
// that have nothing waiting. All methods may be called at the same time. The zero
// key is the program itself, which bounds what it does.
type Line[K comparable, V any] struct {
	// Each is how many places one key has, except the zero key.
	Each int
	// Max is how many places there are for all. As many again are for keys that
	// have none.
	Max int

	mu     sync.Mutex
	n      int                 // how many values wait
	shares map[K]*share[K, V]  // of the keys that have values
	turns  queue[*share[K, V]] // the same, the next one first
	spare  []*share[K, V]      // for reuse
}

// share is what waits of one key.
type share[K comparable, V any] struct {
	key    K
	values queue[V]
}

// Join adds a value behind those of its key. It returns false if there is no place
// for the key.
func (l *Line[K, V]) Join(key K, value V) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var program K
	has := 0
	s := l.shares[key]
	if s != nil {
		has = s.values.len()
	}
	if has >= l.Each && key != program || has > 0 && l.n >= l.Max || l.n >= 2*l.Max {
		return false
	}
	if s == nil {
		s = l.open(key)
	}
	s.values.push(value)
	l.n++
	return true
}

// open gives a key its share, with the last turn.
func (l *Line[K, V]) open(key K) *share[K, V] {
	var s *share[K, V]
	if last := len(l.spare) - 1; last >= 0 {
		s, l.spare = l.spare[last], l.spare[:last]
	} else {
		s = new(share[K, V])
	}
	s.key = key
	if l.shares == nil {
		l.shares = make(map[K]*share[K, V])
	}
	l.shares[key] = s
	l.turns.push(s)
	return s
}

// Take removes at most n values, one of each key in turn, and returns them behind
// dst. The next call goes on with the key whose turn it is then.
func (l *Line[K, V]) Take(dst []V, n int) []V {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range min(n, l.n) {
		s := l.turns.pop()
		dst = append(dst, s.values.pop())
		l.n--
		if s.values.len() > 0 {
			l.turns.push(s)
			continue
		}
		delete(l.shares, s.key)
		if len(l.spare) < keptPlaces {
			*s = share[K, V]{values: s.values}
			l.spare = append(l.spare, s)
		}
	}
	return dst
}

// Len returns how many values wait.
func (l *Line[K, V]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// queue is a first-in, first-out queue in a slice that is used again.
type queue[T any] struct {
	items []T
	first int // items before it are taken, and zero
}

func (q *queue[T]) len() int { return len(q.items) - q.first }

func (q *queue[T]) push(item T) {
	// Moving half of them or less, after as many were taken, costs each one step.
	if len(q.items) == cap(q.items) && q.first >= q.len() {
		rest := copy(q.items, q.items[q.first:])
		clear(q.items[rest:])
		q.items, q.first = q.items[:rest], 0
	}
	q.items = append(q.items, item)
}

// pop removes the first item, of which there must be one.
func (q *queue[T]) pop() T {
	var none T
	item := q.items[q.first]
	q.items[q.first] = none // or it would live on in there
	q.first++
	if q.len() == 0 {
		q.items, q.first = q.items[:0], 0
		if cap(q.items) > keptPlaces {
			q.items = nil
		}
	}
	return item
}
