package todo

import "slices"

// Match is a condition on the version of a task: only one of these may be changed (RFC
// 9110 section 13.1.1). Nil is no condition.
type Match struct{ Versions []int64 }

// Holds reports whether a task with the version may be changed.
func (m *Match) Holds(version int64) bool { return m == nil || slices.Contains(m.Versions, version) }
