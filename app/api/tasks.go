package api

import (
	"errors"
	"fmt"

	"taskapi/app/account"
	"taskapi/app/todo"

	"github.com/gofiber/fiber/v2"
)

type taskAnswer struct {
	Message string   `json:"message"`
	Task    taskView `json:"task"`
}

type tasksAnswer struct {
	Tasks      []taskView `json:"tasks"`
	Pagination any        `json:"pagination"`
}

func taskInput(in fields) todo.TaskInput {
	return todo.TaskInput{
		Title:       in.text("title"),
		Description: in.text("description"),
		Completed:   in.boolean("completed"),
		UserID:      in.integer("user_id"),
		Priority:    in.text("priority"),
		Dates:       todo.DatesInput{Due: in.text("due"), Zone: in.text("due_zone"), Start: in.text("start")},
	}
}

// taskBody reads the fields of a task. Those that the tutorial does not have may mean
// something else to a client of it.
func (s *Server) taskBody(c *fiber.Ctx) (fields, error) {
	names := []string{"title", "description", "completed", "user_id"}
	if !s.Tutorial {
		names = append(names, "priority", "due", "due_zone", "start")
	}
	return s.body(c, names...)
}

func (s *Server) listTasks(c *fiber.Ctx) error {
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
	return send(c, fiber.StatusOK, tasksAnswer{views(page.Items, viewTask), pagination})
}

func (s *Server) getTask(c *fiber.Ctx) error {
	id, ok := pathID(c)
	if !ok {
		return todo.ErrTaskNotFound
	}
	task, err := s.Tasks.Get(c.UserContext(), callerOf(c), id)
	if err != nil {
		return err
	}
	return s.sendTask(c, task)
}

// sendTask answers with a task, or with 304 if the client has this version of it.
func (s *Server) sendTask(c *fiber.Ctx, task todo.Task) error {
	etag := s.etag(c, task)
	if matches(c, etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return send(c, fiber.StatusOK, viewTask(task))
}

// changedAnswer is the body of a 412.
type changedAnswer struct {
	problem
	Current taskView `json:"current"`
}

// failChange answers with the error of a change; a 412 comes with the task as it is.
func (s *Server) failChange(c *fiber.Ctx, task todo.Task, err error) error {
	if !errors.Is(err, todo.ErrChangedMeanwhile) {
		return err
	}
	s.etag(c, task)
	changed := todo.ErrChangedMeanwhile
	return send(c, fiber.StatusPreconditionFailed, changedAnswer{problem{Error: changed.Message, Code: changed.Code}, viewTask(task)})
}

func (s *Server) createTask(c *fiber.Ctx) error {
	in, err := s.taskBody(c)
	if err != nil {
		return err
	}
	task, err := s.Tasks.Create(c.UserContext(), callerOf(c), taskInput(in))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, fmt.Sprintf("/tasks/%d", task.ID))
	s.etag(c, task)
	return send(c, fiber.StatusCreated, taskAnswer{"Task created successfully.", viewTask(task)})
}

func (s *Server) updateTask(c *fiber.Ctx) error {
	in, err := s.taskBody(c)
	if err != nil {
		return err
	}
	id, ok := pathID(c)
	if !ok {
		return todo.ErrTaskNotFound
	}
	input := taskInput(in)
	input.Match = s.ifMatch(c)
	task, err := s.Tasks.Update(c.UserContext(), callerOf(c), id, input)
	if err != nil {
		return s.failChange(c, task, err)
	}
	s.etag(c, task)
	return send(c, fiber.StatusOK, taskAnswer{"Task updated successfully.", viewTask(task)})
}

func (s *Server) deleteTask(c *fiber.Ctx) error {
	id, ok := pathID(c)
	if !ok {
		return todo.ErrTaskNotFound
	}
	if task, err := s.Tasks.Delete(c.UserContext(), callerOf(c), id, s.ifMatch(c)); err != nil {
		return s.failChange(c, task, err)
	}
	return send(c, fiber.StatusOK, messageView{"Task deleted successfully."})
}
