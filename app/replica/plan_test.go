package replica

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func second(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

// world builds the names of a place.
type world struct{ names []string }

func (w *world) piece(l Log, start, end int64, at int) {
	w.names = append(w.names, PieceName(l, start, Segment{End: end, Sum: uint64(end), At: second(at)}))
}

func (w *world) snapshot(l Log, needs int64, at int, whole bool) {
	dir := SnapshotDir(l, needs, second(at))
	w.names = append(w.names, PartName(dir, 0))
	if whole {
		w.names = append(w.names, ManifestName(dir))
	}
}

func (w *world) content() Content {
	var all []Object
	for _, name := range w.names {
		all = append(all, Object{Name: name})
	}
	return Read(all)
}

// recipe says what a plan is made of: the snapshot's second, and the pieces of each log.
func recipe(t *testing.T, r Recipe) string {
	t.Helper()
	out := fmt.Sprint(int(r.Snapshot.At.Sub(noon).Seconds()))
	for _, pieces := range r.Logs {
		out += " |"
		for _, p := range pieces {
			out += fmt.Sprintf(" %d-%d", p.Start, p.End)
		}
	}
	return out
}

func log(generation string, index uint32, previous int64) Log {
	return Log{Generation: generation, Index: index, Salt: uint64(index) + 7, Previous: previous}
}

// usual is a place with two generations: the first ended, the second has two snapshots.
func usual() *world {
	w := &world{}
	a, b0, b1, b2 := log("20261130-a", 0, 0), log("20261130-b", 0, 0), log("20261130-b", 1, 300), log("20261130-b", 2, 50)
	w.snapshot(a, 100, 1, true)
	w.piece(a, 0, 100, 1)
	w.piece(a, 100, 200, 5)
	w.snapshot(b0, 100, 10, true)
	w.piece(b0, 0, 100, 10)
	w.piece(b0, 100, 200, 12)
	w.piece(b0, 200, 300, 14)
	w.piece(b1, 0, 50, 16)
	w.snapshot(b2, 20, 19, true)
	w.piece(b2, 0, 20, 18)
	w.piece(b2, 20, 60, 20)
	return w
}

func TestPlans(t *testing.T) {
	first, b0, b1, b2 := log("20261130-a", 0, 0), log("20261130-b", 0, 0), log("20261130-b", 1, 300), log("20261130-b", 2, 50)
	for name, c := range map[string]struct {
		change func(*world)
		at     int // -1: the last
		want   string
	}{
		"the last":                    {nil, -1, "19 | 0-20 20-60"},
		"between":                     {nil, 15, "10 | 0-100 100-200 200-300 | 0-50"},
		"in the first generation":     {nil, 3, "1 | 0-100 100-200"},
		"between generations":         {nil, 8, "1 | 0-100 100-200"},
		"before a snapshot is needed": {nil, 18, "10 | 0-100 100-200 200-300 | 0-50 | 0-20 20-60"},
		"before all":                  {nil, 0, "range 1 20"},
		"after all":                   {nil, 21, "range 1 20"},
		"a bundle":                    {func(w *world) { w.piece(b0, 0, 300, 14) }, 17, "10 | 0-300 | 0-50 | 0-20"},
		"a bundle that overlaps":      {func(w *world) { w.piece(b2, 10, 90, 22) }, -1, "19 | 0-20 10-90"},
		"a snapshot under way":        {func(w *world) { w.snapshot(b2, 60, 20, false) }, -1, "19 | 0-20 20-60"},
		"one whose log is under way":  {func(w *world) { w.snapshot(b2, 80, 20, true) }, -1, "19 | 0-20 20-60"},
		"a missing piece":             {func(w *world) { w.drop(b2, 0, 20) }, -1, "gap 16"},
		"before a missing piece":      {func(w *world) { w.drop(b2, 0, 20) }, 16, "10 | 0-100 100-200 200-300 | 0-50"},
		"a missing end of a log":      {func(w *world) { w.drop(b0, 200, 300); w.drop(b2, 0, 20) }, -1, "gap 12"},
		"a missing log":               {func(w *world) { w.drop(b1, 0, 50) }, 17, "gap 14"},
		"a missing log is not needed": {func(w *world) { w.drop(b1, 0, 50) }, -1, "19 | 0-20 20-60"},
		"nothing":                     {func(w *world) { w.names = nil }, -1, "empty"},
		"a snapshot alone":            {func(w *world) { w.names = w.names[:2] }, -1, "empty"},
		"no beginning":                {func(w *world) { w.names = w.names[:4]; w.drop(first, 0, 100) }, -1, "gap none"},
		"what is not ours": {func(w *world) {
			w.names = append(w.names, "generations/x", "generations/x/y", "else", "generations/20261130-b/zzz/1.wal")
		}, -1, "19 | 0-20 20-60"},
	} {
		w := usual()
		if c.change != nil {
			c.change(w)
		}
		var at time.Time
		if c.at >= 0 {
			at = second(c.at)
		}
		r, err := w.content().Plan(at)
		var outside *RangeError
		var gap *GapError
		got := ""
		switch {
		case errors.As(err, &outside):
			got = fmt.Sprintf("range %.0f %.0f", outside.First.Sub(noon).Seconds(), outside.Last.Sub(noon).Seconds())
		case errors.As(err, &gap) && gap.Until.IsZero():
			got = "gap none"
		case errors.As(err, &gap):
			got = fmt.Sprintf("gap %.0f", gap.Until.Sub(noon).Seconds())
		case errors.Is(err, ErrEmpty):
			got = "empty"
		case err == nil:
			got = recipe(t, r)
		}
		if got != c.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, c.want)
		}
	}
}

// drop removes a piece.
func (w *world) drop(l Log, start, end int64) {
	prefix := fmt.Sprintf("%s%010x-%010x-", l.Dir(), start, end)
	w.names = slices.DeleteFunc(w.names, func(name string) bool { return strings.HasPrefix(name, prefix) })
}

// What is kept makes every state of the time to keep, and what is removed makes none.
func TestWhatIsOutdated(t *testing.T) {
	for age, want := range map[int]int{0: 0, 5: 0, 19: 0, 25: 6, 1000: 6} {
		// Within the second generation, what is older than its last snapshot goes once that is old.
		gone := usual().content().Outdated(second(age), 5*time.Second)
		if len(gone) != want {
			t.Errorf("at %d: %v", age, gone)
		}
	}
	w := usual()
	c := log("20261130-c", 0, 0)
	w.snapshot(c, 0, 30, true)
	w.piece(c, 0, 100, 31)
	// Generations that came to nothing don't count.
	w.names = append(w.names, Begun("20261130-b1"), Begun("20261130-d"))
	gone := w.content().Outdated(second(40), 5*time.Second)
	if len(gone) != 4+6+1 || !strings.HasSuffix(gone[0], "manifest.json") {
		t.Errorf("%v", gone)
	}
	w.names = slices.DeleteFunc(w.names, func(name string) bool { return slices.Contains(gone, name) })
	if r, err := w.content().Plan(second(20)); err != nil || recipe(t, r) != "19 | 0-20 20-60" {
		t.Error(r, err)
	}
}

func TestTail(t *testing.T) {
	tail, found := usual().content().Tail()
	if !found || tail.Index != 2 || tail.End != 60 || tail.Sum != 60 || !tail.Snapshot.Equal(second(19)) || tail.Previous != 50 {
		t.Errorf("%+v, %t", tail, found)
	}
	if _, found := (&world{}).content().Tail(); found {
		t.Error("of nothing")
	}
}

// Segments that stand one after another are read as they were written, and no byte can be another one.
func TestSegments(t *testing.T) {
	var object []byte
	for i := range int64(3) {
		text, err := Encode(Segment{Log: Log{Index: 4, Salt: 1 << 60}, Start: i * 100, End: i*100 + 100, Sum: uint64(i), At: second(int(i)), Bytes: bytes.Repeat([]byte{byte(i)}, 100)})
		if err != nil {
			t.Fatal(err)
		}
		object = append(object, text...)
	}
	all, err := Decode(object)
	if err != nil || len(all) != 3 || all[2].Start != 200 || all[2].Sum != 2 || all[1].Bytes[5] != 1 || !all[2].At.Equal(second(2)) || all[0].Salt != 1<<60 {
		t.Fatalf("%+v, %v", all, err)
	}
	for i := range object {
		spoilt := slices.Clone(object)
		spoilt[i] ^= 1
		if _, err := Decode(spoilt); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for n := range object {
		if cut, err := Decode(object[:n]); err == nil && len(cut) == 3 || err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}
