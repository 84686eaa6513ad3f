package api

import (
	"github.com/gofiber/fiber/v2"
)

// parallelPages is how many answers that may be large are made at once, and
// half of it for one network: making one takes its size a few times over.
const parallelPages = 4

// paged makes an answer that may be large: few at a time, each with memory
// before the next one is made.
func (s *Server) paged(handle fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		place, err := s.pages.take(c.UserContext(), callerOf(c).From.Network(), 1, nil)
		if err != nil {
			return err
		}
		defer place.give()
		if err := handle(c); err != nil {
			return err
		}
		return s.keepUntilTaken(c)
	}
}

// keepUntilTaken takes memory for an answer that is not small, until the
// connection is read from again or ends. Returns app.ErrBusy when there is none
// in time.
func (s *Server) keepUntilTaken(c *fiber.Ctx) error {
	size := len(c.Response().Body())
	conn := ours(c.Context().Conn())
	if size <= uncounted || conn == nil || conn.unread.Load() != nil || string(c.Response().Header.ContentType()) != mimeJSON {
		return nil
	}
	lease, err := s.answers.take(c.UserContext(), callerOf(c).From.Network(), int64(size), func() {
		// One that fails has ended by itself.
		_ = conn.Close()
	})
	if err != nil {
		return err
	}
	conn.hold(lease)
	// Out of the buffer which the server below keeps for the connection.
	body := c.Response().Body()
	c.Response().SwapBody(nil)
	c.Response().SetBodyRaw(body)
	return nil
}
