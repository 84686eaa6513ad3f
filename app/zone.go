package app

import (
	"strings"
	"time"
)

// maxZone is how long the name of a time zone may be, in characters.
const maxZone = 64

// TimeZone returns the time zone with an IANA name; false if there is none. The names that
// only Go gives a meaning, or that are paths, are none.
func TimeZone(name string) (*time.Location, bool) {
	if name == "" || name == "Local" || len(name) > maxZone || strings.HasPrefix(name, "/") || strings.Contains(name, "..") {
		return nil, false
	}
	location, err := time.LoadLocation(name)
	return location, err == nil
}

// IsTimeZone reports whether a text is the name of a time zone.
func IsTimeZone(name string) bool {
	_, known := TimeZone(name)
	return known
}
