package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"time"

	"taskapi/app/api"
	"taskapi/cmd/certs"
	"taskapi/cmd/datadir"
	"taskapi/cmd/listen"
	"taskapi/cmd/service"
	"taskapi/cmd/settings"
)

// listeners are the addresses that a server listens on.
type listeners struct {
	api      net.Listener
	metrics  net.Listener // nil: none
	redirect net.Listener // nil: none
	tls      *tls.Config  // nil: the api speaks plain HTTP
}

// openListeners takes all addresses, or none.
func openListeners(ctx context.Context, s settings.Settings, now func() time.Time, log *slog.Logger) (*listeners, error) {
	d := &listeners{}
	var err error
	if d.tls, err = certificates(s, now, log); err != nil {
		return nil, err
	}
	if d.api, err = openMain(ctx, s, log); err != nil {
		return nil, err
	}
	if s.RedirectAddr != "" {
		if d.redirect, err = listen.On(ctx, s.RedirectAddr, "--redirect-addr"); err != nil {
			return nil, errors.Join(err, d.close())
		}
		log.Info("redirect", "addr", d.redirect.Addr().String())
	}
	if s.MetricsAddr != "" {
		if d.metrics, err = listen.On(ctx, s.MetricsAddr, "--metrics-addr"); err != nil {
			return nil, errors.Join(err, d.close())
		}
		log.Info("metrics", "url", "http://"+d.metrics.Addr().String()+"/metrics")
		if host, _, err := net.SplitHostPort(s.MetricsAddr); err == nil && !settings.IsLoopback(host) {
			log.Warn("the metrics can be read by other machines")
		}
	}
	return d, nil
}

// openMain takes the address of the api, unless systemd has taken one for us.
func openMain(ctx context.Context, s settings.Settings, log *slog.Logger) (net.Listener, error) {
	sockets, err := service.Sockets()
	if err != nil {
		return nil, err
	}
	if len(sockets) == 0 {
		return listen.On(ctx, s.Addr, "--addr")
	}
	listener := listen.Join(sockets...)
	for _, addr := range listen.Addresses(listener) {
		log.Info("systemd listens for us, and --addr is only where commands look for the server", "addr", listen.Text(addr))
	}
	return listener, nil
}

// certificates returns how connections are encrypted, nil if they are not.
func certificates(s settings.Settings, now func() time.Time, log *slog.Logger) (*tls.Config, error) {
	switch {
	case len(s.ACMEDomains) > 0:
		return certs.FromACME(s.ACMEDomains, s.ACMEDirectory, filepath.Join(s.DataDir, datadir.CertsFolder))
	case s.TLSCert == "":
		return nil, nil
	}
	files, err := certs.FromFiles(s.TLSCert, s.TLSKey, now, log)
	if err != nil {
		return nil, fmt.Errorf("the certificate can't be used; name the file of it with --tls-cert, and that of its key with --tls-key (%w)", err)
	}
	if err := files.Fault(s.CertificateHost(), now()); err != nil {
		log.Warn("browsers will refuse the certificate", "reason", err)
	}
	return files.TLS(), nil
}

// probe asks the server behind these listeners, whatever its port has become.
func (d *listeners) probe(s settings.Settings) api.Probe {
	return probeAt(s, listen.Text(d.api.Addr()))
}

// loopbackOnly reports whether only programs of this machine can connect by an
// address that a browser knows.
func (d *listeners) loopbackOnly() bool {
	return !slices.ContainsFunc(listen.Addresses(d.api), func(addr net.Addr) bool {
		tcp, ok := addr.(*net.TCPAddr)
		return !ok || !tcp.IP.IsLoopback()
	})
}

// close closes what serving has not closed before.
func (d *listeners) close() error {
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

// serveSide runs a server beside the main one; the main one goes on if it ends.
func serveSide(side *api.Side, listener net.Listener, log *slog.Logger) func(context.Context) {
	return func(ctx context.Context) {
		if err := side.Serve(ctx, listener); err != nil {
			log.Error("a side address is no longer served", "addr", listener.Addr().String(), "error", err)
		}
	}
}
