package password

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"
)

// held is a Hasher whose hashes end only when the test lets them.
type held struct {
	*Hasher
	release chan struct{} // one element lets one hash end
	inside  atomic.Int64
	most    atomic.Int64
	done    chan error // what each call of start returned
}

// newHeld returns a held Hasher; call it inside a synctest bubble.
func newHeld(t *testing.T, o Options) *held {
	t.Helper()
	o.Params = cheap()
	h := &held{Hasher: newHasher(t, o), release: make(chan struct{}), done: make(chan error, 100)}
	work := func() {
		n := h.inside.Add(1)
		for m := h.most.Load(); n > m; m = h.most.Load() {
			h.most.CompareAndSwap(m, n)
		}
		<-h.release
		h.inside.Add(-1)
	}
	h.check = func(string, string) (bool, *argon2id.Params, error) {
		work()
		return false, &h.params, nil
	}
	h.create = func(string, *argon2id.Params) (string, error) {
		work()
		return h.dummy, nil
	}
	return h
}

// start begins a check or, for odd i, a hash.
func (h *held) start(ctx context.Context, i int) {
	go func() {
		if i%2 == 0 {
			h.done <- h.VerifyNone(ctx, "secret")
			return
		}
		_, err := h.Hash(ctx, "secret")
		h.done <- err
	}()
}

// finish lets n hashes end and expects them to succeed.
func (h *held) finish(t *testing.T, n int) {
	t.Helper()
	for range n {
		h.release <- struct{}{}
		if err := <-h.done; err != nil {
			t.Error(err)
		}
	}
}

// wantLoad checks Load once every goroutine is blocked.
func (h *held) wantLoad(t *testing.T, running, waiting int) {
	t.Helper()
	synctest.Wait()
	r, w := h.Load()
	if r != running || w != waiting {
		t.Errorf("%d run and %d wait, want %d and %d", r, w, running, waiting)
	}
	if inside := int(h.inside.Load()); inside != running {
		t.Errorf("%d hashes are really being worked on, want %d", inside, running)
	}
}

func TestConcurrencyAndQueueAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld(t, Options{Concurrency: 2, Queue: 3})
		for i := range 5 {
			h.start(t.Context(), i)
		}
		h.wantLoad(t, 2, 3)
		if _, err := h.Hash(t.Context(), "secret"); !errors.Is(err, ErrBusy) {
			t.Errorf("Hash with a full queue: %v", err)
		}
		if err := h.VerifyNone(t.Context(), "secret"); !errors.Is(err, ErrBusy) {
			t.Errorf("VerifyNone with a full queue: %v", err)
		}
		h.wantLoad(t, 2, 3)
		h.finish(t, 1)
		h.wantLoad(t, 2, 2)
		h.start(t.Context(), 0)
		h.wantLoad(t, 2, 3)
		h.finish(t, 5)
		h.wantLoad(t, 0, 0)
		if most := h.most.Load(); most != 2 {
			t.Errorf("up to %d hashes were worked on at once, want 2", most)
		}
	})
}

func TestCancelledWaiterLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld(t, Options{Concurrency: 1, Queue: 1})
		h.start(t.Context(), 0)
		h.wantLoad(t, 1, 0)
		ctx, cancel := context.WithCancel(t.Context())
		h.start(ctx, 0)
		h.wantLoad(t, 1, 1)
		cancel()
		if err := <-h.done; !errors.Is(err, ErrBusy) || !errors.Is(err, context.Canceled) {
			t.Errorf("the cancelled waiter got %v", err)
		}
		h.wantLoad(t, 1, 0)
		h.start(t.Context(), 1)
		h.wantLoad(t, 1, 1)
		h.finish(t, 2)
		h.wantLoad(t, 0, 0)
	})
}

func TestWhoeverIsGoneCostsNoHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld(t, Options{Concurrency: 1})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Hash(ctx, "secret"); !errors.Is(err, ErrBusy) || !errors.Is(err, context.Canceled) {
			t.Errorf("Hash: %v", err)
		}
		h.wantLoad(t, 0, 0)
	})
}

func TestWaitersComeInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 10, time.Now)
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		order := make(chan int, 10)
		for i := range 10 {
			go func() {
				if err := g.enter(t.Context()); err != nil {
					t.Error(err)
				}
				order <- i
				g.leave()
			}()
			synctest.Wait()
		}
		g.leave()
		for want := range 10 {
			if got := <-order; got != want {
				t.Errorf("waiter %d came instead of %d", got, want)
			}
		}
	})
}

func TestQueueAndConcurrencyHaveDefaults(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	if h.gate.queue.max != defaultQueue || h.gate.concurrency < 1 {
		t.Errorf("queue %d, concurrency %d", h.gate.queue.max, h.gate.concurrency)
	}
}
