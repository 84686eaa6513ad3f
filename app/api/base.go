package api

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// belowBase takes the base off the path of a request, where no proxy has. A base
// may be named like an address of ours, such as /tasks. Then what is left must be
// an address, or the whole was none; where both are, a request that shows a token
// is one to the API.
func (s *Server) belowBase(routes []route, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	if s.Base == "" {
		return next
	}
	return func(ctx *fasthttp.RequestCtx) {
		path := string(ctx.URI().PathOriginal())
		rest, below := strings.CutPrefix(path, s.Base)
		switch {
		case !below || rest != "" && rest[0] != '/':
		case rest == "" && !isAddress(routes, string(ctx.Method()), path):
			// What the page loads is found from below, and its worker serves there.
			query := ""
			if text := string(ctx.URI().QueryString()); text != "" {
				query = "?" + text
			}
			ctx.Response.Header.Set(fasthttp.HeaderLocation, s.Base+"/"+query)
			ctx.SetStatusCode(fasthttp.StatusPermanentRedirect)
			return
		case rest != "":
			method := string(ctx.Method())
			whole, left := isAddress(routes, method, path), isAddress(routes, method, rest)
			api := len(ctx.Request.Header.Peek(fiber.HeaderAuthorization)) > 0
			if !whole || left && !api {
				ctx.URI().SetPath(rest)
			}
		}
		next(ctx)
	}
}

// isAddress reports whether a path is that of a route with the method.
func isAddress(routes []route, method, path string) bool {
	if method == fiber.MethodHead {
		method = fiber.MethodGet
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	return slices.ContainsFunc(routes, func(r route) bool {
		return (r.method == method || method == fiber.MethodOptions) && fits(strings.Split(strings.Trim(r.path, "/"), "/"), segments)
	})
}

// fits compares the segments of a path with those of a route. An id is nothing
// that an address begins with.
func fits(pattern, segments []string) bool {
	return slices.EqualFunc(pattern, segments, func(want, got string) bool {
		if want == ":id" {
			return got != "" && !slices.Contains([]string{"tasks", "users", "auth"}, got)
		}
		return want == got || strings.HasPrefix(want, ":") && got != ""
	})
}

// rebase puts the base before the addresses that an answer names.
func (s *Server) rebase(c *fiber.Ctx) {
	if s.Base == "" {
		return
	}
	header := &c.Response().Header
	if to := header.Peek(fiber.HeaderLocation); len(to) > 0 && to[0] == '/' {
		c.Set(fiber.HeaderLocation, s.Base+string(to))
	}
	if links := header.Peek(fiber.HeaderLink); len(links) > 0 {
		c.Set(fiber.HeaderLink, strings.ReplaceAll(string(links), "</", "<"+s.Base+"/"))
	}
}
