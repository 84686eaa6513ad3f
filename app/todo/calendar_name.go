package todo

import "strings"

// objectEnd is what the names of objects end with that no client has chosen.
const objectEnd = ".ics"

// ObjectName returns the name of the object of a task for which no client has chosen one: that
// of its uid or, if it is not made for an address, of a derived one.
func ObjectName(seed Seed, id int64, uid string) string {
	if uid == "" || len(uid) > 200 || strings.ContainsFunc(uid, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-@", r)
	}) || strings.HasPrefix(uid, ".") {
		uid = seed.UID(KindTask, id)
	}
	return uid + objectEnd
}
