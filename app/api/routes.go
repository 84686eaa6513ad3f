package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// access says who may call a route.
type access int

const (
	public   access = iota // anyone; the token is ignored
	optional               // anyone; a token, if sent, must be valid
	signedIn               // callers with a valid token
	ticketed               // the same, or with a ticket
)

// acceptPatch lists the media types that PATCH takes (RFC 5789 section 3.1).
const acceptPatch = "application/merge-patch+json, application/json"

type route struct {
	method string
	path   string // matches with and without its trailing slash
	access access
	scope  app.Scope // that an API token needs; empty: API tokens are refused
	query  query     // the parameters that the route takes
	handle fiber.Handler
}

func (s *Server) routes() []route {
	const get, post, put, patch, del = fiber.MethodGet, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete
	const account = app.ScopeAccount
	// Each route names its query parameters, or it would not compile.
	none, pages, walk := query{}, query{"page", "per_page"}, query{"page", "per_page", "after"}
	return slices.Concat([]route{
		{get, "/", public, "", query{anything}, s.about},
		{get, pathAlive, public, "", none, s.alive},
		{get, pathReady, public, "", none, s.ready},
		{get, "/openapi.json", public, "", none, s.sendJSONContract},
		{get, "/openapi.yaml", public, "", none, s.sendYAMLContract},
		{get, "/client.ts", public, "", none, s.sendTypeScript},
		{get, "/client.js", public, "", none, s.sendJavaScript},

		{post, "/auth/register", optional, account, none, s.limited("register", s.registerUser)},
		{post, "/auth/login", public, "", none, s.limited("login", s.login)},
		{post, "/auth/refresh", public, "", none, s.limited("refresh", s.refresh)},
		{post, "/auth/logout", public, "", none, s.limited("logout", s.logout)},
		{post, "/auth/password/forgot", public, "", none, s.limited("forgot", s.forgotPassword)},
		{post, "/auth/password/reset", public, "", none, s.limited("reset", s.resetPassword)},
		{post, "/auth/email/verify", public, "", none, s.limited("verify", s.verifyEmail)},
		{post, "/auth/email/resend", public, "", none, s.limited("forgot", s.resendVerification)},

		{get, "/auth/sessions", signedIn, account, pages, s.paged(s.listSessions)},
		{del, "/auth/sessions/:id", signedIn, account, none, s.endSession},
		{post, "/auth/logout-all", signedIn, account, none, s.endAllSessions},
		{get, "/auth/tokens", signedIn, account, pages, s.paged(s.listTokens)},
		{post, "/auth/tokens", signedIn, "", none, s.limited("password", s.createToken)},
		{del, "/auth/tokens/:id", signedIn, account, none, s.revokeToken},

		{get, "/users/", signedIn, account, walk, s.paged(s.listUsers)},
		{post, "/users/", optional, account, none, s.limited("register", s.createUser)},
		{get, "/users/:id", signedIn, account, none, s.getUser},
		{put, "/users/:id", signedIn, account, none, s.limited("password", s.updateUser)},
		{patch, "/users/:id", signedIn, account, none, s.limited("password", s.updateUser)},
		{del, "/users/:id", signedIn, "", query{"shared"}, s.limited("password", s.deleteUser)},
		{get, "/users/:id/audit", signedIn, account, pages, s.paged(s.listEvents)},
	}, s.todoRoutes(), s.pushRoutes(), s.webhookRoutes(), s.feedRoutes(), s.devRoutes())
}

// todoRoutes are those of what people keep.
func (s *Server) todoRoutes() []route {
	const get, post, put, patch, del = fiber.MethodGet, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete
	const account, read, write = app.ScopeAccount, app.ScopeTasksRead, app.ScopeTasksWrite
	none, pages := query{}, query{"page", "per_page"}
	tasks := append(query{"page", "per_page", "after", "user_id"}, findParameters()...)
	return []route{
		{get, "/tasks/", signedIn, read, tasks, s.cached(s.paged(s.listTasks))},
		{post, "/tasks/", signedIn, write, none, s.once(s.createTask)},
		{get, "/tasks/counts", signedIn, read, query{"time_zone"}, s.countTasks},
		{get, "/tasks/:id", signedIn, read, none, s.cached(s.getTask)},
		{put, "/tasks/:id", signedIn, write, none, s.once(s.updateTask)},
		{patch, "/tasks/:id", signedIn, write, none, s.once(s.updateTask)},
		{del, "/tasks/:id", signedIn, write, query{"permanent"}, s.once(s.deleteTask)},
		{post, "/tasks/:id/move", signedIn, write, none, s.once(s.moveTask)},
		{post, "/tasks/:id/restore", signedIn, write, none, s.once(s.restoreTask)},
		{get, "/sync", signedIn, read, query{"since", "limit", "completed", "include"}, s.paged(s.sync)},
		{get, "/events", ticketed, read, query{"since", "completed", "include", "ticket"}, s.events},
		{post, "/events/tickets", signedIn, read, none, s.createTicket},
		{post, "/batch", signedIn, write, none, s.once(s.batch)},
		{post, "/undo", signedIn, write, none, s.once(s.undo)},
		{post, "/mcp", signedIn, read, none, s.mcp},
		{del, "/trash", signedIn, write, none, s.onceInTurns(s.emptyTrash)},
		{get, "/labels/", signedIn, read, none, s.listLabels},
		{patch, "/labels/:name", signedIn, write, none, s.onceInTurns(s.updateLabel)},
		{del, "/labels/:name", signedIn, write, none, s.onceInTurns(s.removeLabel)},

		{get, "/lists/", signedIn, read, query{"archived", "page", "per_page"}, s.paged(s.listLists)},
		{post, "/lists/", signedIn, write, none, s.once(s.createList)},
		{get, "/lists/:id", signedIn, read, none, s.getList},
		{put, "/lists/:id", signedIn, write, none, s.once(s.updateList)},
		{patch, "/lists/:id", signedIn, write, none, s.once(s.updateList)},
		{del, "/lists/:id", signedIn, write, none, s.onceInTurns(s.deleteList)},
		{post, "/lists/:id/move", signedIn, write, none, s.once(s.moveList)},
		{post, "/lists/:id/restore", signedIn, write, none, s.onceInTurns(s.restoreList)},
		{get, "/lists/:id/members", signedIn, read, pages, s.paged(s.listMembers)},
		{patch, "/lists/:id/members/:user_id", signedIn, account, none, s.onceInTurns(s.updateMember)},
		{del, "/lists/:id/members/:user_id", signedIn, account, none, s.onceInTurns(s.removeMember)},
		{get, "/lists/:id/invitations", signedIn, account, pages, s.paged(s.listInvitations)},
		{post, "/lists/:id/invitations", signedIn, account, none, s.once(s.createInvitation)},
		{del, "/lists/:id/invitations/:invitation_id", signedIn, account, none, s.once(s.revokeInvitation)},
		{post, "/invitations/accept", signedIn, account, none, s.once(s.acceptInvitation)},
		{get, "/invitations/:token", signedIn, account, none, s.limited("verify", s.getInvitation)},
	}
}

// pushRoutes are those of browsers that show reminders. They are part of a session.
func (s *Server) pushRoutes() []route {
	none := query{}
	return []route{
		{fiber.MethodGet, "/push/key", signedIn, "", none, s.pushKey},
		{fiber.MethodGet, "/push/subscriptions", signedIn, "", none, s.listSubscriptions},
		{fiber.MethodPost, "/push/subscriptions", signedIn, "", none, s.once(s.createSubscription)},
		{fiber.MethodDelete, "/push/subscriptions/:id", signedIn, "", none, s.once(s.deleteSubscription)},
	}
}

// register mounts the routes and, for each path, a handler for all other methods.
// Each GET route serves HEAD, too.
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
		case ticketed:
			// A mistake must not cost the ticket.
			handlers = []fiber.Handler{r.query.only, s.withTicket(bearer), mayUse(r.scope)}
		}
		if !s.Tutorial {
			handlers = append(handlers, r.query.only)
		}
		handlers = append(handlers, r.handle)
		s.fiber.Add(r.method, r.path, handlers...)
		if r.method == fiber.MethodGet {
			s.fiber.Add(fiber.MethodHead, r.path, handlers...)
			methods[r.path] = append(methods[r.path], fiber.MethodHead)
		}
		methods[r.path] = append(methods[r.path], r.method)
	}
	// What is spelt out comes before what stands for anything.
	for _, path := range slices.Backward(slices.Sorted(maps.Keys(methods))) {
		allowed := append(methods[path], fiber.MethodOptions)
		slices.Sort(allowed)
		s.fiber.All(path, s.otherMethod(allowed))
	}
	s.fiber.Use(func(c *fiber.Ctx) error {
		c.Locals(keyUnmatched, true)
		return fiber.ErrNotFound
	})
}

// otherMethod answers OPTIONS, including preflight requests, and refuses methods
// that the path does not have. A preflight for such a method gets the list of those
// that exist: a browser would report a 405 as a CORS failure.
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
		if c.Get(fiber.HeaderAccessControlRequestMethod) != "" {
			s.preflight(c, list)
		}
		return c.SendStatus(fiber.StatusNoContent)
	}
}
