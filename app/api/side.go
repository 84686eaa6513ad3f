package api

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// Side is a small HTTP server beside the real one, for what does not belong
// to the API.
type Side struct{ server *fasthttp.Server }

// sideTimeout bounds every step of a connection to a Side.
const sideTimeout = 15 * time.Second

func newSide(log *slog.Logger, handle fasthttp.RequestHandler) *Side {
	return &Side{&fasthttp.Server{
		Handler: handle, NoDefaultServerHeader: true, CloseOnShutdown: true,
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
// another address.
func NewRedirect(to string, log *slog.Logger) *Side {
	return newSide(log, func(ctx *fasthttp.RequestCtx) {
		// As it was written: a path that is decoded may become another header.
		ctx.Response.Header.Set(fasthttp.HeaderLocation, to+"/"+strings.TrimLeft(string(ctx.Request.RequestURI()), "/"))
		ctx.SetStatusCode(fasthttp.StatusPermanentRedirect)
	})
}

// Serve answers on the listener until the context ends, and closes it.
func (s *Side) Serve(ctx context.Context, listener net.Listener) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		stopped <- s.server.ShutdownWithContext(limit)
	})
	err := s.server.Serve(listener)
	if stop() {
		return err // it ended by itself
	}
	<-stopped // who did not end in time is cut off: nothing is lost here
	return err
}
