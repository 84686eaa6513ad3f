package api

import (
	"github.com/gofiber/fiber/v2"
)

// parallelPages is how many large responses are built at once, half of them for one
// network: building one takes several times its size.
const parallelPages = 4

// paged limits a route with large responses: few are built at a time, and each
// holds its memory before the next one is built.
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

// keepUntilTaken reserves memory for a response that is not small until the
// connection is read again or ends. Returns app.ErrBusy if there is none in time.
func (s *Server) keepUntilTaken(c *fiber.Ctx) error {
	if c.Response().IsBodyStream() {
		return nil
	}
	size := len(c.Response().Body())
	conn := ours(c.Context().Conn())
	kind := string(c.Response().Header.ContentType())
	if size <= uncounted || conn == nil || conn.unread.Load() != nil || kind != mimeJSON && kind != mimeCalendar {
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
