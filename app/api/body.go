package api

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// The maximum sizes of request bodies, in bytes; larger ones get 413.
const (
	maxBody     = 1 << 20
	maxAuthBody = 16 << 10 // below /auth and /users, where nobody needs to be signed in
)

// bodyLimit returns the maximum size of the body for a path, in bytes.
func bodyLimit(path string) int {
	if strings.HasPrefix(path, pathDAV+"/") {
		return maxDAVBody
	}
	if strings.HasPrefix(path, "/auth/") || path == "/users" || strings.HasPrefix(path, "/users/") {
		return maxAuthBody
	}
	return maxBody
}

// boundBody refuses a body whose Content-Length is too large, of which only a few
// kilobytes have been read.
func boundBody(c *fiber.Ctx) error {
	if c.Request().Header.ContentLength() > bodyLimit(c.Path()) {
		return fiber.ErrRequestEntityTooLarge
	}
	return c.Next()
}

// arrived reports whether the whole request has been received.
func arrived(c *fiber.Ctx) bool {
	size := c.Request().Header.ContentLength()
	return c.Context().RequestBodyStream() == nil || 0 <= size && size <= uncounted || c.Locals(keyArrived) != nil
}

// abandon closes a connection whose request has not been received in full.
func abandon(c *fiber.Ctx) {
	c.Context().SetConnectionClose()
	linger(c.Context().Conn())
}

// chunk is the memory, in bytes, that a chunked body reserves at a time.
const chunk = 32 << 10

// readBody reads the body of a request and reserves memory for it and for what is
// decoded from it. It returns fiber.ErrRequestEntityTooLarge,
// fiber.ErrRequestTimeout, and app.ErrBusy if there is no memory in time.
func (s *Server) readBody(c *fiber.Ctx) ([]byte, *lease, error) {
	if data, ok := c.Locals(keyBody).([]byte); ok { // it was read before
		return data, nil, nil
	}
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return nil, nil, nil
	}
	size := c.Request().Header.ContentLength()
	if 0 <= size && size <= uncounted {
		// It is here already.
		data, err := readAll(stream, size)
		return data, nil, err
	}
	conn := c.Context().Conn()
	cut := func() {
		// One that fails has ended by itself.
		_ = conn.SetReadDeadline(time.Unix(1, 0))
	}
	first := size
	if size < 0 {
		first = chunk
	}
	lease, err := s.bodies.take(c.UserContext(), callerOf(c).From.Network(), 2*int64(first), cut)
	if err != nil {
		return nil, nil, err
	}
	var data []byte
	if size >= 0 {
		data, err = readAll(stream, size)
	} else {
		data, err = readChunks(stream, lease, bodyLimit(c.Path()))
	}
	if err != nil {
		lease.give()
		return nil, nil, err
	}
	lease.keep()
	c.Locals(keyArrived, true)
	s.restart(c)
	return data, lease, nil
}

// readAll reads a body of known size.
func readAll(stream io.Reader, size int) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(stream, data)
	return data, unread(err)
}

// readChunks reads a body of unknown size and reserves memory as it grows.
func readChunks(stream io.Reader, lease *lease, limit int) ([]byte, error) {
	var data []byte
	for room := 0; ; {
		if len(data) == room {
			if room > 0 && !lease.grow(2*chunk) {
				return nil, app.ErrBusy.With(errNoMemory)
			}
			room += chunk
			data = slices.Grow(data, chunk)
		}
		n, err := stream.Read(data[len(data):room])
		data = data[:len(data)+n]
		switch {
		case len(data) > limit:
			return nil, fiber.ErrRequestEntityTooLarge
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, unread(err)
		}
	}
}

// unread translates the error that interrupted the reading of a body.
func unread(err error) error {
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fiber.ErrRequestTimeout
	}
	return fiber.ErrBadRequest
}

// restart begins the time limit of the work anew, because the client is responsible
// for the time that the request took to arrive.
func (s *Server) restart(c *fiber.Ctx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), workTimeout)
	c.Locals(keyCancel, cancel)
	c.SetUserContext(ctx)
}
