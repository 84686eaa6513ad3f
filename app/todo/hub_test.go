package todo

import (
	"context"
	"errors"
	"testing"
	"time"
)

// hubOf returns a hub of which list 7 has the members 1 and 2.
func hubOf(members map[int64][]int64, newest *int64) *Hub {
	return NewHub(func(_ context.Context, list int64) ([]int64, error) {
		users, ok := members[list]
		if !ok {
			return nil, errors.New("no such list")
		}
		return users, nil
	}, func(context.Context) (int64, error) { return *newest, nil }, func() time.Time { return time.Unix(5, 0) })
}

// woken reports whether a follower was woken since the last call.
func woken(f *Follower) bool {
	select {
	case <-f.C:
		return !f.Since().IsZero()
	default:
		return false
	}
}

// Those are woken whom a change concerns, and nobody else.
func TestHubWakesWhomAChangeConcerns(t *testing.T) {
	members, newest := map[int64][]int64{7: {1, 2}, 8: {3}}, int64(1)
	h := hubOf(members, &newest)
	var followers [4]*Follower
	for user := range followers {
		followers[user] = h.Follow(int64(user))
	}
	tell := func(touched ...Touched) (got [4]bool) {
		h.Changed(touched)
		h.spread(context.Background())
		for user, f := range followers {
			got[user] = woken(f)
		}
		return got
	}
	if got := tell(Touched{Scope: 7}); got != [4]bool{1: true, 2: true} {
		t.Errorf("a list: %v", got)
	}
	if got := tell(Touched{Scope: -3}); got != [4]bool{3: true} {
		t.Errorf("one person: %v", got)
	}
	members[7] = []int64{1, 3}
	if got := tell(Touched{Scope: 7, Members: true}, Touched{Scope: -2}); got != [4]bool{1: true, 2: true, 3: true} {
		t.Errorf("somebody left, and somebody joined: %v", got)
	}
	if got := tell(Touched{Scope: 7}); got != [4]bool{1: true, 3: true} {
		t.Errorf("after that: %v", got)
	}
	if got := tell(Touched{Scope: 99}); got != [4]bool{true, true, true, true} {
		t.Errorf("members that can't be read: %v", got)
	}
	followers[1].Close()
	followers[1].Close()
	if got := tell(Touched{Scope: 7}); got != [4]bool{3: true} {
		t.Errorf("after one has gone: %v", got)
	}
	if len(h.followers) != 3 || h.following.Load() != 3 {
		t.Errorf("%d users and %d followers are left", len(h.followers), h.following.Load())
	}
}

// A change of another process, of which nobody tells, wakes everybody.
func TestHubNoticesOtherProcesses(t *testing.T) {
	newest := int64(10)
	h := hubOf(map[int64][]int64{7: {1}}, &newest)
	f := h.Follow(2)
	for _, step := range []struct {
		what    string
		written int64
		told    int
		want    bool
	}{
		{"the first look", 0, 0, false},
		{"nothing", 0, 0, false},
		{"ours", 2, 2, false},
		{"another's", 1, 0, true},
		{"both", 3, 2, true},
		{"ours again", 1, 1, false},
	} {
		newest += step.written
		h.Changed(make([]Touched, step.told))
		h.touched = nil
		h.poll(context.Background())
		if got := woken(f); got != step.want {
			t.Errorf("%s: %v", step.what, got)
		}
	}
}

// Nothing is kept while nobody follows.
func TestHubWithoutFollowers(t *testing.T) {
	newest := int64(1)
	h := hubOf(map[int64][]int64{7: {1}}, &newest)
	h.Follow(1).Close()
	h.Changed([]Touched{{Scope: 7}})
	if len(h.touched) != 0 {
		t.Errorf("%v", h.touched)
	}
	f := h.Follow(1)
	h.Changed([]Touched{{Scope: 7}})
	h.spread(context.Background())
	if !woken(f) {
		t.Error("a later follower is not woken")
	}
}
