package app

import (
	"slices"
	"strings"
	"time"
)

// maxZone is how long the name of a time zone may be, in characters.
const maxZone = 64

// strangeZones begin names that are no time zones of IANA's, but files that lie beside them on
// some systems, or that only Go gives a meaning.
var strangeZones = []string{"Local", "localtime", "posixrules", "Factory", "right/", "posix/", "/"}

// TimeZone returns the time zone with an IANA name; false if there is none.
func TimeZone(name string) (*time.Location, bool) {
	strange := slices.ContainsFunc(strangeZones, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	if name == "" || len(name) > maxZone || strange || strings.Contains(name, "..") {
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
