package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app/account"
	"taskapi/app/todo"
)

// mimeEvents is the media type of a stream (HTML standard, section 9.2).
const mimeEvents = "text/event-stream"

// Clients come back after this long, not all at once.
const (
	reconnect       = 2 * time.Second
	reconnectJitter = 2 * time.Second
)

const headerLastEvent = "Last-Event-ID"

type ticketAnswer struct {
	Ticket string `json:"ticket"`
	// ExpiresIn is in seconds.
	ExpiresIn int `json:"expires_in"`
}

func (s *Server) createTicket(c *fiber.Ctx) error {
	ticket, err := s.Tickets.Issue(callerOf(c))
	if err != nil {
		return err
	}
	return send(c, fiber.StatusCreated, ticketAnswer{ticket, int(account.TicketTTL / time.Second)})
}

// withTicket lets a request in that shows a ticket, and leaves others to the bearer check.
func (s *Server) withTicket(bearer fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ticket := c.Query("ticket")
		if ticket == "" {
			return bearer(c)
		}
		caller, err := s.Tickets.Take(c.UserContext(), ticket)
		return s.enter(c, caller, err)
	}
}

// events turns its connection into a stream of what changes. fasthttp's own streams notice neither
// that a client has left nor that the server stops, and hold its buffers; so the connection is
// taken over.
func (s *Server) events(c *fiber.Ctx) error {
	caller := callerOf(c)
	// A browser that comes back asks with its first address again, and this header.
	asked := parameters(c)
	delete(asked, "since")
	if since := cmp.Or(strings.TrimSpace(c.Get(headerLastEvent)), c.Query("since")); since != "" {
		asked["since"] = []string{since}
	}
	query, err := s.Sync.Start(c.UserContext(), caller, asked)
	expired := errors.Is(err, todo.ErrSyncExpired)
	if err != nil && !expired {
		return err
	}
	c.Set(fiber.HeaderContentType, mimeEvents)
	c.Set("X-Accel-Buffering", "no") // nginx would wait for its buffer to be full
	c.Context().SetConnectionClose()
	if c.Method() == fiber.MethodHead {
		return nil
	}
	feed, err := s.streams.join(caller.UserID)
	if err != nil {
		return err
	}
	c.Context().Response.Header.SetContentLength(-2) // up to the end of the connection
	begin := c.Context().Response.Header.Header()
	begin = append([]byte(nil), begin...)
	begin = fmt.Appendf(begin, "retry: %d\n\n", (reconnect + s.jitter(reconnectJitter)).Milliseconds())
	t := &stream{server: s, feed: feed, caller: caller, query: query, expired: expired}
	if own := ours(c.Context().Conn()); own != nil {
		// Where the connection breaks now, the server below forgets what takes it over.
		own.stream.Store(t)
	}
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(taken net.Conn) {
		if t.settled.Swap(true) {
			return
		}
		t.conn = taken
		if inner, ok := taken.(interface{ UnsafeConn() net.Conn }); ok {
			t.conn = inner.UnsafeConn()
		}
		// On a goroutine of its own: this one holds what the request needed.
		go t.run(begin)
	})
	return nil
}

// appendMessage appends the events of a page.
func (s *Server) appendMessage(text []byte, page todo.SyncPage) []byte {
	changes := page
	changes.Due = nil
	if !changes.Nothing() {
		text = appendEvent(text, page.Cursor, "changes", s.appendSync(nil, page))
	}
	for i := range page.Due {
		o := object{[]byte{'{'}}
		o.key("task")
		o.text = append(s.taskOf(o.text, &page.Due[i]), '}')
		text = appendEvent(text, page.Cursor, "reminder", o.text)
	}
	return text
}

// appendEvent appends an event (HTML standard, section 9.2.6). Its data is JSON, which has no line
// breaks.
func appendEvent(text []byte, id, event string, data []byte) []byte {
	text = append(append(append(text, "id: "...), id...), "\nevent: "...)
	text = append(append(append(text, event...), "\ndata: "...), data...)
	return append(text, "\n\n"...)
}

// jitter returns a part of a duration that nobody can foresee.
func (s *Server) jitter(most time.Duration) time.Duration {
	var some [1]byte
	if _, err := s.Random.Read(some[:]); err != nil {
		return 0
	}
	return most * time.Duration(some[0]) / 256
}

// endStreams closes all streams when the server stops: their clients come back by themselves.
func (s *Server) endStreams(ctx context.Context) error {
	if err := s.streams.end(ctx); err != nil {
		return fmt.Errorf("end the streams: %w", err)
	}
	return nil
}
