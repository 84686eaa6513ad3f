package api

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// query lists the parameters of a route. Without the list, a misspelt one would
// have no effect and nobody would notice.
type query []string

// anything allows all parameters, for the page, to whose address others add their
// own.
const anything = "*"

// unknownParameter returns the error for a parameter that does not exist.
func unknownParameter(message string) *app.Error {
	return &app.Error{Kind: app.KindMalformed, Code: "unknown_parameter", Message: message}
}

// only refuses other parameters and repeated ones. Names that begin with an
// underscore are ignored: clients add them to bypass caches.
func (q query) only(c *fiber.Ctx) error {
	args := c.Context().QueryArgs()
	if args.Len() == 0 || slices.Contains(q, anything) {
		return c.Next()
	}
	seen := map[string]bool{}
	for key := range args.All() {
		name := string(key)
		switch {
		case strings.HasPrefix(name, "_"):
		case seen[name] && !repeatable(name):
			return app.InvalidParameter(`"`+excerpt(name)+`"`, "appears more than once")
		case !slices.Contains(q, name):
			return unknownParameter(fmt.Sprintf(`There is no parameter "%s"; %s`, excerpt(name), q.advice(name)))
		}
		seen[name] = true
	}
	return c.Next()
}

// repeatable reports whether a parameter may appear more than once.
func repeatable(name string) bool { return name == "list_id" || name == "priority" || name == "label" }

// advice suggests parameters for an unknown name.
func (q query) advice(name string) string {
	if len(q) == 0 {
		return "this address takes none."
	}
	const far = 3
	best, nearest := far, ""
	for _, known := range q {
		if d := distance(name, known, far); d < best {
			best, nearest = d, known
		}
	}
	if nearest != "" {
		return fmt.Sprintf(`did you mean "%s"?`, nearest)
	}
	last := len(q) - 1
	if last == 0 {
		return "this address takes " + q[0] + "."
	}
	return "this address takes " + strings.Join(q[:last], ", ") + " and " + q[last] + "."
}

// distance returns the Levenshtein distance of two texts, or far if it is that or
// more.
func distance(a, b string, far int) int {
	from, to := []rune(a), []rune(b)
	if max(len(from)-len(to), len(to)-len(from)) >= far {
		return far
	}
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, char := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, other := range to {
			replaced := diagonal
			if char != other {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(to)], far)
}

// maxExcerpt is how many characters of a request an answer repeats.
const maxExcerpt = 100

// excerpt returns the beginning of a client's text, safe to show.
func excerpt(text string) string {
	var out strings.Builder
	length, cut := 0, utf8.RuneCountInString(text) > maxExcerpt
	for _, char := range text {
		if length++; cut && length == maxExcerpt {
			return out.String() + "…"
		}
		if !unicode.IsPrint(char) {
			char = unicode.ReplacementChar
		}
		out.WriteRune(char)
	}
	return out.String()
}
