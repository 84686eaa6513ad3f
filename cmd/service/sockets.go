package service

import (
	"errors"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
)

// Sockets returns the sockets that systemd listens on for us (sd_listen_fds(3)),
// none where there is no such unit. It can be asked once.
func Sockets() ([]net.Listener, error) {
	all, err := activation.Listeners()
	if err != nil {
		return nil, err
	}
	var listeners []net.Listener
	for _, one := range all {
		if one != nil {
			listeners = append(listeners, one)
		}
	}
	if len(listeners) < len(all) {
		errs := []error{errors.New("the socket unit names a socket that can't be listened on; only ListenStream= is of use")}
		for _, one := range listeners {
			errs = append(errs, one.Close())
		}
		return nil, errors.Join(errs...)
	}
	return listeners, nil
}
