package api

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Probe queries the health of a server for its operator.
type Probe struct {
	// URL is the address of the server, such as http://127.0.0.1:8000.
	URL string
	// Socket is the path of the server's Unix socket; empty for none.
	Socket string
	// AnyCertificate skips certificate verification, for a server on this machine
	// that is reached by its address.
	AnyCertificate bool
}

// probeTimeout is longer than all checks take.
const probeTimeout = 8 * time.Second

// ErrNoAnswer says that no taskapi answers at an address.
var ErrNoAnswer = errors.New("no taskapi answers")

// Place returns the URL of the server, or unix: and the path of its socket.
func (p Probe) Place() string {
	if p.Socket != "" {
		return "unix:" + p.Socket
	}
	return p.URL
}

// Alive returns nil if the process answers, else ErrNoAnswer.
func (p Probe) Alive(ctx context.Context) error {
	status, answer, err := p.get(ctx, pathAlive)
	if err == nil && (status != fiber.StatusOK || answer.Status != "ok") {
		err = fmt.Errorf("the answer was %d", status)
	}
	if err != nil {
		return fmt.Errorf("%w at %s: %w", ErrNoAnswer, p.Place(), err)
	}
	return nil
}

// ProbeOf returns a probe for a place, as Place names it.
func ProbeOf(place string) Probe {
	if path, ok := strings.CutPrefix(place, "unix:"); ok {
		return Probe{URL: "http://localhost", Socket: path}
	}
	return Probe{URL: place, AnyCertificate: true}
}

// Ready returns the names of the failing checks with what is known of them, "" if the server is ready, or
// ErrNoAnswer.
func (p Probe) Ready(ctx context.Context) (failing string, err error) {
	status, answer, err := p.get(ctx, pathReady)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w at %s: %w", ErrNoAnswer, p.Place(), err)
	case status == fiber.StatusOK && answer.Status == "ready":
		return "", nil
	case status != fiber.StatusServiceUnavailable || answer.Status != "not ready":
		return "", fmt.Errorf("%w at %s: the answer was %d", ErrNoAnswer, p.Place(), status)
	}
	var names []string
	for name, outcome := range answer.Checks {
		if outcome == "failing" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if i := slices.Index(names, "log"); i >= 0 && answer.DroppedLogLines > 0 {
		names[i] = fmt.Sprintf("log: %d lines were dropped, since nothing reads its standard error", answer.DroppedLogLines)
	}
	return strings.Join(names, ", "), nil
}

// probed holds the parts of a response that matter.
type probed struct {
	Status string
	Checks map[string]string
	// DroppedLogLines is 0 while somebody reads the log.
	DroppedLogLines int64 `json:"dropped_log_lines"`
}

// get observes the deadline of the context, not its cancellation.
func (p Probe) get(ctx context.Context, path string) (status int, answer probed, err error) {
	client := &fasthttp.Client{
		DialDualStack:       true,
		MaxResponseBodySize: maxHeaders,
		TLSConfig:           &tls.Config{InsecureSkipVerify: p.AnyCertificate},
	}
	if p.Socket != "" {
		client.Dial = func(string) (net.Conn, error) { return net.DialTimeout("unix", p.Socket, probeTimeout) }
	}
	defer client.CloseIdleConnections()
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(strings.TrimRight(p.URL, "/") + path)
	request.SetConnectionClose()
	deadline := time.Now().Add(probeTimeout)
	if sooner, ok := ctx.Deadline(); ok && sooner.Before(deadline) {
		deadline = sooner
	}
	err = client.DoDeadline(request, response, deadline)
	switch {
	case errors.Is(err, fasthttp.ErrTimeout):
		return 0, answer, errors.New("there was none in time")
	case errors.Is(err, fasthttp.ErrConnectionClosed):
		return 0, answer, errors.New("the connection was closed without one; a server with HTTPS is asked at https://")
	case err != nil:
		var dial *net.OpError
		if errors.As(err, &dial) {
			err = dial.Err // the address is in the message already
		}
		return 0, answer, err
	}
	if json.Unmarshal(response.Body(), &answer) != nil {
		return 0, answer, fmt.Errorf("the answer, %d, is not one of a taskapi", response.StatusCode())
	}
	return response.StatusCode(), answer, nil
}
