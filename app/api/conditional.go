package api

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"taskapi/app/todo"
)

// Conditional requests: RFC 9110 section 13.

// etagOf returns the strong entity tag of a content (RFC 9110 section 8.8.3).
func etagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
}

// matches reports whether a client has what the tag stands for: one of a list,
// weak or strong, or anything (RFC 9110 section 13.1.2).
func matches(c *fiber.Ctx, etag string) bool {
	for _, line := range c.Request().Header.PeekAll(fiber.HeaderIfNoneMatch) {
		for tag := range strings.SplitSeq(string(line), ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
				return true
			}
		}
	}
	return false
}

// stamp is the inside of an entity tag: the lineage, the version and, if there is any, that
// of the reader's own part.
func (s *Server) stamp(stamp todo.Stamp) string {
	if stamp.Own == 0 {
		return fmt.Sprintf("%s-%d", s.Lineage, stamp.Version)
	}
	return fmt.Sprintf("%s-%d.%d", s.Lineage, stamp.Version, stamp.Own)
}

// etag sets and returns the entity tag of a task.
func (s *Server) etag(c *fiber.Ctx, task todo.Task) string {
	etag := `"` + s.stamp(task.Stamp()) + `"`
	c.Set(fiber.HeaderETag, etag)
	return etag
}

// ifMatch reads the condition of a change (RFC 9110 section 13.1.1); nil for none, and
// for "*", since what is not there is not found anyway. Weak tags, and those of another
// lineage, are of no version.
func (s *Server) ifMatch(c *fiber.Ctx) *todo.Match {
	lines := c.Request().Header.PeekAll(fiber.HeaderIfMatch)
	if len(lines) == 0 {
		return nil
	}
	match := &todo.Match{}
	for _, line := range lines {
		for tag := range strings.SplitSeq(string(line), ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" {
				return nil
			}
			if stamp, ok := s.readStamp(tag); ok {
				match.Stamps = append(match.Stamps, stamp)
			}
		}
	}
	return match
}

// readStamp reads an entity tag of a task or of a list.
func (s *Server) readStamp(tag string) (stamp todo.Stamp, ok bool) {
	inside, ours := strings.CutPrefix(tag, `"`+s.Lineage+"-")
	inside, closed := strings.CutSuffix(inside, `"`)
	if !ours || !closed {
		return stamp, false
	}
	inside, _, _ = strings.Cut(inside, "+") // what is counted is no condition
	version, own, both := strings.Cut(inside, ".")
	var err error
	if stamp.Version, err = strconv.ParseInt(version, 10, 64); err == nil && both {
		stamp.Own, err = strconv.ParseInt(own, 10, 64)
	}
	return stamp, err == nil
}
