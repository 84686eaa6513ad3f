package machine_test

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"taskapi/cmd/machine"
)

// A small heap may grow by half more than others, a large one by a third only.
func TestTheCollectorFollowsTheHeap(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	machine.TuneCollector()
	until := func(want uint64) {
		t.Helper()
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		for range 10_000 {
			runtime.GC()
			if metrics.Read(sample); sample[0].Value.Uint64() == want {
				return
			}
		}
		t.Errorf("it stays at %d %%, want %d", sample[0].Value.Uint64(), want)
	}
	until(150)
	medium := make([]byte, 28<<20)
	until(100)
	large := make([]byte, 16<<20)
	until(30)
	runtime.KeepAlive(large)
	until(100)
	runtime.KeepAlive(medium)
	until(150)
}
