package api

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/todo"
)

type countsView struct {
	Today    int64                    `json:"today"`
	Overdue  int64                    `json:"overdue"`
	Upcoming int64                    `json:"upcoming"`
	Undated  int64                    `json:"undated"`
	Assigned int64                    `json:"assigned"`
	Trash    int64                    `json:"trash"`
	Lists    map[string]listCountView `json:"lists"`
	Cursor   string                   `json:"cursor"`
}

type listCountView struct {
	Open      int64 `json:"open"`
	Completed int64 `json:"completed"`
}

// findParameters are those by which tasks are found, beside page, per_page, after and
// user_id.
func findParameters() query {
	return query{
		"list_id", "scope", "completed", "priority", "label", "assignee_id", "parent_id", "due_before", "due_after",
		"updated_after", "completed_after", "completed_before", "view", "q", "trash", "sort", "time_zone",
	}
}

// parameters reads the query of a request.
func parameters(c *fiber.Ctx) todo.Parameters {
	out := todo.Parameters{}
	for key, value := range c.Context().QueryArgs().All() {
		if name := string(key); !strings.HasPrefix(name, "_") {
			out[name] = append(out[name], string(value))
		}
	}
	return out
}

// listTasks answers the tutorial's question, all of one's tasks by id, from a total that is
// kept; any other is a search.
func (s *Server) listTasks(c *fiber.Ctx) error {
	q := parameters(c)
	searching := slices.ContainsFunc(findParameters(), func(name string) bool { return q[name] != nil })
	switch {
	case s.Tutorial || !searching:
		return s.listOwnTasks(c)
	case q["user_id"] != nil:
		return app.InvalidParameter("user_id", "goes with page, per_page and after only")
	case q["trash"] != nil && q["trash"][0] != "false":
		return s.listTrash(c, q)
	}
	delete(q, "trash")
	found, err := s.Tasks.Find(c.UserContext(), callerOf(c), q)
	if err != nil {
		return err
	}
	filter := filterOf(q)
	if found.ByCursor && !q.NumberCursor() {
		return sendPage(c, found.Items, s.taskOf, s.textCursor(c, q, found.Total, found.PerPage, found.More, found.Last))
	}
	pagination := paginate(c, "/tasks/", filter, found.Page, func(t todo.Task) int64 { return t.ID })
	return sendPage(c, found.Items, s.taskOf, pagination)
}

// textCursorView is cursorView where the cursor is no id.
type textCursorView struct {
	Total     int64   `json:"total"`
	PerPage   int64   `json:"per_page"`
	HasNext   bool    `json:"has_next"`
	NextAfter *string `json:"next_after"` // null on the last page
}

// textCursor is the pagination of a page, with its Link header.
func (s *Server) textCursor(c *fiber.Ctx, q todo.Parameters, total, perPage int64, more bool, last todo.Cursor) textCursorView {
	view := textCursorView{Total: total, PerPage: perPage, HasNext: more}
	if more {
		next := s.Tasks.CursorText(q, last)
		view.NextAfter = &next
		c.Set(fiber.HeaderLink, fmt.Sprintf(`</tasks/?%safter=%s&per_page=%d>; rel="next"`, filterOf(q), next, perPage))
	}
	return view
}

// filterOf is the query without the page, for links.
func filterOf(q todo.Parameters) string {
	values := url.Values{}
	for name, all := range q {
		if name != "page" && name != "per_page" && name != "after" {
			values[name] = all
		}
	}
	if len(values) == 0 {
		return ""
	}
	return values.Encode() + "&"
}

func (s *Server) listOwnTasks(c *fiber.Ctx) error {
	request, err := pageOrCursor(c)
	if err != nil {
		return err
	}
	var userID int64
	var filter string
	if args := c.Context().QueryArgs(); args.Has("user_id") {
		var ok bool
		if userID, ok = positive(string(args.Peek("user_id"))); !ok {
			return account.ErrUserIDParameter
		}
		filter = fmt.Sprintf("user_id=%d&", userID)
	}
	page, err := s.Tasks.List(c.UserContext(), callerOf(c), userID, request)
	if err != nil {
		return err
	}
	pagination := paginate(c, "/tasks/", filter, page, func(t todo.Task) int64 { return t.ID })
	return sendPage(c, page.Items, s.taskOf, pagination)
}

func (s *Server) listTrash(c *fiber.Ctx, q todo.Parameters) error {
	for name := range q {
		if !slices.Contains([]string{"trash", "list_id", "page", "per_page", "after"}, name) {
			return app.InvalidParameter(name, "does not go together with trash")
		}
	}
	if q["trash"][0] != "true" {
		return app.InvalidParameter("trash", "must be true or false")
	}
	page, err := s.Tasks.Trash(c.UserContext(), callerOf(c), q)
	if err != nil {
		return err
	}
	if !page.ByCursor {
		return sendPage(c, page.Items, s.trashedTask, paginate(c, "/tasks/", filterOf(q), page, func(t todo.TrashedTask) int64 { return t.ID }))
	}
	last := todo.Cursor{}
	if n := len(page.Items); n > 0 {
		last = todo.Cursor{Number: page.Items[n-1].DeletedAt.UnixMilli(), ID: page.Items[n-1].ID}
	}
	return sendPage(c, page.Items, s.trashedTask, s.textCursor(c, q, page.Total, page.PerPage, page.More, last))
}

func (s *Server) countTasks(c *fiber.Ctx) error {
	zone := string(c.Context().QueryArgs().Peek("time_zone"))
	counts, err := s.Tasks.Counts(c.UserContext(), callerOf(c), zone)
	if err != nil {
		return err
	}
	view := countsView{
		Today: counts.Today, Overdue: counts.Overdue, Upcoming: counts.Upcoming, Undated: counts.Undated,
		Assigned: counts.Assigned, Trash: counts.Trash, Lists: map[string]listCountView{}, Cursor: counts.Cursor,
	}
	for id, n := range counts.Lists {
		view.Lists[strconv.FormatInt(id, 10)] = listCountView(n)
	}
	return send(c, fiber.StatusOK, view)
}
