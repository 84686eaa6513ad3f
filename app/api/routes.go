package api

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// access is who may call a route.
type access int

const (
	public   access = iota // anyone; a token is not looked at
	optional               // anyone; a token that is shown must be good
	signedIn               // whoever shows a good access token
)

// acceptPatch is what a PATCH may be (RFC 5789 section 3.1).
const acceptPatch = "application/merge-patch+json, application/json"

type route struct {
	method string
	path   string // answers with and without its trailing slash
	access access
	scope  app.Scope // what an API token needs; without one, none will do
	handle fiber.Handler
}

func (s *Server) routes() []route {
	const get, post, put, patch, del = fiber.MethodGet, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete
	const account, read, write = app.ScopeAccount, app.ScopeTasksRead, app.ScopeTasksWrite
	return []route{
		{get, "/", public, "", s.about},
		{get, pathAlive, public, "", s.alive},
		{get, pathReady, public, "", s.ready},
		{get, "/openapi.json", public, "", s.sendJSONContract},
		{get, "/openapi.yaml", public, "", s.sendYAMLContract},

		{post, "/auth/register", optional, account, s.limited("register", s.registerUser)},
		{post, "/auth/login", public, "", s.limited("login", s.login)},
		{post, "/auth/refresh", public, "", s.limited("refresh", s.refresh)},
		{post, "/auth/logout", public, "", s.limited("logout", s.logout)},
		{post, "/auth/password/forgot", public, "", s.limited("forgot", s.forgotPassword)},
		{post, "/auth/password/reset", public, "", s.limited("reset", s.resetPassword)},
		{post, "/auth/email/verify", public, "", s.limited("verify", s.verifyEmail)},
		{post, "/auth/email/resend", public, "", s.limited("forgot", s.resendVerification)},

		{get, "/auth/sessions", signedIn, account, s.paged(s.listSessions)},
		{del, "/auth/sessions/:id", signedIn, account, s.endSession},
		{post, "/auth/logout-all", signedIn, account, s.endAllSessions},
		{get, "/auth/tokens", signedIn, account, s.paged(s.listTokens)},
		{post, "/auth/tokens", signedIn, "", s.limited("password", s.createToken)},
		{del, "/auth/tokens/:id", signedIn, account, s.revokeToken},

		{get, "/users/", signedIn, account, s.paged(s.listUsers)},
		{post, "/users/", optional, account, s.limited("register", s.createUser)},
		{get, "/users/:id", signedIn, account, s.getUser},
		{put, "/users/:id", signedIn, account, s.limited("password", s.updateUser)},
		{patch, "/users/:id", signedIn, account, s.limited("password", s.updateUser)},
		{del, "/users/:id", signedIn, "", s.limited("password", s.deleteUser)},
		{get, "/users/:id/audit", signedIn, account, s.paged(s.listEvents)},

		{get, "/tasks/", signedIn, read, s.paged(s.listTasks)},
		{post, "/tasks/", signedIn, write, s.createTask},
		{get, "/tasks/:id", signedIn, read, s.getTask},
		{put, "/tasks/:id", signedIn, write, s.updateTask},
		{patch, "/tasks/:id", signedIn, write, s.updateTask},
		{del, "/tasks/:id", signedIn, write, s.deleteTask},
	}
}

// register mounts the routes, and behind those of each path what answers the
// other methods. HEAD comes with GET.
func (s *Server) register(routes []route) {
	bearer := s.bearer()
	methods := map[string][]string{}
	for _, r := range routes {
		var handlers []fiber.Handler
		switch r.access {
		case optional:
			handlers = []fiber.Handler{whenTokenShown(bearer), mayUse(r.scope)}
		case signedIn:
			handlers = []fiber.Handler{bearer, mayUse(r.scope)}
		}
		handlers = append(handlers, r.handle)
		s.fiber.Add(r.method, r.path, handlers...)
		if r.method == fiber.MethodGet {
			s.fiber.Add(fiber.MethodHead, r.path, handlers...)
			methods[r.path] = append(methods[r.path], fiber.MethodHead)
		}
		methods[r.path] = append(methods[r.path], r.method)
	}
	for path, allowed := range methods {
		allowed = append(allowed, fiber.MethodOptions)
		slices.Sort(allowed)
		s.fiber.All(path, s.otherMethod(allowed))
	}
	s.fiber.Use(func(c *fiber.Ctx) error {
		c.Locals(keyUnmatched, true)
		return fiber.ErrNotFound
	})
}

// otherMethod answers OPTIONS, a browser's preflight among them, and refuses
// the methods that the path does not have.
func (s *Server) otherMethod(allowed []string) fiber.Handler {
	list := strings.Join(allowed, ", ")
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderAllow, list)
		if c.Method() != fiber.MethodOptions {
			return fiber.ErrMethodNotAllowed
		}
		if slices.Contains(allowed, fiber.MethodPatch) {
			c.Set("Accept-Patch", acceptPatch)
		}
		wanted := c.Get(fiber.HeaderAccessControlRequestMethod)
		if wanted != "" && !slices.Contains(allowed, wanted) {
			return fiber.ErrMethodNotAllowed
		}
		if wanted != "" {
			preflight(c, list)
		}
		return c.SendStatus(fiber.StatusNoContent)
	}
}
