package account

import (
	"errors"
	"testing"
	"time"
)

// A token that an earlier process has retired is as old as this process at
// least, whatever the clock showed then.
func TestTokensRetiredBeforeTheStart(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := &Sessions{Rotation: true}
	for name, c := range map[string]struct {
		ago, uptime time.Duration
		want        SessionAction
	}{
		"a retry over a restart":              {10 * time.Second, 5 * time.Second, SessionKeep},
		"a thief":                             {31 * time.Second, 5 * time.Second, SessionStolen},
		"a retry, and the clock was ahead":    {-time.Hour, 5 * time.Second, SessionKeep},
		"a thief, and the clock was ahead":    {-time.Hour, 31 * time.Second, SessionStolen},
		"a thief, and the clock was in 2046":  {-20 * 365 * 24 * time.Hour, time.Minute, SessionStolen},
		"a thief of whom nothing is known":    {0, 31 * time.Second, SessionStolen},
		"a retry as the clock was a bit back": {-time.Second, time.Second, SessionKeep},
	} {
		use := SessionUse{
			Session:   Session{ID: "s", Generation: 2, LastUsedAt: now, ExpiresAt: now.Add(time.Hour)},
			RetiredAt: now.Add(-c.ago),
		}
		if c.ago == 0 {
			use.RetiredAt = time.Time{}
		}
		if got, _ := s.decide(use, 1, now, c.uptime); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Where processes share a store, a token that another one has retired is as old as the clock
// says, however long this process has run: clients that race are sent to different ones.
func TestTokensRetiredByAnotherProcess(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := &Sessions{Rotation: true, Shared: true}
	for name, c := range map[string]struct {
		ago, uptime time.Duration
		unanswered  bool
		want        SessionAction
	}{
		"a race":                                 {10 * time.Millisecond, time.Hour, false, SessionKeep},
		"a race, and the successor is unused":    {10 * time.Millisecond, time.Hour, true, SessionKeep},
		"a race, and their clock is a bit ahead": {-10 * time.Second, time.Hour, false, SessionKeep},
		"a thief":                                {31 * time.Second, time.Hour, false, SessionStolen},
		"a thief, and the successor is unused":   {31 * time.Second, time.Hour, true, SessionStolen},
		"a thief, and this process is new":       {31 * time.Second, time.Second, false, SessionStolen},
		"a thief, and their clock was far ahead": {-time.Hour, time.Hour, false, SessionStolen},
		"a retry over a restart and a jump":      {time.Hour, time.Second, true, SessionKeep},
	} {
		use := SessionUse{
			Session:   Session{ID: "s", Generation: 2, LastUsedAt: now, ExpiresAt: now.Add(time.Hour)},
			RetiredAt: now.Add(-c.ago),
		}
		if c.unanswered {
			use.LastUsedAt = use.RetiredAt
		}
		if got, _ := s.decide(use, 1, now, c.uptime); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The clock may jump while the server is down. A successor that nobody has used may
// have been lost on its way, and is given again for a while after the start.
func TestAClockThatJumpsOverARestart(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := &Sessions{Rotation: true}
	for name, c := range map[string]struct {
		jump, uptime, usedLater time.Duration
		shown                   int64
		want                    SessionAction
	}{
		"a retry after a jump of 61 s":     {61 * time.Second, time.Second, 0, 2, SessionKeep},
		"a retry after a jump of a year":   {365 * 24 * time.Hour, time.Second, 0, 2, SessionKeep},
		"a retry after a jump back":        {-time.Hour, time.Second, 0, 2, SessionKeep},
		"a thief, and the successor lives": {61 * time.Second, time.Second, time.Second, 2, SessionStolen},
		"a thief with an older token":      {61 * time.Second, time.Second, 0, 1, SessionStolen},
		"a thief after the grace":          {61 * time.Second, 31 * time.Second, 0, 2, SessionStolen},
	} {
		retired := now.Add(-c.jump)
		use := SessionUse{
			Session:   Session{ID: "s", Generation: 3, LastUsedAt: retired.Add(c.usedLater), ExpiresAt: now.Add(time.Hour)},
			RetiredAt: retired,
		}
		if got, _ := s.decide(use, c.shown, now, c.uptime); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What was forgotten to bound the memory is no theft.
func TestRetiredTokensOverflow(t *testing.T) {
	var r retired
	for i := range int64(mostRetired) + 2 {
		r.add(retiredToken{"s", i}, time.Hour)
	}
	if age, seen := r.age(retiredToken{"s", 1}, time.Hour+time.Second); seen || age != time.Second {
		t.Errorf("%s, %t", age, seen)
	}
	if age, seen := r.age(retiredToken{"s", mostRetired + 1}, time.Hour+time.Second); !seen || age != time.Second {
		t.Errorf("%s, %t", age, seen)
	}
}

// A clock that is ahead ends nothing for good.
func TestAnExpiredSessionIsNotEndedByItsUse(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := &Sessions{Rotation: true, IdleTTL: time.Hour}
	use := SessionUse{Session: Session{ID: "s", Generation: 1, LastUsedAt: now, ExpiresAt: now.Add(24 * time.Hour)}}
	for _, at := range []time.Time{now.Add(2 * time.Hour), now.AddDate(1, 0, 0)} {
		if action, err := s.decide(use, 1, at, 0); action != SessionKeep || !errors.Is(err, errExpired) {
			t.Errorf("at %s: %v, %v", at, action, err)
		}
	}
	if action, err := s.decide(use, 1, now, 0); action != SessionRotate || err != nil {
		t.Errorf("%v, %v", action, err)
	}
}
