// Package machine asks the operating system about the ground that the data
// stands on: the room on the disk, its kind, the clock.
package machine

// Clock is what the system says of its own clock.
type Clock int

// What a clock can be.
const (
	ClockUnknown Clock = iota // the system does not tell
	ClockSynced
	ClockFree // nothing keeps it right
)
