package api

import (
	"github.com/gofiber/fiber/v2"

	"taskapi/app/account"
)

// The answers below are the same whether or not the address has an account.

func (s *Server) forgotPassword(c *fiber.Ctx) error {
	in, err := s.body(c, "email")
	if err != nil {
		return err
	}
	if err := s.Recovery.Forgot(c.UserContext(), callerOf(c), in.text("email")); err != nil {
		return err
	}
	return send(c, fiber.StatusAccepted, messageView{"If there is an account with this address, a mail with a link for a new password is on its way."})
}

func (s *Server) resendVerification(c *fiber.Ctx) error {
	in, err := s.body(c, "email")
	if err != nil {
		return err
	}
	if err := s.Recovery.ResendVerification(c.UserContext(), callerOf(c), in.text("email")); err != nil {
		return err
	}
	return send(c, fiber.StatusAccepted, messageView{"If there is an account with this address that is not confirmed yet, a mail with a link is on its way."})
}

func (s *Server) resetPassword(c *fiber.Ctx) error {
	in, err := s.body(c, "token", "password", "confirm_password")
	if err != nil {
		return err
	}
	err = s.Recovery.Reset(c.UserContext(), callerOf(c), account.ResetInput{
		Token: in.text("token"), Password: in.text("password"), ConfirmPassword: in.text("confirm_password"),
	})
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"Your password has been changed. Please sign in with it."})
}

func (s *Server) verifyEmail(c *fiber.Ctx) error {
	in, err := s.body(c, "token")
	if err != nil {
		return err
	}
	user, err := s.Recovery.VerifyEmail(c.UserContext(), callerOf(c), in.text("token"))
	if err != nil {
		return err
	}
	setUser(c, user.ID)
	return send(c, fiber.StatusOK, struct {
		Message string `json:"message"`
		Email   string `json:"email"`
	}{"Your e-mail address has been confirmed.", user.Email})
}
