package machine_test

import (
	"runtime"
	"testing"

	"taskapi/cmd/machine"
)

// On one core two goroutines run at once; what there is more is left alone.
func TestOneCoreRunsTwoAtOnce(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for cores, want := range map[int]int{1: 2, 2: 2, 5: 5} {
		runtime.GOMAXPROCS(cores)
		machine.TuneThreads()
		if got := runtime.GOMAXPROCS(0); got != want {
			t.Errorf("%d on %d cores, want %d", got, cores, want)
		}
	}
}
