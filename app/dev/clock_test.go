package dev

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	real := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := NewClock(func() time.Time { return real }, time.Time{})
	is := func(want time.Time) {
		t.Helper()
		if got := c.Now(); !got.Equal(want) {
			t.Errorf("it is %s, want %s", got, want)
		}
	}
	is(real)
	hour, minute := time.Hour, time.Minute
	c.Set(Turn{Advance: &hour})
	is(real.Add(time.Hour))
	real = real.Add(time.Minute)
	is(real.Add(time.Hour))
	at, fast := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), 60.0
	if now, ok := c.Set(Turn{Now: &at, Rate: &fast}); !ok || !now.Equal(at) || c.Rate() != 60 {
		t.Errorf("%s %v, rate %v", now, ok, c.Rate())
	}
	kept := c.Setting()
	real = real.Add(time.Second)
	is(at.Add(minute))
	still := 0.0
	c.Set(Turn{Rate: &still})
	real = real.Add(time.Hour)
	is(at.Add(minute))
	c.Restore(kept)
	is(at)
	real = real.Add(time.Second)
	is(at.Add(minute))
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, ok := c.Set(Turn{Now: &far}); ok {
		t.Error("a year was accepted that has no room after it")
	}
	is(at.Add(minute))
	c.Restore(Setting{})
	is(real)
	other := NewClock(func() time.Time { return real }, at)
	if !other.Now().Equal(at) || other.Elapsed() != longAgo {
		t.Errorf("%s, elapsed %s", other.Now(), other.Elapsed())
	}
	if c.Rate() != 1 || c.Elapsed() < longAgo {
		t.Errorf("rate %v, elapsed %s", c.Rate(), c.Elapsed())
	}
	select {
	case <-c.Changed():
	default:
		t.Error("nobody was told")
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT1H": time.Hour, "P1D": 24 * time.Hour, "-PT90S": -90 * time.Second, "P1WT1M": 7*24*time.Hour + time.Minute, "PT0S": 0,
	} {
		if got, ok := ParseDuration(text); !ok || got != want {
			t.Errorf("%s: %s %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "P", "PT", "1h", "P1H", "PT1", "P1M", "PT1.5S", "P1DT", "+PT1S"} {
		if got, ok := ParseDuration(text); ok {
			t.Errorf("%q: %s", text, got)
		}
	}
}
