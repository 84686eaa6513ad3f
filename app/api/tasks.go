package api

import (
	"errors"
	"fmt"
	"mime"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/todo"
)

func taskInput(in fields) todo.TaskInput {
	return todo.TaskInput{
		Title:       in.text("title"),
		Description: in.text("description"),
		Completed:   in.boolean("completed"),
		UserID:      in.integer("user_id"),
		Priority:    in.text("priority"),
		Dates:       todo.DatesInput{Due: in.text("due"), Zone: in.text("due_zone"), Start: in.text("start")},
		UID:         in.text("uid"),
		List:        in.ref("list_id"),
		Parent:      in.ref("parent_id"),
		Labels:      todo.LabelsInput{All: in.texts("labels"), Add: in.texts("labels_add"), Remove: in.texts("labels_remove")},
		Repetition:  todo.RepetitionInput{Rule: in.text("recurrence"), From: in.text("recurrence_from")},
		Reminders:   in.objects("reminders"),
		Assignee:    in.integer("assignee_id"),
	}
}

// taskBody reads the fields of a task. Those that the tutorial does not have may mean
// something else to a client of it.
func (s *Server) taskBody(c *fiber.Ctx, more ...string) (fields, error) {
	names := []string{"title", "description", "completed", "user_id"}
	if !s.Tutorial {
		names = append(names, "priority", "due", "due_zone", "start", "list_id", "parent_id", "labels", "recurrence", "recurrence_from", "reminders", "assignee_id")
		names = append(names, more...)
	}
	return s.body(c, names...)
}

// taskRef reads the task in a path.
func taskRef(c *fiber.Ctx) (todo.Ref, error) {
	ref, ok := todo.ReadRef(segment(c, "id"))
	if !ok {
		return ref, todo.ErrTaskNotFound
	}
	return ref, nil
}

func (s *Server) getTask(c *fiber.Ctx) error {
	ref, err := taskRef(c)
	if err != nil {
		return err
	}
	task, err := s.Tasks.Get(c.UserContext(), callerOf(c), ref)
	if err != nil {
		return err
	}
	if matches(c, s.etag(c, task)) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return sendText(c, fiber.StatusOK, func(text []byte) []byte { return s.taskOf(text, &task) })
}

// failChange answers with the error of a change; a 412 comes with the task as it is.
func (s *Server) failChange(c *fiber.Ctx, task todo.Task, err error) error {
	if !errors.Is(err, todo.ErrChangedMeanwhile) {
		return err
	}
	s.etag(c, task)
	return s.sendCurrent(c, todo.ErrChangedMeanwhile.Message, &task)
}

// sendTask answers with a task that a request has made or changed.
func (s *Server) sendTask(c *fiber.Ctx, status int, message string, task todo.Task) error {
	s.etag(c, task)
	shows(c, task.ListID)
	return sendText(c, status, func(text []byte) []byte { return append(s.appendAnswer(text, message, &task), '}') })
}

// appendAnswer appends an answer with a task, without the brace at its end.
func (s *Server) appendAnswer(text []byte, message string, task *todo.Task) []byte {
	o := object{append(text, '{')}
	o.str("message", message)
	o.key("task")
	return s.taskOf(o.text, task)
}

// sendCurrent answers 412 with a task as it is.
func (s *Server) sendCurrent(c *fiber.Ctx, message string, task *todo.Task) error {
	return sendText(c, fiber.StatusPreconditionFailed, func(text []byte) []byte {
		o := object{append(text, '{')}
		o.str("error", message)
		o.str("code", todo.ErrChangedMeanwhile.Code)
		o.key("current")
		return append(s.taskOf(o.text, task), '}')
	})
}

func (s *Server) createTask(c *fiber.Ctx) error {
	in, err := s.taskBody(c, "uid", "labels_add", "labels_remove")
	if err != nil {
		return err
	}
	task, err := s.Tasks.Create(c.UserContext(), callerOf(c), taskInput(in))
	switch {
	case errors.Is(err, todo.ErrExists) && matches(c, ""):
		s.etag(c, task)
		return s.sendCurrent(c, "There is a task of this uid already.", &task)
	case errors.Is(err, todo.ErrExists):
		return s.sendTask(c, fiber.StatusOK, "Task already exists.", task)
	case err != nil:
		return err
	}
	c.Set(fiber.HeaderLocation, fmt.Sprintf("/tasks/%d", task.ID))
	return s.sendTask(c, fiber.StatusCreated, "Task created successfully.", task)
}

func (s *Server) updateTask(c *fiber.Ctx) error {
	in, err := s.taskBody(c, "labels_add", "labels_remove")
	if err != nil {
		return err
	}
	ref, err := taskRef(c)
	if err != nil {
		return err
	}
	input := taskInput(in)
	input.Merge, input.Match = isMergePatch(c), s.ifMatch(c)
	updated, err := s.Tasks.Update(c.UserContext(), callerOf(c), ref, input)
	if err != nil {
		return s.failChange(c, updated.Task, err)
	}
	s.etag(c, updated.Task)
	shows(c, updated.ListID)
	return sendText(c, fiber.StatusOK, func(text []byte) []byte {
		o := object{s.appendAnswer(text, "Task updated successfully.", &updated.Task)}
		if updated.Copy != nil { // what is kept of an occurrence that was completed
			o.key("completed_copy")
			o.text = s.taskOf(o.text, updated.Copy)
		}
		return append(o.text, '}')
	})
}

// isMergePatch reports whether null removes in the body of a request (RFC 7396).
func isMergePatch(c *fiber.Ctx) bool {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	return err == nil && kind == "application/merge-patch+json" && c.Method() == fiber.MethodPatch
}

func (s *Server) moveTask(c *fiber.Ctx) error {
	in, err := s.optionalBody(c, "list_id", "parent_id", "before_id", "after_id")
	if err != nil {
		return err
	}
	ref, err := taskRef(c)
	if err != nil {
		return err
	}
	task, err := s.Tasks.Move(c.UserContext(), callerOf(c), ref, in.ref("list_id"), in.ref("parent_id"), place(in), s.ifMatch(c))
	if err != nil {
		return s.failChange(c, task, err)
	}
	return s.sendTask(c, fiber.StatusOK, "Task moved successfully.", task)
}

func (s *Server) deleteTask(c *fiber.Ctx) error {
	ref, err := taskRef(c)
	if err != nil {
		return err
	}
	permanent := false
	if args := c.Context().QueryArgs(); args.Has("permanent") && !s.Tutorial {
		switch string(args.Peek("permanent")) {
		case "true":
			permanent = true
		case "false":
		default:
			return app.InvalidParameter("permanent", "must be true or false")
		}
	}
	if task, err := s.Tasks.Delete(c.UserContext(), callerOf(c), ref, permanent, s.ifMatch(c)); err != nil {
		return s.failChange(c, task, err)
	}
	return send(c, fiber.StatusOK, messageView{"Task deleted successfully."})
}

func (s *Server) restoreTask(c *fiber.Ctx) error {
	ref, err := taskRef(c)
	if err != nil {
		return err
	}
	task, err := s.Tasks.Restore(c.UserContext(), callerOf(c), ref, s.ifMatch(c))
	if err != nil {
		return s.failChange(c, task, err)
	}
	return s.sendTask(c, fiber.StatusOK, "Task restored successfully.", task)
}
