package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"taskapi/app/api"
	"taskapi/cmd/certs"
)

// doors are the addresses that a server listens on.
type doors struct {
	api      net.Listener
	metrics  net.Listener // nil: none
	redirect net.Listener // nil: none
	tls      *tls.Config  // nil: the api speaks plain HTTP
}

// openDoors takes all addresses, or none.
func openDoors(ctx context.Context, s Settings, log *slog.Logger) (*doors, error) {
	d := &doors{}
	var err error
	if d.tls, err = certificates(s, log); err != nil {
		return nil, err
	}
	if d.api, err = listen(ctx, s.Addr, "--addr"); err != nil {
		return nil, err
	}
	if s.RedirectAddr != "" {
		if d.redirect, err = listen(ctx, s.RedirectAddr, "--redirect-addr"); err != nil {
			return nil, errors.Join(err, d.close())
		}
		log.Info("redirect", "addr", d.redirect.Addr().String())
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

// certificates returns how connections are encrypted, nil if they are not.
func certificates(s Settings, log *slog.Logger) (*tls.Config, error) {
	switch {
	case len(s.ACMEDomains) > 0:
		return certs.FromACME(s.ACMEDomains, s.ACMEDirectory, filepath.Join(s.DataDir, certsFolder))
	case s.TLSCert == "":
		return nil, nil
	}
	files, err := certs.FromFiles(s.TLSCert, s.TLSKey, time.Now, log)
	if err != nil {
		return nil, fmt.Errorf("the certificate can't be used; name the file of it with --tls-cert, and that of its key with --tls-key (%w)", err)
	}
	if err := files.Fault(s.certificateHost(), time.Now()); err != nil {
		log.Warn("browsers will refuse the certificate", "reason", err)
	}
	return files.TLS(), nil
}

// probe asks the server behind these doors, whatever its port has become.
func (d *doors) probe(s Settings) api.Probe { return probeAt(s, d.api.Addr().String()) }

// close closes what serving has not closed before.
func (d *doors) close() error {
	var errs []error
	for _, listener := range []net.Listener{d.api, d.metrics, d.redirect} {
		if listener == nil {
			continue
		}
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// errTaken says that an address is in use.
var errTaken = errors.New("another program is already listening")

// listen takes one address, which flag has chosen.
func listen(ctx context.Context, addr, flag string) (net.Listener, error) {
	var listener net.Listener
	host, port, err := net.SplitHostPort(addr)
	if err == nil && host == "localhost" {
		listener, err = bothLoopbacks(ctx, port)
	} else {
		listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w on %s; stop it, or choose another address with %s", errTaken, addr, flag)
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
