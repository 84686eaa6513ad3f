package api

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"taskapi/app/todo"
)

// undo undoes one request of the caller's.
func (s *Server) undo(c *fiber.Ctx) error {
	in, err := s.body(c, "change")
	if err != nil {
		return err
	}
	done, err := s.Tasks.Undo(c.UserContext(), callerOf(c), in.integer("change"))
	switch {
	case errors.Is(err, todo.ErrUndoConflict):
		return s.sendClash(c, done)
	case err != nil:
		return err
	}
	switch {
	case done.Task != nil:
		s.etag(c, *done.Task)
		shows(c, done.Task.ListID)
	case done.List != nil:
		s.listETag(c, *done.List)
		shows(c, done.List.ID)
	}
	return sendText(c, fiber.StatusOK, func(text []byte) []byte {
		o := object{append(text, '{')}
		o.str("message", "Undone.")
		o.value("changes", views(done.Changes, func(number int64) int64 { return number }))
		if done.Task != nil {
			o.key("task")
			o.text = s.taskOf(o.text, done.Task)
		}
		if done.List != nil {
			o.value("list", s.viewList(*done.List))
		}
		return append(o.text, '}')
	})
}

// sendClash answers 409 with what is in the way of an undo, as it is now; null if it is gone.
func (s *Server) sendClash(c *fiber.Ctx, now todo.Undone) error {
	return sendText(c, fiber.StatusConflict, func(text []byte) []byte {
		o := object{append(text, '{')}
		o.str("error", todo.ErrUndoConflict.Message)
		o.str("code", todo.ErrUndoConflict.Code)
		switch {
		case now.Task != nil:
			o.key("current")
			o.text = s.taskOf(o.text, now.Task)
		case now.List != nil:
			o.value("current", s.viewList(*now.List))
		default:
			o.null("current")
		}
		return append(o.text, '}')
	})
}
