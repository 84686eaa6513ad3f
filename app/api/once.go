package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/todo"
)

// Headers of requests that are sent again.
const (
	headerKey      = "Idempotency-Key"
	headerReplayed = "Idempotency-Replayed"
	// headerChange is the number of the first change that a request made in the log.
	headerChange = "Change"
)

// maxKey is the longest Idempotency-Key.
const maxKey = 128

// once serves a write. A request with an Idempotency-Key runs in the turn of its change,
// whose transaction keeps the answer: a second one with the key runs after it, and finds that.
// So the handler must wait for nothing, and may run more than once.
func (s *Server) once(handle fiber.Handler) fiber.Handler {
	return s.noted(handle, func(c *fiber.Ctx, retry app.Retry) error {
		var failed error
		var change int64
		began := app.NoteChange(c.UserContext(), &change)
		answer, again, err := s.Answers.Once(began, callerOf(c), retry, func(ctx context.Context) (app.Answer, error) {
			change = 0
			noteLists(c)
			c.SetUserContext(ctx)
			failed = handle(c)
			c.SetUserContext(began)
			noteChange(c, change)
			return answerOf(c), failed
		})
		switch {
		case failed != nil || err != nil:
			forgetAnswer(c)
			return cmp.Or(failed, err)
		case again:
			return replay(c, answer)
		}
		return nil
	})
}

// onceInTurns is once for a write that takes several turns, and that goes on where it was cut when
// it is sent again. Its answer is kept after the last of them.
func (s *Server) onceInTurns(handle fiber.Handler) fiber.Handler {
	return s.noted(handle, func(c *fiber.Ctx, retry app.Retry) error {
		answer, found, err := s.Answers.AnswerTo(c.UserContext(), callerOf(c), retry)
		switch {
		case err != nil:
			return err
		case found:
			return replay(c, answer)
		}
		noteLists(c)
		err = noting(c, handle)
		if answer = answerOf(c); err != nil || !answer.Done() {
			return err
		}
		return s.Answers.KeepAnswer(c.UserContext(), retry, answer)
	})
}

// noted serves requests without a key, and hands on those with one, whose body is read.
func (s *Server) noted(handle fiber.Handler, keyed func(*fiber.Ctx, app.Retry) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		keys := c.Request().Header.PeekAll(headerKey)
		if len(keys) == 0 {
			return noting(c, handle)
		}
		key, ok := readKey(string(keys[0]))
		if !ok || len(keys) > 1 {
			return app.ErrKey
		}
		data, lease, err := s.readBody(c)
		if err != nil {
			return err
		}
		defer lease.give()
		c.Locals(keyBody, data)
		return keyed(c, app.Retry{
			UserID: callerOf(c).UserID, Key: key, Fingerprint: fingerprint(c, key, data), Hidden: hidden(c),
		})
	}
}

// noting runs a handler, and notes the first change that it makes.
func noting(c *fiber.Ctx, handle fiber.Handler) error {
	var change int64
	c.SetUserContext(app.NoteChange(c.UserContext(), &change))
	err := handle(c)
	noteChange(c, change)
	return err
}

func noteChange(c *fiber.Ctx, change int64) {
	if change != 0 {
		c.Set(headerChange, strconv.FormatInt(change, 10))
	}
}

// hidden is the error of a request whose answer shows what the caller may no longer see.
func hidden(c *fiber.Ctx) error {
	for _, top := range []string{"/lists", "/invitations"} {
		if strings.HasPrefix(c.Path(), top) {
			return todo.ErrListNotFound
		}
	}
	return todo.ErrTaskNotFound
}

// noteLists makes shows note the lists that the answer to a request shows.
func noteLists(c *fiber.Ctx) { c.Locals(keyShows, new([]int64)) }

// shows says that the answer to a request shows something of a list, so that it is given
// again only to a member. Every handler of a write says so that answers with more than how
// it went.
func shows(c *fiber.Ctx, list int64) {
	if noted, _ := c.Locals(keyShows).(*[]int64); noted != nil && !slices.Contains(*noted, list) {
		*noted = append(*noted, list)
	}
}

// readKey reads an Idempotency-Key: a string of RFC 8941 (section 3.3.3) or the same without
// quotes.
func readKey(text string) (key string, ok bool) {
	key = strings.TrimSpace(text)
	if inside, quoted := strings.CutPrefix(key, `"`); quoted {
		if inside, quoted = strings.CutSuffix(inside, `"`); !quoted {
			return "", false
		}
		key = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(inside)
	}
	visible := !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
	return key, visible && 1 <= len(key) && len(key) <= maxKey
}

// fingerprint tells requests of one key apart.
func fingerprint(c *fiber.Ctx, key string, body []byte) (sum16 [16]byte) {
	sum := sha256.New()
	for _, part := range []string{key, c.Method(), strings.TrimSuffix(c.Path(), "/"), string(c.Context().URI().QueryString())} {
		_, _ = sum.Write(append([]byte(part), 0))
	}
	_, _ = sum.Write(body)
	copy(sum16[:], sum.Sum(nil))
	return sum16
}

// kept are the headers that belong to an answer.
func kept() []string { return []string{fiber.HeaderETag, fiber.HeaderLocation, headerChange} }

// answerOf is what was answered.
func answerOf(c *fiber.Ctx) app.Answer {
	noted, _ := c.Locals(keyShows).(*[]int64)
	answer := app.Answer{Status: c.Response().StatusCode(), Body: slices.Clone(c.Response().Body()), Header: map[string]string{}}
	if noted != nil {
		answer.Lists = *noted
	}
	for _, name := range kept() {
		if value := c.GetRespHeader(name); value != "" {
			answer.Header[name] = value
		}
	}
	return answer
}

// forgetAnswer removes what was written for a change that did not come to be.
func forgetAnswer(c *fiber.Ctx) {
	for _, name := range kept() {
		c.Response().Header.Del(name)
	}
	c.Response().ResetBody()
}

// replay answers as before.
func replay(c *fiber.Ctx, answer app.Answer) error {
	for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
		c.Set(name, answer.Header[name])
	}
	c.Set(headerReplayed, "true")
	return sendBody(c, answer.Status, answer.Body)
}
