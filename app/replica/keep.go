package replica

import (
	"slices"
	"strings"
	"time"
)

// keptGenerations is how many generations with a whole snapshot stay, however old they are.
const keptGenerations = 2

// Outdated lists the objects that no state of the time to keep is made of: generations that
// ended before, but for the newest, and in each what is older than the snapshot
// that the time begins with.
func (c Content) Outdated(now time.Time, keep time.Duration) (names []string) {
	from := now.Add(-keep)
	kept := 0
	for age, g := range c.byAge() {
		whole := slices.ContainsFunc(g.snapshots, func(s Snapshot) bool { return s.Whole })
		if whole {
			kept++
		}
		if age > 0 && (!whole || kept > keptGenerations) && g.lastChange().Before(from) {
			names = append(names, g.objects...)
			continue
		}
		var first *Snapshot
		for i, s := range g.snapshots {
			if s.Whole && !s.At.After(from) {
				first = &g.snapshots[i]
			}
		}
		if first == nil {
			continue
		}
		for _, s := range g.snapshots {
			if s.At.Before(first.At) {
				names = append(names, s.Objects...)
			}
		}
		for log, pieces := range g.pieces {
			if log.Index < first.Index {
				for _, p := range pieces {
					names = append(names, p.Object)
				}
			}
		}
	}
	// A manifest goes before what it stands for.
	slices.SortFunc(names, func(a, b string) int { return manifestFirst(a) - manifestFirst(b) })
	return names
}

func manifestFirst(name string) int {
	if strings.HasSuffix(name, "/manifest.json") {
		return 0
	}
	return 1
}
