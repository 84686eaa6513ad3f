package api

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// belowBase removes the base from the path of a request if no proxy did. A base may
// equal one of the API's own addresses, such as /tasks. Then the path is shortened
// only if the rest is an address or the whole is none; if both are, a request with
// a token is meant for the API.
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
			// The page loads its parts from below, and its service worker has its
			// scope there.
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
	segments := segmentsOf(path)
	return slices.ContainsFunc(routes, func(r route) bool {
		return (r.method == method || method == fiber.MethodOptions) && slices.EqualFunc(segmentsOf(r.path), segments, func(want, got string) bool {
			if want == ":id" { // which is no first segment of an address
				return got != "" && !slices.ContainsFunc(routes, func(r route) bool { return segmentsOf(r.path)[0] == got })
			}
			return want == got || strings.HasPrefix(want, ":") && got != ""
		})
	})
}

func segmentsOf(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// rebase adds the base to the addresses in the headers of a response.
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
