package api

import (
	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
)

type userAnswer struct {
	Message string   `json:"message"`
	User    userView `json:"user"`
	// APITokensEnded stands beside a new password.
	APITokensEnded *int64 `json:"api_tokens_ended,omitempty"`
}

type usersAnswer struct {
	Users      []userView `json:"users"`
	Pagination any        `json:"pagination"`
}

func userInput(in fields) account.UserInput {
	return account.UserInput{
		Username:        in.text("username"),
		Email:           in.text("email"),
		Password:        in.text("password"),
		ConfirmPassword: in.text("confirm_password"),
		CurrentPassword: in.text("current_password"),
		KeepAPITokens:   in.boolean("keep_api_tokens"),
		TimeZone:        in.text("time_zone"),

		ReminderChannels: in.texts("reminder_channels"),
	}
}

func (s *Server) createUser(c *fiber.Ctx) error {
	return s.addUser(c, "User created successfully.")
}

func (s *Server) addUser(c *fiber.Ctx, message string) error {
	in, err := s.body(c, "username", "email", "password", "confirm_password", "current_password", "keep_api_tokens", "time_zone")
	if err != nil {
		return err
	}
	user, err := s.Users.Register(c.UserContext(), callerOf(c), userInput(in))
	if err != nil {
		return err
	}
	caller := callerOf(c)
	if caller.UserID == 0 { // who registers
		caller.UserID = user.ID
	}
	return send(c, fiber.StatusCreated, userAnswer{Message: message, User: viewOwn(user, caller)})
}

func (s *Server) listUsers(c *fiber.Ctx) error {
	request, err := pageOrCursor(c)
	if err != nil {
		return err
	}
	page, err := s.Users.List(c.UserContext(), callerOf(c), request)
	if err != nil {
		return err
	}
	pagination := paginate(c, "/users/", "", page, func(u account.User) int64 { return u.ID })
	return send(c, fiber.StatusOK, usersAnswer{views(page.Items, viewUser), pagination})
}

// userID reads the id of a path in which one's own may be called me. Whoever
// comes with an API token is its owner.
func userID(c *fiber.Ctx) (int64, bool) {
	if segment(c, "id") == "me" {
		return callerOf(c).UserID, true
	}
	return pathID(c)
}

func (s *Server) getUser(c *fiber.Ctx) error {
	id, ok := userID(c)
	if !ok {
		return account.ErrUserNotFound
	}
	user, err := s.Users.Get(c.UserContext(), callerOf(c), id)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, viewOwn(user, callerOf(c)))
}

func (s *Server) updateUser(c *fiber.Ctx) error {
	in, err := s.body(c, "username", "email", "password", "confirm_password", "current_password", "keep_api_tokens", "time_zone", "reminder_channels")
	if err != nil {
		return err
	}
	id, ok := userID(c)
	if !ok {
		return account.ErrUserNotFound
	}
	input := userInput(in)
	user, ended, err := s.Users.Update(c.UserContext(), callerOf(c), id, input)
	if err != nil {
		return err
	}
	answer := userAnswer{Message: "User updated successfully.", User: viewOwn(user, callerOf(c))}
	if input.Password.State == app.Present {
		answer.APITokensEnded = &ended.APITokens
	}
	return send(c, fiber.StatusOK, answer)
}

func (s *Server) deleteUser(c *fiber.Ctx) error {
	id, ok := userID(c)
	if !ok {
		return account.ErrUserNotFound
	}
	in, err := s.optionalBody(c, "current_password")
	if err != nil {
		return err
	}
	shared := account.PassShared
	if args := c.Context().QueryArgs(); args.Has("shared") {
		if string(args.Peek("shared")) != "delete" {
			return app.InvalidParameter("shared", "must be delete; without it, shared lists pass to another member")
		}
		shared = account.DeleteShared
	}
	if err := s.Users.Delete(c.UserContext(), callerOf(c), id, shared, in.text("current_password")); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"User deleted successfully."})
}
