package machine

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap of this program is small, and then collecting it at half its growth again costs a few
// MB and saves a twentieth of the work under load. Under attack it is large, and memory counts
// more than work: .ci/starve makes it take 145 MiB at most instead of 189, for a thirtieth of the
// sign-ins.
const (
	collectAt      = 150 // percent of growth
	usualCollectAt = 100
	largeCollectAt = 30
	smallHeap      = 24 << 20 // bytes that live
	largeHeap      = 32 << 20
)

// TuneCollector lets the heap grow more between collections while it is small, and less while
// it is large. An environment variable GOGC other than 100 goes first.
func TuneCollector() {
	if before := debug.SetGCPercent(collectAt); before != usualCollectAt {
		debug.SetGCPercent(before)
		return
	}
	afterCollection(collectAt)
}

// afterCollection looks at the heap whenever it has been collected: the runtime then cleans up what
// nothing refers to.
func afterCollection(percent int) {
	mark := new([16]byte)
	runtime.AddCleanup(mark, func(percent int) {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		next := usualCollectAt
		switch live := sample[0].Value.Uint64(); {
		case live < smallHeap:
			next = collectAt
		case live > largeHeap:
			next = largeCollectAt
		}
		if next != percent {
			debug.SetGCPercent(next)
		}
		afterCollection(next)
	}, percent)
}
