package app

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func expectEmpty(t *testing.T, l *Line[int, int]) {
	t.Helper()
	if l.Len() != 0 || len(l.places) != 0 || cap(l.line) > keptPlaces {
		t.Errorf("%d wait, %d keys have places, room for %d", l.Len(), len(l.places), cap(l.line))
	}
	for _, p := range l.line[:cap(l.line)] {
		if p != (placed[int, int]{}) {
			t.Fatal("something of what was taken is left")
		}
	}
}

func TestNobodyFillsALine(t *testing.T) {
	const each, places = 4, 20
	for name, keys := range map[string]int{"one": 1, "some": 3, "as many as there are places": places, "more": 3 * places} {
		t.Run(name, func(t *testing.T) {
			line := &Line[int, int]{Each: each, Max: places}
			for i := range 10 * places {
				line.Join(1+i%keys, i)
			}
			if line.Len() > max(places, keys) || line.Len() > each*keys || line.Len() > 2*places {
				t.Errorf("%d keys have %d places", keys, line.Len())
			}
			if keys < 2*places != line.Join(-1, 0) {
				t.Error("who has nothing waiting is in the wrong place")
			}
			line.Take(nil, 10*places)
			expectEmpty(t, line)
		})
	}
}

// Whatever happens in whatever order, values come out in the order of those
// that got in, and the bounds hold.
func TestALineInAnyOrder(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 2))
		line := &Line[int, int]{Each: 1 + random.IntN(6), Max: 1 + random.IntN(40)}
		var want []int
		has := map[int]int{}
		key := map[int]int{}
		for i := 1; i < 3000; i++ {
			if random.IntN(3) > 0 {
				k := random.IntN(50)
				may := (has[k] < line.Each || k == 0) && (len(want) < line.Max || has[k] == 0) && len(want) < 2*line.Max
				if line.Join(k, i) != may {
					t.Fatalf("key %d has %d of %d places: %t is wrong", k, has[k], len(want), !may)
				}
				if may {
					want, key[i] = append(want, i), k
					has[k]++
				}
				continue
			}
			got := line.Take([]int{-1}, random.IntN(20))
			n := len(got) - 1
			if got[0] != -1 || !slices.Equal(got[1:], want[:n]) {
				t.Fatalf("took %v, want the first of %v", got, want)
			}
			for _, value := range got[1:] {
				has[key[value]]--
			}
			want = want[n:]
			if line.Len() != len(want) {
				t.Fatalf("%d wait, want %d", line.Len(), len(want))
			}
		}
		line.Take(nil, len(want))
		expectEmpty(t, line)
	}
}
