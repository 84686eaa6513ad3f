package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// Side is a small HTTP server beside the real one, for what does not belong
// to the API.
type Side struct {
	server *fasthttp.Server
	log    *slog.Logger
}

// sideTimeout bounds every step of a connection to a Side.
const sideTimeout = 15 * time.Second

func newSide(log *slog.Logger, handle fasthttp.RequestHandler) *Side {
	safely := func(ctx *fasthttp.RequestCtx) {
		defer func() { // fasthttp lets a panic end the process
			if reason := recover(); reason != nil {
				log.Error("panic at a side address", "panic", reason, "stack", string(debug.Stack()))
				ctx.Error("Something went wrong.\n", fasthttp.StatusInternalServerError)
			}
		}()
		handle(ctx)
	}
	return &Side{log: log, server: &fasthttp.Server{
		Handler: safely, NoDefaultServerHeader: true, CloseOnShutdown: true,
		ReadTimeout: sideTimeout, WriteTimeout: sideTimeout, IdleTimeout: 4 * sideTimeout,
		MaxRequestBodySize: 1 << 10, ReadBufferSize: maxHeaders, Concurrency: 256,
		Logger: sideLog{log},
	}}
}

// sideLog takes what fasthttp says of broken connections, which is nobody's
// fault here.
type sideLog struct{ log *slog.Logger }

// Printf logs at debug level.
func (l sideLog) Printf(string, ...any) { l.log.Debug("a connection to a side address failed") }

// NewMetricsPage returns a server that answers GET /metrics with what write
// writes.
func NewMetricsPage(contentType string, write func(io.Writer) error, log *slog.Logger) *Side {
	return newSide(log, func(ctx *fasthttp.RequestCtx) {
		switch {
		case string(ctx.Path()) != "/metrics":
			ctx.Error("The metrics are at /metrics.\n", fasthttp.StatusNotFound)
		case !ctx.IsGet() && !ctx.IsHead():
			ctx.Error("Only GET is known here.\n", fasthttp.StatusMethodNotAllowed)
		default:
			ctx.SetContentType(contentType)
			if err := write(ctx); err != nil {
				log.Error("the metrics can't be written", "error", err)
				ctx.ResetBody()
				ctx.SetStatusCode(fasthttp.StatusInternalServerError)
			}
		}
	})
}

// NewRedirect returns a server that sends everybody to the same path below
// another address, whose own path may stand before it already.
func NewRedirect(to string, log *slog.Logger) *Side {
	base := ""
	if _, rest, found := strings.Cut(to, "://"); found {
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			base = rest[slash:]
		}
	}
	return newSide(log, func(ctx *fasthttp.RequestCtx) {
		// With its escapes: a path without them could become another header.
		path := "/" + strings.TrimLeft(string(ctx.Request.RequestURI()), "/")
		if rest, below := strings.CutPrefix(path, base); below && (rest == "" || rest[0] == '/' || rest[0] == '?') {
			path = rest
		}
		ctx.Response.Header.Set(fasthttp.HeaderLocation, to+path)
		ctx.SetStatusCode(fasthttp.StatusPermanentRedirect)
	})
}

// Serve answers on the listener until the context ends, and closes it.
func (s *Side) Serve(ctx context.Context, listener net.Listener) error {
	stopped := make(chan error, 1)
	inner := newListener(listener, s.log)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		// As in Server.Shutdown: it may not know its listener yet.
		stopped <- errors.Join(inner.Close(), s.server.ShutdownWithContext(limit))
	})
	err := s.server.Serve(inner)
	if stop() {
		return err // it ended by itself
	}
	return errors.Join(err, <-stopped)
}
