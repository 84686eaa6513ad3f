package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"taskapi/app"
)

// looked is a store that knows nobody, and notes who was looked for.
type looked struct {
	LinkStore
	up []string
}

func (l *looked) RecordByEmail(_ context.Context, email string, _ func(User) (Record, error)) error {
	l.up = append(l.up, email)
	return ErrUserNotFound
}

// However many mails some networks ask for, others can ask for theirs and get them
// before anybody gets a second one; and all that were accepted are looked at, also
// when a stop has begun.
func TestNobodyAsksForAllTheMails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &looked{}
		r := NewRecovery(Recovery{Store: store})
		var accepted []string
		ask := func(address string, user int64, want error) {
			t.Helper()
			email := fmt.Sprintf("someone%d@example.com", len(accepted))
			err := r.Forgot(t.Context(), app.Caller{UserID: user, From: from(address)}, app.Given(email))
			if !errors.Is(err, want) {
				t.Fatalf("asked from %s behind %d others: %v", address, len(accepted), err)
			}
			if err == nil {
				accepted = append(accepted, email)
			}
		}
		for i := 0; len(accepted) < maxAsked; i++ {
			for n := range min(maxAskedOfOne, maxAsked-len(accepted)) {
				ask(fmt.Sprintf("2001:db8:1:%x::%x", i, n), int64(n), nil)
			}
		}
		ask("2001:db8:1:0:ffff::1", 0, app.ErrBusy)
		ask("2001:db8:1:0:ffff::1", 4711, app.ErrBusy)
		many, alone := len(accepted), 20
		networks := (many + maxAskedOfOne - 1) / maxAskedOfOne
		for i := range alone {
			ask(fmt.Sprintf("203.0.113.%d", i), 0, nil)
			ask(fmt.Sprintf("203.0.113.%d", i), 0, app.ErrBusy) // they have one now
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		r.Run(ctx)
		if early := store.up[networks : networks+alone]; !slices.Equal(early, accepted[many:]) {
			t.Errorf("after one of each network came %v, want %v", early, accepted[many:])
		}
		slices.Sort(store.up)
		slices.Sort(accepted)
		if !slices.Equal(store.up, accepted) {
			t.Errorf("%d were looked up of %d", len(store.up), len(accepted))
		}
		if r.asked.Len() != 0 {
			t.Errorf("%d are left", r.asked.Len())
		}
	})
}

// Run looks at what is asked for while it waits.
func TestAskingWakesRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &looked{}
		r := NewRecovery(Recovery{Store: store})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go r.Run(ctx)
		for n := 1; n <= 3; n++ {
			synctest.Wait()
			if err := r.Forgot(ctx, app.Caller{From: from("192.0.2.1")}, app.Given("ann@example.com")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if len(store.up) != n {
				t.Errorf("%d of %d were looked up", len(store.up), n)
			}
		}
	})
}
