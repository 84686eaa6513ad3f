package api

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"taskapi/app"
)

var (
	here      = netip.MustParsePrefix("192.0.2.1/32")
	there     = netip.MustParsePrefix("192.0.2.2/32")
	elsewhere = netip.MustParsePrefix("192.0.2.3/32")
)

// takeAll takes n leases of a size, and returns how many were cut off since.
func takeAll(t *testing.T, b *budget, network netip.Prefix, n int, bytes int64) (leases []*lease, cuts *int) {
	t.Helper()
	cuts = new(int)
	for range n {
		var l *lease
		l, err := b.take(context.Background(), network, bytes, func() { *cuts++; l.give() })
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, l)
	}
	return leases, cuts
}

func TestABudgetIsNeverExceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, time.Second, time.Now)
		takeAll(t, b, here, 5, 10)
		first, _ := takeAll(t, b, there, 4, 10)
		ctx, cancel := context.WithCancel(context.Background())
		failed := make(chan error, 2)
		for _, ask := range []struct {
			network netip.Prefix
			bytes   int64
		}{{here, 1}, {elsewhere, 11}} { // one beyond the half of its network, one beyond all
			go func() {
				_, err := b.take(ctx, ask.network, ask.bytes, nil)
				failed <- err
			}()
		}
		synctest.Wait()
		if b.free != 10 || b.waiting.Len() != 2 {
			t.Errorf("%d free, %d wait", b.free, b.waiting.Len())
		}
		cancel()
		for range 2 {
			if err := <-failed; !errors.Is(err, app.ErrBusy) || !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		for range 2 { // giving back twice gives once
			first[0].give()
		}
		if b.free != 20 || b.waiting.Len() != 0 {
			t.Errorf("%d free, %d wait", b.free, b.waiting.Len())
		}
	})
}

// A network with half of it keeps waiting nobody but itself.
func TestANetworkOvertakesOneThatHasItsHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, time.Hour, time.Now)
		leases, _ := takeAll(t, b, here, 1, 50)
		more := make(chan error, 1)
		go func() {
			_, err := b.take(context.Background(), here, 10, nil)
			more <- err
		}()
		synctest.Wait()
		takeAll(t, b, there, 1, 10)
		leases[0].give()
		if err := <-more; err != nil {
			t.Error(err)
		}
	})
}

// Who keeps others waiting is cut off, the oldest of the greediest first, and
// nobody whose part is done or who has not had the patience's time.
func TestWhoKeepsOthersWaitingIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, time.Second, time.Now)
		done, doneCuts := takeAll(t, b, here, 1, 10)
		done[0].keep()
		_, greedy := takeAll(t, b, here, 4, 10)
		_, modest := takeAll(t, b, there, 3, 15)
		time.Sleep(2 * time.Second) // of the bubble
		l, err := b.take(context.Background(), elsewhere, 20, nil)
		if err != nil {
			t.Fatal(err)
		}
		if *greedy != 2 || *modest != 0 || *doneCuts != 0 {
			t.Errorf("cut off: %d of the greedy, %d of the modest, %d done", *greedy, *modest, *doneCuts)
		}
		l.give()
		if len(b.held) != 2 {
			t.Errorf("%d networks are remembered", len(b.held))
		}
	})
}
