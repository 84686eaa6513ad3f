package todo

import (
	"fmt"
	"strconv"
	"strings"
)

// etag returns an entity tag with its quotes, as the JSON API gives it.
func (c *Calendars) etag(stamp Stamp) string {
	if stamp.Own == 0 {
		return fmt.Sprintf(`"%s-%d"`, c.Lineage, stamp.Version)
	}
	return fmt.Sprintf(`"%s-%d.%d"`, c.Lineage, stamp.Version, stamp.Own)
}

// match reads an If-Match (RFC 9110 section 13.1.1); nil without one and for "*". Weak tags, and
// those of another lineage, are of nothing.
func (c *Calendars) match(header string) *Match {
	if strings.TrimSpace(header) == "" {
		return nil
	}
	match := &Match{}
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			return nil
		}
		if stamp, ok := c.readTag(tag); ok {
			match.Stamps = append(match.Stamps, stamp)
		}
	}
	return match
}

func (c *Calendars) readTag(tag string) (stamp Stamp, ok bool) {
	inside, ours := strings.CutPrefix(tag, `"`+c.Lineage+"-")
	inside, closed := strings.CutSuffix(inside, `"`)
	version, own, both := strings.Cut(inside, ".")
	var err error
	if stamp.Version, err = strconv.ParseInt(version, 10, 64); err == nil && both {
		stamp.Own, err = strconv.ParseInt(own, 10, 64)
	}
	return stamp, ours && closed && err == nil
}
