package store

import (
	"testing"
	"time"
)

func TestTheMemoryOfMailsIsBounded(t *testing.T) {
	var m mailTurns
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for user := range int64(10 * maxMailTurns) {
		m.had(user, now)
	}
	if len(m.until) > maxMailTurns {
		t.Errorf("%d accounts are remembered", len(m.until))
	}
	for range 100 {
		m.had(1, now)
	}
	if got := m.until[1].Sub(now); got != mailTurnMax {
		t.Errorf("%s", got)
	}
}
