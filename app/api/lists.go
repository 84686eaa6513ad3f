package api

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"taskapi/app/todo"
)

type listView struct {
	ID          int64   `json:"id"`
	UID         string  `json:"uid"`
	Name        string  `json:"name"`
	Color       *string `json:"color"`
	Inbox       bool    `json:"inbox"`
	Role        string  `json:"role"`
	OwnerID     int64   `json:"owner_id"`
	Members     int64   `json:"members"`
	Open        int64   `json:"open"`
	Position    int64   `json:"position"`
	Archived    bool    `json:"archived"`
	DateCreated string  `json:"date_created"`
	DateUpdated string  `json:"date_updated"`
	Version     int64   `json:"version"`
}

func (s *Server) viewList(l todo.List) listView {
	return listView{
		ID: l.ID, UID: s.uid(todo.KindList, l.ID, l.UID), Name: l.Name, Color: optionalText(l.Color), Inbox: l.Inbox, Role: l.Role.String(), OwnerID: l.OwnerID,
		Members: l.Members, Open: l.Open, Position: l.Position, Archived: l.Archived,
		DateCreated: timestamp(l.CreatedAt), DateUpdated: timestamp(l.UpdatedAt), Version: l.Version,
	}
}

type listsAnswer struct {
	Lists      []listView     `json:"lists"`
	Pagination paginationView `json:"pagination"`
}

type listAnswer struct {
	Message string   `json:"message"`
	List    listView `json:"list"`
}

// listETag sets and returns the entity tag of a list. What is counted in it changes without
// a new version, so it stands behind what a condition on a change looks at.
func (s *Server) listETag(c *fiber.Ctx, l todo.List) string {
	tag := fmt.Sprintf(`"%s+%d.%d"`, s.stamp(l.Stamp()), l.Members, l.Open)
	c.Set(fiber.HeaderETag, tag)
	return tag
}

func (s *Server) listInput(c *fiber.Ctx, in fields) todo.ListInput {
	return todo.ListInput{Name: in.text("name"), Color: in.text("color"), UID: in.text("uid"), Archived: in.boolean("archived"), Merge: isMergePatch(c), Match: s.ifMatch(c)}
}

// listRef reads the list in a path.
func listRef(c *fiber.Ctx) (todo.Ref, error) {
	ref, ok := todo.ReadRef(segment(c, "id"))
	if !ok {
		return ref, todo.ErrListNotFound
	}
	return ref, nil
}

func (s *Server) listLists(c *fiber.Ctx) error {
	request, err := pageRequest(c)
	if err != nil {
		return err
	}
	archived := string(c.Context().QueryArgs().Peek("archived"))
	page, err := s.Lists.List(c.UserContext(), callerOf(c), archived, request)
	if err != nil {
		return err
	}
	pagination, filter := viewPagination(page), ""
	if archived != "" {
		filter = "archived=" + archived + "&"
	}
	link(c, "/lists/", filter, pagination)
	return send(c, fiber.StatusOK, listsAnswer{views(page.Items, s.viewList), pagination})
}

func (s *Server) createList(c *fiber.Ctx) error {
	in, err := s.body(c, "name", "color", "uid")
	if err != nil {
		return err
	}
	list, err := s.Lists.Create(c.UserContext(), callerOf(c), s.listInput(c, in))
	switch {
	case errors.Is(err, todo.ErrExists) && matches(c, ""):
		s.listETag(c, list)
		return send(c, fiber.StatusPreconditionFailed, changedListAnswer{problem{Error: "There is a list of this uid already.", Code: todo.ErrListChanged.Code}, s.viewList(list)})
	case errors.Is(err, todo.ErrExists):
		return s.sendList(c, fiber.StatusOK, "List already exists.", list)
	case err != nil:
		return err
	}
	c.Set(fiber.HeaderLocation, fmt.Sprintf("/lists/%d", list.ID))
	return s.sendList(c, fiber.StatusCreated, "List created successfully.", list)
}

func (s *Server) sendList(c *fiber.Ctx, status int, message string, list todo.List) error {
	s.listETag(c, list)
	shows(c, list.ID)
	return send(c, status, listAnswer{message, s.viewList(list)})
}

func (s *Server) getList(c *fiber.Ctx) error {
	ref, err := listRef(c)
	if err != nil {
		return err
	}
	list, err := s.Lists.Get(c.UserContext(), callerOf(c), ref)
	if err != nil {
		return err
	}
	if matches(c, s.listETag(c, list)) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return send(c, fiber.StatusOK, s.viewList(list))
}

// changedListAnswer is the body of a 412.
type changedListAnswer struct {
	problem
	Current listView `json:"current"`
}

// failList answers with the error of a change; a 412 comes with the list as it is.
func (s *Server) failList(c *fiber.Ctx, list todo.List, err error) error {
	if !errors.Is(err, todo.ErrListChanged) {
		return err
	}
	s.listETag(c, list)
	changed := todo.ErrListChanged
	return send(c, fiber.StatusPreconditionFailed, changedListAnswer{problem{Error: changed.Message, Code: changed.Code}, s.viewList(list)})
}

func (s *Server) updateList(c *fiber.Ctx) error {
	in, err := s.body(c, "name", "color", "archived")
	if err != nil {
		return err
	}
	ref, err := listRef(c)
	if err != nil {
		return err
	}
	list, err := s.Lists.Update(c.UserContext(), callerOf(c), ref, s.listInput(c, in))
	if err != nil {
		return s.failList(c, list, err)
	}
	return s.sendList(c, fiber.StatusOK, "List updated successfully.", list)
}

func (s *Server) moveList(c *fiber.Ctx) error {
	in, err := s.optionalBody(c, "before_id", "after_id")
	if err != nil {
		return err
	}
	ref, err := listRef(c)
	if err != nil {
		return err
	}
	list, err := s.Lists.Move(c.UserContext(), callerOf(c), ref, place(in), s.ifMatch(c))
	if err != nil {
		return s.failList(c, list, err)
	}
	return s.sendList(c, fiber.StatusOK, "List moved successfully.", list)
}

func place(in fields) todo.PlaceInput {
	return todo.PlaceInput{Before: in.ref("before_id"), After: in.ref("after_id")}
}

func (s *Server) deleteList(c *fiber.Ctx) error {
	ref, err := listRef(c)
	if err != nil {
		return err
	}
	if list, err := s.Lists.Delete(c.UserContext(), callerOf(c), ref, s.ifMatch(c)); err != nil {
		return s.failList(c, list, err)
	}
	return send(c, fiber.StatusOK, messageView{"List deleted successfully."})
}

func (s *Server) restoreList(c *fiber.Ctx) error {
	ref, err := listRef(c)
	if err != nil {
		return err
	}
	list, err := s.Lists.Restore(c.UserContext(), callerOf(c), ref)
	if err != nil {
		return err
	}
	return s.sendList(c, fiber.StatusOK, "List restored successfully.", list)
}
