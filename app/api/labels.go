package api

import (
	"github.com/gofiber/fiber/v2"

	"taskapi/app/todo"
)

type labelView struct {
	Name  string `json:"name"`
	Open  int64  `json:"open"`
	Total int64  `json:"total"`
}

type labelsAnswer struct {
	Labels []labelView `json:"labels"`
}

// changedView says how many tasks a request has changed.
type changedView struct {
	Changed int64 `json:"changed"`
}

// deletedView says how many tasks a request has deleted for good.
type deletedView struct {
	Deleted int64 `json:"deleted"`
}

func viewLabel(l todo.Label) labelView { return labelView(l) }

func (s *Server) listLabels(c *fiber.Ctx) error {
	labels, err := s.Tasks.Labels(c.UserContext(), callerOf(c))
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, labelsAnswer{views(labels, viewLabel)})
}

// labelName reads the label in a path, in which %2F stands for a slash.
func labelName(c *fiber.Ctx) (string, error) {
	name := segment(c, "name")
	if name == "" {
		return "", todo.ErrLabelNotFound
	}
	return name, nil
}

func (s *Server) updateLabel(c *fiber.Ctx) error {
	in, err := s.body(c, "name")
	if err != nil {
		return err
	}
	name, err := labelName(c)
	if err != nil {
		return err
	}
	changed, err := s.Tasks.RenameLabel(c.UserContext(), callerOf(c), name, in.text("name"))
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, changedView{changed})
}

func (s *Server) removeLabel(c *fiber.Ctx) error {
	name, err := labelName(c)
	if err != nil {
		return err
	}
	changed, err := s.Tasks.RemoveLabel(c.UserContext(), callerOf(c), name)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, changedView{changed})
}

func (s *Server) emptyTrash(c *fiber.Ctx) error {
	deleted, err := s.Tasks.EmptyTrash(c.UserContext(), callerOf(c))
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, deletedView{deleted})
}
