package todo

import "taskapi/app"

// Priority is how important a task is. Higher is more important.
type Priority int

// The priorities of a task. iCalendar's 9, 5 and 1 are low, medium and high (RFC 5545
// section 3.8.1.9).
const (
	PriorityNone Priority = iota
	PriorityLow
	PriorityMedium
	PriorityHigh
)

func priorities() []string { return []string{"none", "low", "medium", "high"} }

// String returns the name of the priority, which ParsePriority reads.
func (p Priority) String() string { return priorities()[p] }

// ParsePriority reads the name of a priority; false if there is none of that name.
func ParsePriority(name string) (Priority, bool) {
	for i, known := range priorities() {
		if name == known {
			return Priority(i), true
		}
	}
	return PriorityNone, false
}

// readPriority checks the field of a request; null is none. Returns nil without one.
func readPriority(p app.Problems, field app.Field[string]) *Priority {
	var priority Priority
	switch field.State {
	case app.Absent:
		return nil
	case app.Mistyped:
		p.Add("priority", "The field priority must be a string.")
	case app.Present:
		var known bool
		if priority, known = ParsePriority(field.Value); !known {
			p.Add("priority", "The field priority must be none, low, medium or high.")
		}
	}
	return &priority
}
