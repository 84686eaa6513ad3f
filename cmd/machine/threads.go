package machine

import "runtime"

// TuneThreads has two goroutines run at once where there is one core. The runtime takes a while
// to see that a thread waits for the disk, as a commit does, and until then runs nothing in its
// place: on one core that costs a quarter to half of all writes. A larger environment variable
// GOMAXPROCS goes first.
func TuneThreads() {
	if runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
}
