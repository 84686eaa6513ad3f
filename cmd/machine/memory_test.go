package machine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Memory is given back when there is more of it than after the last time, and
// not again and again when it is really needed.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		taken, needed, returned := uint64(30*mib), uint64(30*mib), 0
		m := Memory{
			Every:  time.Second,
			Taken:  func() uint64 { return taken },
			Return: func() { taken = needed; returned++ },
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { m.Run(ctx); close(done) }()
		look := func(now, reallyNeeded uint64, want int) {
			t.Helper()
			taken, needed = now*mib, reallyNeeded*mib
			time.Sleep(time.Second)
			synctest.Wait()
			if returned != want {
				t.Errorf("with %d MiB, of which %d are needed, it was given back %d times, want %d", now, reallyNeeded, returned, want)
			}
		}
		look(30, 30, 0)
		look(40, 30, 0)
		look(600, 30, 1)
		look(30, 30, 1)
		look(600, 590, 2)
		look(610, 590, 2)
		look(40, 40, 2)
		look(600, 40, 3)
		cancel()
		<-done
	})
}

func TestTheMachineHasMemory(t *testing.T) {
	if got := takenMemory(); got == 0 {
		t.Error("the program takes none")
	}
}
