package api

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// plainPaths decodes the path of each request once before routes are matched,
// because /tasks/%31 and /tasks/1 are the same address (RFC 3986 section 6.2.2.2).
func plainPaths(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if path := ctx.URI().PathOriginal(); bytes.IndexByte(path, '%') >= 0 {
			ctx.URI().SetPath(plainPath(path))
		}
		next(ctx)
	}
}

// plainPath decodes a path once. Encoded slashes and percent signs stay encoded:
// they are data of their segment. A percent sign that begins no escape becomes
// data, too.
func plainPath(path []byte) string {
	var plain strings.Builder
	for i := 0; i < len(path); i++ {
		char := path[i : i+1]
		if char[0] == '%' {
			var decoded [1]byte
			if i+2 < len(path) {
				if n, err := hex.Decode(decoded[:], path[i+1:i+3]); n == 1 && err == nil {
					char = decoded[:]
					i += 2
				}
			}
			if char[0] == '%' || char[0] == '/' {
				char = []byte("%" + strings.ToUpper(hex.EncodeToString(char)))
			}
		}
		plain.Write(char)
	}
	return plain.String()
}

// segment returns the text of a path segment by its name in the route.
func segment(c *fiber.Ctx, name string) string {
	text := c.Params(name)
	if !strings.Contains(text, "%") {
		return text
	}
	return strings.NewReplacer("%2F", "/", "%25", "%").Replace(text)
}

// refuseEmptySegments answers 404 to paths such as /tasks//, which Fiber takes
// for /tasks/.
func refuseEmptySegments(c *fiber.Ctx) error {
	if strings.Contains(c.Path(), "//") {
		c.Locals(keyUnmatched, true)
		return fiber.ErrNotFound
	}
	return c.Next()
}
