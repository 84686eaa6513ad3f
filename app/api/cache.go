package api

import (
	"sync"

	"github.com/gofiber/fiber/v2"
)

const (
	// cacheMemory bounds the answers that are kept, in bytes.
	cacheMemory = 4 << 20
	// cacheOverhead is what an answer costs beside its body, about.
	cacheOverhead = 400
)

// State says what a store contains now: while it returns the same number, and quiet, the store
// answers every question as before. It is not quiet while a change is becoming visible.
type State interface {
	State() (number uint64, quiet bool)
}

// responseCache keeps answers for as long as nobody changes anything, so that one who asks again, and
// most do, costs neither a query nor its encoding. An answer belongs to one person, since
// everybody sees their own.
type responseCache struct {
	mu      sync.RWMutex
	number  uint64 // of the state that all of them are of
	bytes   int
	answers map[asker]map[string]cachedResponse
}

// asker is whose answer it is.
type asker struct {
	userID int64
	all    bool // sees what is everybody's
}

type cachedResponse struct {
	body       []byte
	etag, link string
}

// cached answers as before while nothing has changed. The handler must answer the same
// question always the same from what the store contains: without a clock, a limit or a trace.
func (s *Server) cached(handle fiber.Handler) fiber.Handler {
	if s.State == nil {
		return handle
	}
	return func(c *fiber.Ctx) error {
		number, quiet := s.State.State()
		caller := callerOf(c)
		who := asker{caller.UserID, caller.Admin()}
		if !quiet || byTheClock(c) {
			return handle(c)
		}
		// The path as it was routed: RequestURI is one in which escapes are taken for what they stand.
		target := c.Path() + "?" + string(c.Request().URI().QueryString())
		if answer, ok := s.cache.get(number, who, target); ok {
			return answer.send(c)
		}
		if err := handle(c); err != nil {
			return err
		}
		response := c.Response()
		if response.StatusCode() == fiber.StatusOK && !response.IsBodyStream() && len(response.Body()) <= uncounted {
			if after, quiet := s.State.State(); quiet && after == number {
				s.cache.put(number, who, target, cachedResponse{
					append([]byte(nil), response.Body()...), string(response.Header.Peek(fiber.HeaderETag)), string(response.Header.Peek(fiber.HeaderLink)),
				})
			}
		}
		return nil
	}
}

// byTheClock reports whether what is found depends on when one asks.
func byTheClock(c *fiber.Ctx) bool {
	args := c.Context().QueryArgs()
	for _, name := range []string{"view", "due_before", "due_after", "updated_after", "completed_after", "completed_before", "trash"} {
		if args.Has(name) {
			return true
		}
	}
	return false
}

func (a cachedResponse) send(c *fiber.Ctx) error {
	if a.link != "" {
		c.Set(fiber.HeaderLink, a.link)
	}
	if a.etag != "" {
		c.Set(fiber.HeaderETag, a.etag)
		if matches(c, a.etag) {
			return c.SendStatus(fiber.StatusNotModified)
		}
	}
	return sendText(c, fiber.StatusOK, func(text []byte) []byte { return append(text, a.body[:len(a.body)-1]...) })
}

func (r *responseCache) get(number uint64, who asker, target string) (cachedResponse, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.number != number {
		return cachedResponse{}, false
	}
	answer, ok := r.answers[who][target]
	return answer, ok
}

func (r *responseCache) put(number uint64, who asker, target string, answer cachedResponse) {
	size := len(answer.body) + len(target) + cacheOverhead
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.number != number || r.bytes+size > cacheMemory {
		r.number, r.bytes, r.answers = number, 0, map[asker]map[string]cachedResponse{}
	}
	if r.answers[who] == nil {
		r.answers[who] = map[string]cachedResponse{}
	}
	if _, there := r.answers[who][target]; !there {
		r.answers[who][target] = answer
		r.bytes += size
	}
}
