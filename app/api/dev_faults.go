package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/dev"
	"taskapi/app/todo"
)

// What a request asks trouble with, as a header and as a query parameter.
const (
	headerDevDelay  = "X-Dev-Delay"
	headerDevStatus = "X-Dev-Status"
	headerDevDrop   = "X-Dev-Drop"
	// headerDevFault names, in an answer, the trouble that it was made with.
	headerDevFault = "X-Dev-Fault"

	keyFault = "fault"
)

// devHeaders are those that a developer's server takes from other origins, too.
const devHeaders = ", " + headerDevDelay + ", " + headerDevStatus + ", " + headerDevDrop

// rehearse makes trouble for a request that asks for it, or that meets a fault. It never does for
// the developer's own routes, nor for preflight requests. Pages of elsewhere, which a developer
// may have open as well, can't use those routes.
func (s *Server) rehearse(c *fiber.Ctx) error {
	// Browsers send a request again by themselves, a POST as well, where a connection that they had
	// used before ends without an answer. So none is used twice, and what is dropped is dropped once.
	c.Context().SetConnectionClose()
	if c.Method() == fiber.MethodOptions {
		return c.Next()
	}
	if path := c.Path(); path == pathDev || strings.HasPrefix(path, pathDev+"/") {
		origin := c.Get(fiber.HeaderOrigin)
		if _, host, _ := strings.Cut(origin, "://"); origin != "" && !localOrigin(origin) && host != string(c.Context().Host()) {
			return app.ErrForbidden
		}
		return c.Next()
	}
	asked, err := askedTrouble(c)
	if err != nil {
		return err
	}
	trouble, wait := s.Dev.Faults.Meet(c.Method(), c.Path(), asked, func(kind dev.Kind) bool { return kindOfTrouble(c, kind) != nil })
	if wait > 0 {
		noteFault(c, "delay")
		s.Dev.Wait(wait)
		ctx, cancel := context.WithTimeout(context.Background(), workTimeout) // waiting was no work
		defer cancel()
		c.SetUserContext(app.OnBehalf(ctx, callerOf(c)))
	}
	switch {
	case trouble.Drop == dev.DropBefore:
		dropConnection(c, trouble.Drop)
		return nil
	case trouble.Status != 0:
		noteFault(c, "status")
		return feigned(c, trouble.Status)
	}
	if err := kindOfTrouble(c, trouble.Kind); err != nil {
		noteFault(c, string(trouble.Kind))
		return err
	}
	err = c.Next()
	if trouble.Drop == dev.DropAfter {
		if err != nil {
			s.fail(c, err) // for the log
		}
		dropConnection(c, trouble.Drop)
		return nil
	}
	return err
}

// noteFault names trouble in the answer and in the log.
func noteFault(c *fiber.Ctx, name string) {
	c.Append(headerDevFault, name)
	c.Locals(keyFault, string(c.Response().Header.Peek(headerDevFault)))
}

// askedTrouble reads what a request asks for.
func askedTrouble(c *fiber.Ctx) (t dev.Trouble, err error) {
	for key := range c.Context().QueryArgs().All() {
		// A lone _ and a number are what makes an address a new one.
		if name := string(key); strings.HasPrefix(name, "_") && len(name) > 1 && !slices.Contains([]string{"_delay", "_status", "_drop"}, name) {
			return t, unknownParameter(fmt.Sprintf(`There is no parameter "%s"; trouble is asked for by _delay, _status and _drop.`, excerpt(name)))
		}
	}
	ask := func(header, parameter string, read func(text string) bool, what string) {
		text, name := c.Get(header), header
		if text == "" {
			text, name = c.Query(parameter), parameter
		}
		if text != "" && !read(text) {
			err = errors.Join(err, app.InvalidParameter(name, what))
		}
	}
	ask(headerDevDelay, "_delay", func(text string) (ok bool) { t.Delay, ok = dev.ParseDelay(text); return ok }, "must be a time such as 300ms, 2s or 300..900ms, up to 60s")
	ask(headerDevStatus, "_status", func(text string) bool {
		t.Status, _ = strconv.Atoi(text)
		return dev.ValidStatus(t.Status)
	}, "must be a status from 400 to 599")
	ask(headerDevDrop, "_drop", func(text string) (ok bool) { t.Drop, ok = dev.ParseDrop(text); return ok }, "must be before or after")
	return t, err
}

// kindOfTrouble returns the error of a request that meets trouble of a kind, nil for a request that
// has none by it.
func kindOfTrouble(c *fiber.Ctx, kind dev.Kind) error {
	changes := c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead
	bearer := len(c.Get(fiber.HeaderAuthorization)) > len("Bearer ") && strings.EqualFold(c.Get(fiber.HeaderAuthorization)[:len("Bearer ")], "Bearer ")
	switch {
	case kind == dev.ExpiredToken && bearer:
		return errTokenExpired
	case kind == dev.EndedSession && strings.TrimSuffix(c.Path(), "/") == "/auth/refresh":
		return account.ErrRefreshInvalid
	case kind == dev.EndedSession && bearer:
		return account.ErrSessionEnded
	case kind == dev.FullDisk && changes:
		return app.ErrDiskFull.With(errors.New("rehearsed"))
	case kind == dev.ReadOnly && changes:
		return errors.New("rehearsed: the database can't be written")
	}
	return nil
}

// feigned answers with a status as the server would, as far as it ever does.
func feigned(c *fiber.Ctx, status int) error {
	switch status {
	case fiber.StatusUnauthorized:
		return errTokenExpired
	case fiber.StatusForbidden:
		return app.ErrForbidden
	case fiber.StatusConflict:
		return todo.ErrExists
	case fiber.StatusGone:
		return todo.ErrSyncExpired
	case fiber.StatusPreconditionFailed:
		return todo.ErrChangedMeanwhile
	case fiber.StatusUnprocessableEntity:
		return app.Mistake("title", "This is a rehearsal.")
	case fiber.StatusTooManyRequests:
		return app.TooMany(app.ErrBusy.RetryAfter)
	case fiber.StatusServiceUnavailable:
		return app.ErrBusy.With(errors.New("rehearsed"))
	case fiber.StatusInternalServerError:
		return errors.New("rehearsed")
	}
	body := httpProblem(status)
	if status >= fiber.StatusInternalServerError && body.Code == "bad_request" {
		body.Code, body.RequestID = "internal_error", requestID(c)
	}
	if text := http.StatusText(status); text != "" && (body.Code == "bad_request" || body.Code == "internal_error") {
		body.Error = "This is a rehearsal: " + text + "."
	}
	sendProblem(c, status, body)
	return nil
}

// dropConnection closes the connection instead of sending an answer.
func dropConnection(c *fiber.Ctx, when dev.Drop) {
	noteFault(c, "drop "+string(when))
	c.Context().SetConnectionClose()
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(conn net.Conn) {
		// One that fails has ended by itself.
		_ = conn.Close()
	})
}

type faultView struct {
	ID     int64   `json:"id"`
	Route  string  `json:"route"`
	Rate   float64 `json:"rate"`
	Times  int64   `json:"times,omitempty"`
	Delay  string  `json:"delay,omitempty"`
	Status int     `json:"status,omitempty"`
	Drop   string  `json:"drop,omitempty"`
	Kind   string  `json:"kind,omitempty"`
	Met    int64   `json:"met"`
}

func viewFault(f dev.Fault) faultView {
	return faultView{f.ID, f.Route, f.Rate, f.Times, f.Delay.String(), f.Status, string(f.Drop), string(f.Kind), f.Met}
}

func (s *Server) listFaults(c *fiber.Ctx) error {
	return send(c, fiber.StatusOK, struct {
		Faults []faultView `json:"faults"`
	}{views(s.Dev.Faults.List(), viewFault)})
}

func (s *Server) addFault(c *fiber.Ctx) error {
	in, err := s.devBody(c, "route", "rate", "times", "delay", "status", "drop", "kind")
	if err != nil {
		return err
	}
	p, order := app.Problems{}, dev.Fault{Rate: 1}
	if rate := in.number(p, "rate", 0, 1, false); rate != nil {
		order.Rate = *rate
	}
	if times := in.number(p, "times", 1, 1_000_000, true); times != nil {
		order.Times = int64(*times)
	}
	if status := in.number(p, "status", 400, 599, true); status != nil {
		order.Status = int(*status)
	}
	in.word(p, "route", func(text string) bool { order.Route = text; return s.hasRoute(text) }, "match a route, such as POST /tasks, /tasks/{id} or /lists/*")
	in.word(p, "delay", func(text string) (ok bool) { order.Delay, ok = dev.ParseDelay(text); return ok }, "be a time such as 300ms, 2s or 300..900ms, up to 60s")
	in.word(p, "drop", func(text string) (ok bool) { order.Drop, ok = dev.ParseDrop(text); return ok }, "be before or after")
	in.word(p, "kind", func(text string) (ok bool) { order.Kind, ok = dev.ParseKind(text); return ok }, "be expired_token, ended_session, full_disk or read_only")
	if order.Trouble == (dev.Trouble{}) {
		p.Add("delay", "Give at least one of delay, status, drop and kind.")
	}
	if err := p.Err(); err != nil {
		return err
	}
	added, ok := s.Dev.Faults.Add(order)
	if !ok {
		return app.Mistake("route", "There are 100 faults already. Remove one that is no longer needed.")
	}
	return send(c, fiber.StatusCreated, struct {
		Fault faultView `json:"fault"`
	}{viewFault(added)})
}

// word reads a text that may be missing.
func (f fields) word(p app.Problems, name string, read func(text string) bool, must string) {
	text := f.text(name)
	if text.State == app.Mistyped || text.State == app.Present && !read(text.Value) {
		p.Add(name, "The field "+name+" must "+must+".")
	}
}

// hasRoute reports whether there is anything that a fault of a route could be met at.
func (s *Server) hasRoute(of string) bool {
	for _, r := range s.known {
		if !strings.HasPrefix(r.path, pathDev+"/") && dev.MayMatch(of, r.method, r.path) {
			return true
		}
	}
	return dev.MayMatch(of, "", pathDAV) || dev.MayMatch(of, "", pathDAV+"/*")
}

func (s *Server) clearFaults(c *fiber.Ctx) error {
	s.Dev.Faults.Clear()
	return c.SendStatus(fiber.StatusNoContent)
}

func (s *Server) removeFault(c *fiber.Ctx) error {
	if id, ok := pathID(c); !ok || !s.Dev.Faults.Remove(id) {
		return errNoFault
	}
	return c.SendStatus(fiber.StatusNoContent)
}
