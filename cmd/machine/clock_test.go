package machine

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	made := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	system, elapsed := time.Unix(5, 0), time.Duration(0)
	clock := &Clock{System: func() time.Time { return system }, Elapsed: func() time.Duration { return elapsed }, oldest: made, known: made}
	pass := func(d time.Duration) { system, elapsed = system.Add(d), elapsed+d }
	want := func(wrong bool, at time.Time) {
		t.Helper()
		if now := clock.Now(); !now.Equal(at) || clock.Wrong() != wrong {
			t.Errorf("it shows %s and is wrong: %t; want %s", now, clock.Wrong(), at)
		}
	}
	want(true, made)
	pass(time.Minute)
	want(true, made.Add(time.Minute))
	newest := made.AddDate(0, 4, 0)
	clock.Written(newest)
	want(true, newest)
	clock.Written(made) // earlier than what is known
	pass(time.Second)
	want(true, newest.Add(time.Second))
	system = made.AddDate(0, 5, 0) // the network has set it
	want(false, system)
	system = made // right to the second
	want(false, made)
}
