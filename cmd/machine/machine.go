// Package machine asks the operating system about the ground that the data
// stands on: the room on the disk, its kind, the clock.
package machine

// ClockSync is what the system says of its own clock.
type ClockSync int

// What a clock can be.
const (
	ClockUnknown ClockSync = iota // the system does not tell
	ClockSynced
	ClockFree // nothing keeps it right
)
