package todo

import (
	"math/rand/v2"
	"slices"
	"testing"

	"taskapi/app"
)

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		before, after, want int64
		ok                  bool
	}{
		{0, 1024, 512, true}, {-1024, 0, -512, true}, {-3, -1, -2, true}, {0, 2, 1, true}, {0, 1, 0, false}, {-1, 0, 0, false}, {5, 5, 0, false},
	} {
		if got, ok := Between(c.before, c.after); ok != c.ok || ok && got != c.want {
			t.Errorf("%v: %d, %t", c, got, ok)
		}
	}
}

// A gap lasts for ten bisections, on either side.
func TestAGapLastsForTenMoves(t *testing.T) {
	for _, low := range []bool{true, false} {
		before, after := int64(-2048), int64(-1024)
		n := 0
		for position, ok := Between(before, after); ok; position, ok = Between(before, after) {
			if n++; low {
				after = position
			} else {
				before = position
			}
		}
		if n != 10 {
			t.Errorf("%d moves", n)
		}
	}
}

// Whatever the neighbours are, there is room for the newcomer after it is made, and their
// order stays.
func TestSpreadMakesRoomAndKeepsTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		before := random.Int64N(1<<20) - 1<<19
		var following []int64
		for at, n := before, random.IntN(200); n > 0; n-- {
			at += 1 + random.Int64N([]int64{1, 2, 30, 2000}[random.IntN(4)])
			following = append(following, at)
		}
		newcomer, moved := Spread(before, following)
		all := append(append([]int64{before, newcomer}, moved...), following[len(moved):]...)
		for i := range all[1:] {
			if all[i] >= all[i+1] {
				t.Fatalf("%d before %v: %d and %v", before, following, newcomer, moved)
			}
		}
		if len(moved) < len(following) && len(moved) > spread && !slices.Contains(following[:len(moved)+1], following[len(moved)]) {
			t.Errorf("%d were moved", len(moved))
		}
	}
}

func TestPlacesAreOneOrTheOther(t *testing.T) {
	one, two := app.Given(ByID(1)), app.Given(ByID(2))
	for name, c := range map[string]struct {
		in    PlaceInput
		place Place
		wrong bool
	}{
		"neither": {}, "before": {PlaceInput{Before: one}, Place{Before: ByID(1)}, false}, "after": {PlaceInput{After: two}, Place{After: ByID(2)}, false}, "both": {PlaceInput{one, two}, Place{ByID(1), ByID(2)}, true},
		"null": {PlaceInput{Before: app.Field[Ref]{State: app.Null}}, Place{}, false}, "mistyped": {PlaceInput{Before: app.Field[Ref]{State: app.Mistyped}}, Place{}, true},
	} {
		p := app.Problems{}
		if got := c.in.read(p); got != c.place || (len(p) > 0) != c.wrong {
			t.Errorf("%s: %+v %v", name, got, p)
		}
	}
}
