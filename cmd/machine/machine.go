// Package machine asks the operating system about the ground that the data
// stands on: the room on the disk, its kind, the clock.
package machine

import "fmt"

// ClockSync is what the system reports about its clock.
type ClockSync int

// What a clock can be.
const (
	ClockUnknown ClockSync = iota // the system does not tell
	ClockSynced
	ClockFree // nothing keeps it right
)

// BytesText is a size for people.
func BytesText(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
