package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// The paths of the health checks.
const (
	pathAlive = "/healthz" // the process
	pathReady = "/readyz"  // all that it needs
)

type readyView struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
	// DroppedLogLines is how many lines of the log nobody took.
	DroppedLogLines int64 `json:"dropped_log_lines,omitempty"`
	*problem
}

// alive answers while the process runs.
func (s *Server) alive(c *fiber.Ctx) error {
	return send(c, fiber.StatusOK, map[string]string{"status": "ok"})
}

// ready reports the outcome of each check. The log has the reasons.
func (s *Server) ready(c *fiber.Ctx) error {
	view := readyView{Status: "ready", Checks: map[string]string{}}
	if s.Health == nil {
		return send(c, fiber.StatusOK, view)
	}
	report := s.Health.Ready(c.UserContext())
	view.DroppedLogLines = report.DroppedLogLines
	var failing []string
	for _, name := range slices.Sorted(maps.Keys(report.Checks)) {
		view.Checks[name] = "ok"
		switch {
		case report.Warnings[name]:
			view.Checks[name] = "warning"
		case !report.Checks[name]:
			view.Checks[name] = "failing"
			failing = append(failing, name)
		}
	}
	if report.Ready {
		return send(c, fiber.StatusOK, view)
	}
	view.Status = "not ready"
	view.problem = &problem{Code: "not_ready", Error: "The server can't do all of its work (" + strings.Join(failing, ", ") + "); its log says why."}
	c.Set(fiber.HeaderRetryAfter, "1")
	return send(c, fiber.StatusServiceUnavailable, view)
}
