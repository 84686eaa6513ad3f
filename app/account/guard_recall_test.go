package account

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"taskapi/app"
)

// origins is a store of one use of a session after the other.
type origins struct {
	since time.Time
	limit int
	uses  []use
	err   error
}

type use struct {
	email, address string
	at             time.Time
}

func (o *origins) Origins(_ context.Context, since time.Time, limit int, each func(string, app.Origin, time.Time)) error {
	o.since, o.limit = since, limit
	for _, u := range o.uses[:min(limit, len(o.uses))] {
		each(u.email, from(u.address), u.at)
	}
	return o.err
}

// After a restart the owner's networks are known again, for as long as they
// would have been, and nobody else's.
func TestGuardRecallsNetworks(t *testing.T) {
	g, now := guardRig()
	at := now.Add(-10 * 24 * time.Hour)
	store := &origins{uses: []use{{"Ann@Example.com", "2001:db8:1:2::3", at}, {"ben@example.com", "192.0.2.1", at}}}
	attempt, _, _ := g.Begin(from("192.0.2.1"), "ben@example.com")
	attempt.Refused() // since the start
	if err := g.Recall(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if want := now.Add(-guardKnown); !store.since.Equal(want) || store.limit != g.Max/2 {
		t.Errorf("asked for %d since %s", store.limit, store.since)
	}
	known := func(address, account string) bool {
		attempt, wait, _ := g.Begin(from(address), account)
		defer attempt.Abandoned()
		return wait == 0 && attempt.known
	}
	for _, tc := range []struct {
		address, account string
		want             bool
	}{
		{"2001:db8:1:2::ffff", "ann@example.com", true},
		{"2001:db8:1:3::1", "ann@example.com", false},
		{"2001:db8:1:2::3", "eve@example.com", false},
		{"192.0.2.1", "ben@example.com", false},
	} {
		if got := known(tc.address, tc.account); got != tc.want {
			t.Errorf("%s to %s is known: %t", tc.address, tc.account, got)
		}
	}
	*now = at.Add(guardKnown)
	if known("2001:db8:1:2::3", "ann@example.com") {
		t.Error("known for longer than before the restart")
	}
}

func TestRecallIsBounded(t *testing.T) {
	g, now := guardRig()
	broken := errors.New("broken")
	store := &origins{err: broken}
	for i := range 10 * g.Max {
		store.uses = append(store.uses, use{fmt.Sprintf("x%d@example.com", i), "192.0.2.1", *now})
	}
	if err := g.Recall(t.Context(), store); !errors.Is(err, broken) {
		t.Error(err)
	}
	if len(g.pairs) != g.Max/2 {
		t.Errorf("%d pairs", len(g.pairs))
	}
	var none *Guard
	if err := none.Recall(t.Context(), store); err != nil {
		t.Error(err)
	}
}
