package mcp

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxRemembered bounds a memory.
const maxRemembered = 4096

// memory remembers for a while. What it has forgotten early costs a person a question.
type memory struct {
	now    func() time.Time
	period time.Duration

	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func newMemory(now func() time.Time, period time.Duration) *memory {
	return &memory{now: now, period: period, until: map[[sha256.Size]byte]time.Time{}}
}

func (m *memory) note(key [sha256.Size]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if len(m.until) >= maxRemembered {
		for key, until := range m.until {
			if !now.Before(until) {
				delete(m.until, key)
			}
		}
		for key := range m.until {
			if len(m.until) < maxRemembered {
				break
			}
			delete(m.until, key)
		}
	}
	m.until[key] = now.Add(m.period)
}

// has reports whether a key was noted.
func (m *memory) has(key [sha256.Size]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, noted := m.until[key]
	return noted && m.now().Before(until)
}

// take is has, and forgets the key.
func (m *memory) take(key [sha256.Size]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, noted := m.until[key]
	delete(m.until, key)
	return noted && m.now().Before(until)
}
