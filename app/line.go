package app

import "sync"

// keptPlaces is how long a line may have been to keep its memory when nobody
// is in it any more.
const keptPlaces = 256

// Line is a bounded queue that nobody fills for all others: in the order of
// arrival, with so many places and no more for each key, and places that only
// those can take who have nothing in it yet. All its methods may be called at
// the same time. The zero key is the program itself, which bounds what it does.
type Line[K comparable, V any] struct {
	// Each is how many places one key has, but the zero one.
	Each int
	// Max is how many places there are for all. As many again are for keys that
	// have none.
	Max int

	mu     sync.Mutex
	line   []placed[K, V]
	places map[K]int // how many each key has; none has 0
}

type placed[K comparable, V any] struct {
	key   K
	value V
}

// Join adds a value at the end. False if there is no place for its key.
func (l *Line[K, V]) Join(key K, value V) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var program K
	has := l.places[key]
	if has >= l.Each && key != program || has > 0 && len(l.line) >= l.Max || len(l.line) >= 2*l.Max {
		return false
	}
	if l.places == nil {
		l.places = make(map[K]int)
	}
	l.places[key]++
	l.line = append(l.line, placed[K, V]{key, value})
	return true
}

// Take removes the first values, at most n, and returns them behind dst.
func (l *Line[K, V]) Take(dst []V, n int) []V {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = min(n, len(l.line))
	for _, p := range l.line[:n] {
		dst = append(dst, p.value)
		if l.places[p.key]--; l.places[p.key] == 0 {
			delete(l.places, p.key)
		}
	}
	rest := copy(l.line, l.line[n:])
	clear(l.line[rest:]) // or what was taken would live on in there
	l.line = l.line[:rest]
	if rest == 0 && cap(l.line) > keptPlaces {
		l.line = nil
	}
	return dst
}

// Len returns how many values wait.
func (l *Line[K, V]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.line)
}
