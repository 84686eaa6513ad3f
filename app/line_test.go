package app

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// expectEmpty checks that a line which nothing waits in holds on to nothing.
func expectEmpty(t rapid.TB, l *Line[int, int]) {
	t.Helper()
	if l.Len() != 0 || len(l.shares) != 0 || l.turns.len() != 0 || cap(l.turns.items) > keptPlaces || len(l.spare) > keptPlaces {
		t.Errorf("%d wait, %d keys of which %d have a turn, room for %d, %d spare", l.Len(), len(l.shares), l.turns.len(), cap(l.turns.items), len(l.spare))
	}
	for _, s := range l.turns.items[:cap(l.turns.items)] {
		if s != nil {
			t.Fatal("a key that had its turn is left")
		}
	}
	for _, s := range l.spare {
		if s.key != 0 || s.values.len() != 0 || cap(s.values.items) > keptPlaces || slices.ContainsFunc(s.values.items[:cap(s.values.items)], func(v int) bool { return v != 0 }) {
			t.Fatalf("something of what was taken is left: %+v", s)
		}
	}
}

func TestNobodyFillsALine(t *testing.T) {
	const each, places = 4, 20
	for name, keys := range map[string]int{"one": 1, "some": 3, "as many as there are places": places, "more": 3 * places} {
		t.Run(name, func(t *testing.T) {
			line := &Line[int, int]{Each: each, Max: places}
			for i := range 10 * places {
				line.Join(1+i%keys, 1+i)
			}
			if line.Len() > max(places, keys) || line.Len() > each*keys || line.Len() > 2*places {
				t.Errorf("%d keys have %d places", keys, line.Len())
			}
			if keys < 2*places != line.Join(-1, 1) {
				t.Error("who has nothing waiting is in the wrong place")
			}
			line.Take(nil, 10*places)
			expectEmpty(t, line)
		})
	}
}

// waiting is the plain form of a Line: keys in the order of their turns, and what
// each has waiting.
type waiting struct {
	turns []int
	of    map[int][]int
	n     int
}

func (w *waiting) join(l *Line[int, int], key, value int) bool {
	has := len(w.of[key])
	if has >= l.Each && key != 0 || has > 0 && w.n >= l.Max || w.n >= 2*l.Max {
		return false
	}
	if has == 0 {
		w.turns = append(w.turns, key)
	}
	w.of[key] = append(w.of[key], value)
	w.n++
	return true
}

func (w *waiting) take(n int) (values []int) {
	for len(values) < n && w.n > 0 {
		key := w.turns[0]
		values = append(values, w.of[key][0])
		w.turns, w.of[key] = w.turns[1:], w.of[key][1:]
		if len(w.of[key]) > 0 {
			w.turns = append(w.turns, key)
		}
		w.n--
	}
	return values
}

// Whatever happens in whatever order, keys take turns, the values of one come out as
// they came in, and the bounds hold.
func TestALineInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := &Line[int, int]{Each: rapid.IntRange(1, 200).Draw(t, "each"), Max: rapid.IntRange(1, 400).Draw(t, "max")}
		keys := rapid.IntRange(0, 200).Draw(t, "keys")
		model, next := &waiting{of: map[int][]int{}}, 0
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				key := rapid.IntRange(0, keys).Draw(t, "key")
				for range rapid.IntRange(1, 300).Draw(t, "times") {
					next++
					if got, want := line.Join(key, next), model.join(line, key, next); got != want {
						t.Fatalf("key %d has %d of %d places, %d wait: %t is wrong", key, len(model.of[key]), line.Each, model.n, got)
					}
				}
			},
			"many join": func(t *rapid.T) {
				for key := range keys {
					next++
					if got, want := line.Join(key, next), model.join(line, key, next); got != want {
						t.Fatalf("key %d has %d of %d places, %d wait: %t is wrong", key, len(model.of[key]), line.Each, model.n, got)
					}
				}
			},
			"take": func(t *rapid.T) {
				n := rapid.IntRange(0, 300).Draw(t, "n")
				got, want := line.Take([]int{-1}, n), append([]int{-1}, model.take(n)...)
				if !slices.Equal(got, want) {
					t.Fatalf("took %v, want %v", got, want)
				}
			},
			"": func(t *rapid.T) {
				if line.Len() != model.n {
					t.Fatalf("%d wait, want %d", line.Len(), model.n)
				}
			},
		})
		line.Take(nil, model.n)
		expectEmpty(t, line)
	})
}

// Whoever has one waiting gets it before anybody gets a second one, however many they
// have.
func TestWhoHasOneWaitingGoesBeforeTheSecondOfOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := &Line[int, int]{Each: 1000, Max: 10_000}
		counts := rapid.SliceOfN(rapid.IntRange(1, 100), 1, 30).Draw(t, "counts")
		for i, count := range counts {
			for range count {
				line.Join(1+i, 1+i)
			}
		}
		line.Take(nil, rapid.IntRange(0, 200).Draw(t, "taken before"))
		line.Join(-1, -1)
		before := map[int]int{}
		for _, key := range line.Take(nil, line.Len()) {
			if key == -1 {
				break
			}
			if before[key]++; before[key] > 1 {
				t.Fatalf("key %d went twice before the one that waits once", key)
			}
		}
	})
}
