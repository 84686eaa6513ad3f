package store

import (
	"maps"
	"sync"
	"time"
)

const (
	// dueWindow is how many of the mails that have been due longest are looked at
	// to choose the next one.
	dueWindow = 500
	// mailTurn is how long one mail counts against its account, and mailTurnMax
	// how long many do: mails that strangers cause in the name of an account don't
	// delay its own for longer.
	mailTurn    = 10 * time.Second
	mailTurnMax = time.Minute
	// maxMailTurns bounds how many accounts are remembered, at 50 bytes each.
	maxMailTurns = 1000
)

// dueMail is a mail that is due.
type dueMail struct{ id, user int64 }

// mailTurns keeps until when each account has used up its share of the worker,
// which sends one mail at a time. Losing it does no harm.
type mailTurns struct {
	mu    sync.Mutex
	until map[int64]time.Time // by user
}

// first returns the next mail to send: of mails in the order in which they are due,
// the first one of the account that used the least.
func (m *mailTurns) first(due []dueMail, now time.Time) (first dueMail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	least := 2 * mailTurnMax
	for _, mail := range due {
		if had := max(0, m.until[mail.user].Sub(now)); had < least {
			first, least = mail, had
		}
	}
	return first
}

// had counts a mail.
func (m *mailTurns) had(user int64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until := m.until[user]
	if until.Before(now) {
		until = now
	}
	if len(m.until) >= maxMailTurns {
		maps.DeleteFunc(m.until, func(_ int64, until time.Time) bool { return !until.After(now) })
	}
	if m.until == nil || len(m.until) >= maxMailTurns {
		m.until = make(map[int64]time.Time)
	}
	if until = until.Add(mailTurn); until.Sub(now) > mailTurnMax {
		until = now.Add(mailTurnMax)
	}
	m.until[user] = until
}
