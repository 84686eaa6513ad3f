package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/dev"
)

// Dev is what only a developer's server has. A server without it has none of its routes, knows
// none of its headers, and lets no other origin read answers with credentials.
type Dev struct {
	Faults *dev.Faults
	Clock  *dev.Clock
	Mails  *dev.Mailbox
	// People are those whom the seed made, with their passwords.
	People []DevPerson
	// Reset goes back to a snapshot; to the seed, by an empty name. Returns ErrNoSnapshot.
	Reset func(ctx context.Context, name string) error
	// Snapshot keeps all as it is now under a name. Returns a KindInvalid error if there are too many.
	Snapshot func(ctx context.Context, name string) error
	// Snapshots returns their names.
	Snapshots func() []string
	// DeleteSnapshots removes one; all, by an empty name. The seed stays. Returns ErrNoSnapshot.
	DeleteSnapshots func(name string) error
	// Wait waits, but not after the server has begun to stop.
	Wait func(d time.Duration)
}

// DevPerson is somebody whom anybody may sign in as.
type DevPerson struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

// The errors of the developer's routes.
var (
	ErrNoSnapshot = &app.Error{Kind: app.KindNotFound, Code: "not_found", Message: "There is no such snapshot."}
	errNoFault    = &app.Error{Kind: app.KindNotFound, Code: "not_found", Message: "There is no such fault."}
)

// pathDev is where the developer's routes are.
const pathDev = "/dev"

// devRoutes are those of a developer's server. Whoever can reach it may use them.
func (s *Server) devRoutes() []route {
	if s.Dev == nil {
		return nil
	}
	none := query{}
	return []route{
		{fiber.MethodGet, "/dev/users", public, "", none, s.listPeople},
		{fiber.MethodGet, "/dev/clock", public, "", none, s.getClock},
		{fiber.MethodPost, "/dev/clock", public, "", none, s.setClock},
		{fiber.MethodGet, "/dev/faults", public, "", none, s.listFaults},
		{fiber.MethodPost, "/dev/faults", public, "", none, s.addFault},
		{fiber.MethodDelete, "/dev/faults", public, "", none, s.clearFaults},
		{fiber.MethodDelete, "/dev/faults/:id", public, "", none, s.removeFault},
		{fiber.MethodGet, "/dev/mail", public, "", query{"to"}, s.listDevMails},
		{fiber.MethodDelete, "/dev/mail", public, "", none, s.clearDevMails},
		{fiber.MethodPost, "/dev/reset", public, "", none, s.reset},
		{fiber.MethodGet, "/dev/snapshot", public, "", none, s.listSnapshots},
		{fiber.MethodPost, "/dev/snapshot", public, "", none, s.snapshot},
		{fiber.MethodDelete, "/dev/snapshot", public, "", none, s.deleteSnapshots},
		{fiber.MethodDelete, "/dev/snapshot/:name", public, "", none, s.deleteSnapshots},
	}
}

func (s *Server) listPeople(c *fiber.Ctx) error {
	return send(c, fiber.StatusOK, struct {
		Users []DevPerson `json:"users"`
	}{s.Dev.People})
}

// devBody reads a body that may be missing, in which every field is known: a test that has a wrong
// name would test nothing.
func (s *Server) devBody(c *fiber.Ctx, names ...string) (fields, error) {
	data, lease, err := s.readBody(c)
	if err != nil {
		return nil, err
	}
	defer lease.give()
	if len(bytes.TrimSpace(data)) == 0 {
		return fields{}, nil
	}
	if kind := c.Get(fiber.HeaderContentType); !isJSON(kind) {
		return nil, errNotJSON.Detailed(wrongType(kind))
	}
	read, err := decode(data, names)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, errNotJSON.With(err)
	}
	p := app.Problems{}
	for name := range all {
		if !slices.Contains(names, name) {
			p.Add(name, "There is no such field here; those are "+strings.Join(names, ", ")+".")
		}
	}
	return read, p.Err()
}

type clockView struct {
	Now  string  `json:"now"`
	Real string  `json:"real"`
	Rate float64 `json:"rate"`
}

func (s *Server) getClock(c *fiber.Ctx) error {
	clock := s.Dev.Clock
	return send(c, fiber.StatusOK, clockView{timestamp(clock.Now()), timestamp(clock.System()), clock.Rate()})
}

func (s *Server) setClock(c *fiber.Ctx) error {
	in, err := s.devBody(c, "now", "advance", "rate", "reset")
	if err != nil {
		return err
	}
	p, turn := app.Problems{}, dev.Turn{}
	if text := in.text("now"); text.State == app.Mistyped {
		p.Add("now", "The field now must be a string.")
	} else if text.State == app.Present {
		now, err := time.Parse(time.RFC3339, text.Value)
		if err != nil {
			p.Add("now", "The field now must be a time such as 2026-03-01T09:00:00Z.")
		}
		turn.Now = &now
	}
	if text := in.text("advance"); text.State == app.Mistyped {
		p.Add("advance", "The field advance must be a string.")
	} else if text.State == app.Present {
		by, ok := dev.ParseDuration(text.Value)
		if !ok {
			p.Add("advance", "The field advance must be a duration such as PT1H, P1D or -PT30M.")
		}
		turn.Advance = &by
	}
	turn.Rate = in.number(p, "rate", 0, dev.MaxRate, false)
	reset := p.Boolean("reset", in.boolean("reset"))
	if err := p.Err(); err != nil {
		return err
	}
	if reset != nil && *reset {
		s.Dev.Clock.Restore(dev.Setting{})
	}
	if turn != (dev.Turn{}) {
		if _, ok := s.Dev.Clock.Set(turn); !ok {
			return app.Mistake("now", "The clock must be from 1971 to 9000.")
		}
	}
	return s.getClock(c)
}

// number reads a number between two, nil when there is none.
func (f fields) number(p app.Problems, name string, least, most float64, whole bool) *float64 {
	number := field(f, name, func(m member) (float64, bool) {
		n, err := strconv.ParseFloat(m.text, 64)
		return n, m.kind == '0' && err == nil && !math.IsNaN(n) && n >= least && n <= most && (!whole || n == math.Trunc(n))
	})
	if number.State == app.Mistyped {
		kind := "a number"
		if whole {
			kind = "a whole number"
		}
		p.Add(name, fmt.Sprintf("The field %s must be %s from %v to %.0f.", name, kind, least, most))
	}
	if number.State != app.Present {
		return nil
	}
	return &number.Value
}

var snapshotName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

// snapshotOf reads the name of a snapshot, empty without one.
func (s *Server) snapshotOf(c *fiber.Ctx, field string) (string, error) {
	in, err := s.devBody(c, field)
	if err != nil {
		return "", err
	}
	name := in.text(field)
	if name.State == app.Mistyped || name.State == app.Present && !snapshotName.MatchString(name.Value) {
		return "", app.Mistake(field, "The field "+field+" must have 1 to 40 letters, digits, hyphens or underscores.")
	}
	return name.Value, nil
}

func (s *Server) reset(c *fiber.Ctx) error {
	name, err := s.snapshotOf(c, "snapshot")
	if err != nil {
		return err
	}
	began := s.Dev.Clock.System()
	if err := s.Dev.Reset(c.UserContext(), name); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, struct {
		Message string  `json:"message"`
		Took    float64 `json:"took_ms"`
	}{"All is as it was.", math.Round(s.Dev.Clock.System().Sub(began).Seconds()*1e5) / 100})
}

func (s *Server) snapshot(c *fiber.Ctx) error {
	name, err := s.snapshotOf(c, "name")
	if err != nil {
		return err
	}
	if name == "" {
		name = "default"
	}
	if err := s.Dev.Snapshot(c.UserContext(), name); err != nil {
		return err
	}
	return send(c, fiber.StatusCreated, struct {
		Name string `json:"name"`
	}{name})
}

// deleteSnapshots removes the one that the address names, or all.
func (s *Server) deleteSnapshots(c *fiber.Ctx) error {
	if err := s.Dev.DeleteSnapshots(c.Params("name")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (s *Server) listSnapshots(c *fiber.Ctx) error {
	return send(c, fiber.StatusOK, struct {
		Snapshots []string `json:"snapshots"`
	}{s.Dev.Snapshots()})
}
