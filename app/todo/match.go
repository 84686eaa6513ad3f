package todo

import "slices"

// Stamp is what a representation of a task or a list is known by: the number of its last
// change and that of the reader's own part in it, reminders or membership; 0 without.
type Stamp struct{ Version, Own int64 }

// Match is a condition on the version of a task or a list: only one of these may be
// changed (RFC 9110 section 13.1.1). Nil is no condition.
type Match struct{ Stamps []Stamp }

// Holds reports whether what has the stamp may be changed.
func (m *Match) Holds(stamp Stamp) bool { return m == nil || slices.Contains(m.Stamps, stamp) }
