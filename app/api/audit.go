package api

import (
	"fmt"

	"taskapi/app/account"

	"github.com/gofiber/fiber/v2"
)

type eventView struct {
	ID      int64             `json:"id"`
	Date    string            `json:"date"`
	Event   account.EventName `json:"event"`
	UserID  int64             `json:"user_id"`
	ActorID *int64            `json:"actor_id"` // null for somebody not signed in, and the operator
	Address string            `json:"address"`
	Detail  string            `json:"detail"`
}

type eventsAnswer struct {
	Events     []eventView    `json:"events"`
	Pagination paginationView `json:"pagination"`
}

func viewEvent(e account.Event) eventView {
	view := eventView{ID: e.ID, Date: timestamp(e.At), Event: e.Name, UserID: e.UserID, Address: e.Address, Detail: e.Detail}
	if e.ActorID != 0 {
		view.ActorID = &e.ActorID
	}
	return view
}

func (s *Server) listEvents(c *fiber.Ctx) error {
	id, ok := userID(c)
	if !ok {
		return account.ErrUserNotFound
	}
	request, err := pageRequest(c)
	if err != nil {
		return err
	}
	page, err := s.Audit.List(c.UserContext(), callerOf(c), id, request)
	if err != nil {
		return err
	}
	pagination := viewPagination(page)
	link(c, fmt.Sprintf("/users/%d/audit", id), "", pagination)
	return send(c, fiber.StatusOK, eventsAnswer{views(page.Items, viewEvent), pagination})
}
