package machine

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Memory is given back when there is more of it than after the last time, and
// rarely again when it is really needed: it may be free later, without more being taken.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		var taken, needed, returned atomic.Uint64
		taken.Store(30 * mib)
		m := Memory{
			Every:  time.Second,
			Taken:  taken.Load,
			Return: func() { taken.Store(needed.Load()); returned.Add(1) },
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { m.Run(ctx); close(done) }()
		synctest.Wait()
		look := func(now, reallyNeeded, want uint64) {
			t.Helper()
			taken.Store(now * mib)
			needed.Store(reallyNeeded * mib)
			time.Sleep(time.Second)
			synctest.Wait()
			if got := returned.Load(); got != want {
				t.Errorf("with %d MiB, of which %d are needed, it was given back %d times, want %d", now, reallyNeeded, got, want)
			}
		}
		look(30, 30, 1) // after the start
		look(40, 30, 1)
		look(600, 30, 2)
		look(30, 30, 2)
		look(600, 590, 3)
		look(610, 590, 4)
		look(610, 590, 4)
		look(610, 590, 5) // after two looks, then four, and so on
		for range 3 {
			look(610, 40, 5)
		}
		look(610, 40, 6)
		for range 100 {
			look(45, 40, 6)
		}
		look(600, 40, 7)
		cancel()
		<-done
	})
}

func TestTheMachineHasMemory(t *testing.T) {
	if got := takenMemory(); got == 0 {
		t.Error("the program takes none")
	}
}
