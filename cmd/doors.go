package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"taskapi/app/api"
)

// doors are the addresses that a server listens on.
type doors struct {
	api     net.Listener
	metrics net.Listener // nil: none
}

// openDoors takes all addresses, or none.
func openDoors(ctx context.Context, s Settings, log *slog.Logger) (*doors, error) {
	d := &doors{}
	var err error
	if d.api, err = listen(ctx, s.Addr, "--addr"); err != nil {
		return nil, err
	}
	if s.MetricsAddr != "" {
		if d.metrics, err = listen(ctx, s.MetricsAddr, "--metrics-addr"); err != nil {
			return nil, errors.Join(err, d.close())
		}
		log.Info("metrics", "url", "http://"+d.metrics.Addr().String()+"/metrics")
		if host, _, err := net.SplitHostPort(s.MetricsAddr); err == nil && !isLoopback(host) {
			log.Warn("the metrics can be read by other machines")
		}
	}
	return d, nil
}

// probe asks the server behind these doors, whatever its port has become.
func (d *doors) probe(s Settings) api.Probe { return probeAt(s, d.api.Addr().String()) }

// close closes what serving has not closed before.
func (d *doors) close() error {
	var errs []error
	for _, listener := range []net.Listener{d.api, d.metrics} {
		if listener == nil {
			continue
		}
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// listen takes one address, which flag has chosen.
func listen(ctx context.Context, addr, flag string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("another program is already listening on %s; stop it, or choose another address with %s", addr, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s; choose a port of 1024 or above with %s", addr, flag)
	case err != nil:
		return nil, fmt.Errorf("the address %s can't be listened on; choose another with %s (%w)", addr, flag, err)
	}
	return listener, nil
}

// serveSide runs a server beside the real one, whose end is no reason to stop.
func serveSide(side *api.Side, listener net.Listener, log *slog.Logger) func(context.Context) {
	return func(ctx context.Context) {
		if err := side.Serve(ctx, listener); err != nil {
			log.Error("a side address is no longer served", "addr", listener.Addr().String(), "error", err)
		}
	}
}
