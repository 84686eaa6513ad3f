package machine

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare is how much of the machine's or the container's memory the
// program may take before the collector works harder; the rest is for the
// database's mapped pages, the page cache and everybody else.
const memoryShare = 0.8

// LimitMemory tells the Go runtime how much memory there is: what the control
// group of the process allows (Linux), else what the machine has. The
// environment variable GOMEMLIMIT goes first. It returns the limit in bytes.
func LimitMemory() (int64, error) {
	return memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithMin(32<<20),
		memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
}

// Memory gives memory back to the system that the program has needed once and
// needs no more. The Go runtime would keep a good part of it: nothing is
// collected while nothing is allocated.
type Memory struct {
	// Every is how often it looks.
	Every time.Duration
	// Taken returns how much memory is taken, in bytes; nil asks the runtime.
	Taken func() uint64
	// Return gives free memory back; nil lets the runtime do it.
	Return func()
}

const (
	// memorySlack and slackPart are how much more than before may be taken, in bytes and as a part.
	memorySlack = 8 << 20
	slackPart   = 8
	// longestPause is how many looks pass at most before what was needed is given back once it
	// is not.
	longestPause = 32
)

// muchMore reports whether more is taken than before.
func muchMore(taken, before uint64) bool { return taken > before+before/slackPart+memorySlack }

// Run looks until the context ends.
func (m Memory) Run(ctx context.Context) {
	if m.Taken == nil {
		m.Taken = takenMemory
	}
	if m.Return == nil {
		m.Return = func() {
			runtime.GC() // what lies in pools outlives one collection
			debug.FreeOSMemory()
		}
	}
	tick := time.NewTicker(m.Every)
	defer tick.Stop()
	before := uint64(0) // the start needed much that nothing needs after it
	least := m.Taken()
	for looks, pause := 0, 1; ; looks++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		grown := muchMore(m.Taken(), before)
		// What was needed the last time may be free since, without anything growing.
		if grown || looks >= pause && muchMore(before, least) {
			m.Return()
			before = m.Taken()
			least = min(least, before)
			if pause = min(2*pause, longestPause); grown {
				pause = 1
			}
			looks = 0
		}
		before = min(before, m.Taken())
	}
}

// takenMemory is what the Go runtime has from the system and not given back.
func takenMemory() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
