package app

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := &Limiter{Now: func() time.Time { return now }, Max: 100}
	rate := Rate{Burst: 3, Every: 10 * time.Second}
	take := func(key string, want time.Duration) {
		t.Helper()
		if got, _ := l.Take(key, rate); got != want {
			t.Errorf("%s has to wait %s, want %s", key, got, want)
		}
	}
	for range 3 {
		take("a", 0)
	}
	take("a", 10*time.Second)
	take("b", 0) // another key has its own account
	now = now.Add(4 * time.Second)
	take("a", 6*time.Second) // a refusal costs nothing
	now = now.Add(6 * time.Second)
	take("a", 0)
	take("a", 10*time.Second)
	now = now.Add(time.Hour)
	for range 3 {
		take("a", 0)
	}
	take("a", 10*time.Second)
}

// The memory is bounded whatever keys are sent, and what is paid off goes
// before what is owed.
func TestLimiterForgetsWhatIsPaidOff(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := &Limiter{Now: func() time.Time { return now }, Max: 80}
	short, long := Rate{Burst: 1, Every: time.Second}, Rate{Burst: 1, Every: time.Hour}
	l.Take("guesser", long)
	for n := range 10_000 {
		now = now.Add(50 * time.Millisecond) // twenty are owed at any time
		l.Take(fmt.Sprint(n), short)
		if len(l.accounts) > l.Max {
			t.Fatalf("%d keys are remembered, want at most %d", len(l.accounts), l.Max)
		}
	}
	if wait, _ := l.Take("guesser", long); wait == 0 {
		t.Error("who still owed was forgotten")
	}
	for n := range 10_000 { // all at the same moment
		l.Take(fmt.Sprint("flood ", n), long)
		if len(l.accounts) > l.Max {
			t.Fatalf("%d keys are remembered, want at most %d", len(l.accounts), l.Max)
		}
	}
}
