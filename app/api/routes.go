package api

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// access is who may call a route.
type access int

const (
	public   access = iota // anyone; a token is not looked at
	optional               // anyone; a token that is shown must be good
	signedIn               // whoever shows a good access token
)

type route struct {
	method string
	path   string // answers with and without its trailing slash
	access access
	handle fiber.Handler
}

func (s *Server) routes() []route {
	return []route{
		{fiber.MethodGet, "/", public, s.about},

		{fiber.MethodPost, "/auth/register", optional, s.limited("register", s.registerUser)},
		{fiber.MethodPost, "/auth/login", public, s.limited("login", s.login)},
		{fiber.MethodPost, "/auth/refresh", public, s.limited("refresh", s.refresh)},
		{fiber.MethodPost, "/auth/logout", public, s.limited("logout", s.logout)},

		{fiber.MethodGet, "/users/", signedIn, s.listUsers},
		{fiber.MethodPost, "/users/", optional, s.limited("register", s.createUser)},
		{fiber.MethodGet, "/users/:id", signedIn, s.getUser},
		{fiber.MethodPut, "/users/:id", signedIn, s.limited("password", s.updateUser)},
		{fiber.MethodPatch, "/users/:id", signedIn, s.limited("password", s.updateUser)},
		{fiber.MethodDelete, "/users/:id", signedIn, s.deleteUser},

		{fiber.MethodGet, "/tasks/", signedIn, s.listTasks},
		{fiber.MethodPost, "/tasks/", signedIn, s.createTask},
		{fiber.MethodGet, "/tasks/:id", signedIn, s.getTask},
		{fiber.MethodPut, "/tasks/:id", signedIn, s.updateTask},
		{fiber.MethodPatch, "/tasks/:id", signedIn, s.updateTask},
		{fiber.MethodDelete, "/tasks/:id", signedIn, s.deleteTask},
	}
}

// register mounts the routes, and behind those of each path what answers the
// other methods. HEAD comes with GET.
func (s *Server) register(routes []route) {
	bearer := s.bearer()
	guards := map[access][]fiber.Handler{
		public:   nil,
		optional: {whenTokenShown(bearer)},
		signedIn: {bearer},
	}
	methods := map[string][]string{}
	for _, r := range routes {
		s.fiber.Add(r.method, r.path, append(slices.Clone(guards[r.access]), r.handle)...)
		if r.method == fiber.MethodGet {
			s.fiber.Add(fiber.MethodHead, r.path, append(slices.Clone(guards[r.access]), r.handle)...)
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
