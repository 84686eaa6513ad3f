package api

import (
	"github.com/gofiber/fiber/v2"

	"taskapi/app/todo"
)

// syncListView is a list with its members instead of how many they are.
type syncListView struct {
	listView
	Members []syncMemberView `json:"members"`
}

type syncMemberView struct {
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
	Role     string `json:"role"`
}

type syncUserView struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	TimeZone string `json:"time_zone"`
}

type goneView struct {
	Kind string `json:"kind"`
	ID   int64  `json:"id"`
	UID  string `json:"uid"`
}

func (s *Server) viewSyncList(l todo.SyncList) syncListView {
	return syncListView{s.viewList(l.List), views(l.With, func(m todo.Member) syncMemberView {
		return syncMemberView{m.UserID, m.Username, m.Role.String()}
	})}
}

func (s *Server) viewGone(g todo.Gone) goneView {
	view := goneView{Kind: "task", ID: g.ID, UID: s.uid(g.Kind, g.ID, g.UID)}
	if g.Kind == todo.KindList {
		view.Kind = "list"
	}
	return view
}

// sync answers with what is new since a cursor. Its entity tag is the cursor: asking again when
// there is nothing new is answered with 304.
func (s *Server) sync(c *fiber.Ctx) error {
	page, err := s.Sync.Page(c.UserContext(), callerOf(c), parameters(c))
	if err != nil {
		return err
	}
	etag := `"` + page.Cursor + `"`
	c.Set(fiber.HeaderETag, etag)
	if page.Nothing() && matches(c, etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return sendText(c, fiber.StatusOK, func(text []byte) []byte { return s.appendSync(text, page) })
}

// appendSync appends a page of what is new.
func (s *Server) appendSync(text []byte, page todo.SyncPage) []byte {
	o := object{append(text, '{')}
	o.boolean("full", page.Full)
	o.value("lists", views(page.Lists, s.viewSyncList))
	o.key("tasks")
	o.text = appendArray(o.text, page.Tasks, s.taskOf)
	if page.User != nil {
		o.value("user", syncUserView(*page.User))
	}
	o.value("deleted", views(page.Deleted, s.viewGone))
	o.str("cursor", page.Cursor)
	o.boolean("more", page.More)
	return append(o.text, '}')
}
