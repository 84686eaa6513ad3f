// Package listen takes the addresses that a server listens on.
package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
)

// ErrTaken says that an address is in use.
var ErrTaken = errors.New("another program is already listening")

// UnixPrefix begins an address that is a Unix socket.
const UnixPrefix = "unix:"

// SocketMode lets the group of the server connect, such as a proxy in it.
const SocketMode = 0o660

// On listens on one address, which a flag has chosen: HOST:PORT, localhost:PORT
// for both loopbacks, or unix:PATH. Returns ErrTaken, or another error that says
// what to do.
func On(ctx context.Context, addr, flag string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, UnixPrefix); ok {
		return listenUnix(ctx, path, flag)
	}
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "localhost" {
		return listenLocalhost(ctx, port, flag)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	return listener, wordListen(err, addr, flag)
}

// wordListen says in a sentence why an address can't be had.
func wordListen(err error, addr, flag string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w on %s; stop it, or choose another address with %s", ErrTaken, addr, flag)
	case errors.Is(err, syscall.EACCES) && !strings.HasPrefix(addr, UnixPrefix):
		return fmt.Errorf("this user may not listen on %s; choose a port of 1024 or above with %s", addr, flag)
	}
	return fmt.Errorf("the address %s can't be listened on; choose another with %s (%w)", addr, flag, err)
}

// listenLocalhost takes both loopbacks: a browser's localhost may be either. One
// that this machine does not have is not missed.
func listenLocalhost(ctx context.Context, port, flag string) (net.Listener, error) {
	for tries := 0; ; tries++ {
		four, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:"+port)
		if err != nil && !lacks(err) {
			return nil, wordListen(err, "127.0.0.1:"+port, flag)
		}
		chosen := port
		if err == nil { // it may have been 0
			_, chosen, _ = net.SplitHostPort(four.Addr().String())
		}
		six, sixErr := (&net.ListenConfig{}).Listen(ctx, "tcp6", "[::1]:"+chosen)
		switch {
		case err == nil && sixErr == nil:
			return Join(four, six), nil
		case err == nil && lacks(sixErr):
			return four, nil
		case err != nil:
			return six, wordListen(sixErr, "[::1]:"+chosen, flag)
		}
		closeErr := four.Close()
		if port != "0" || tries == 10 {
			return nil, errors.Join(wordListen(sixErr, "[::1]:"+chosen, flag), closeErr)
		}
	}
}

// lacks reports whether a machine does not have the kind of an address.
func lacks(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// listenUnix makes a socket, in the place of one that a server which is gone
// has left. It goes with the listener.
func listenUnix(ctx context.Context, path, flag string) (net.Listener, error) {
	if err := vacantUnix(ctx, path, flag); err != nil {
		return nil, err
	}
	// Nobody answers there.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, wordListen(err, UnixPrefix+path, flag)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, wordListen(err, UnixPrefix+path, flag)
	}
	if err := os.Chmod(path, SocketMode); err != nil {
		return nil, errors.Join(wordListen(err, UnixPrefix+path, flag), listener.Close())
	}
	return listener, nil
}

// vacantUnix returns nil where there is nothing, or a socket behind which nobody
// listens. It changes nothing.
func vacantUnix(ctx context.Context, path, flag string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return wordListen(err, UnixPrefix+path, flag)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket; choose another path with %s", path, flag)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return errors.Join(wordListen(syscall.EADDRINUSE, UnixPrefix+path, flag), conn.Close())
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return wordListen(err, UnixPrefix+path, flag)
}

// Vacant takes an address for a moment, or looks at a socket. Returns what On
// returns.
func Vacant(ctx context.Context, addr, flag string) error {
	if path, ok := strings.CutPrefix(addr, UnixPrefix); ok {
		return vacantUnix(ctx, path, flag)
	}
	listener, err := On(ctx, addr, flag)
	if err != nil {
		return err
	}
	return listener.Close()
}

// joined are several listeners as one.
type joined struct {
	all      []net.Listener
	accepted chan acceptance
	closed   chan struct{}
	close    func() error
	accepts  sync.WaitGroup
}

type acceptance struct {
	conn net.Conn
	err  error
}

// Join makes one listener of several, with the address of the first.
func Join(all ...net.Listener) net.Listener {
	if len(all) == 1 {
		return all[0]
	}
	j := &joined{all: all, accepted: make(chan acceptance), closed: make(chan struct{})}
	j.close = sync.OnceValue(j.end)
	for _, one := range all {
		j.accepts.Go(func() { j.pass(one) })
	}
	return j
}

// pass hands on what one listener accepts, until it is closed.
func (j *joined) pass(one net.Listener) {
	for {
		conn, err := one.Accept()
		select {
		case j.accepted <- acceptance{conn, err}:
		case <-j.closed:
			if err == nil {
				_ = conn.Close() // nobody is left to serve it
			}
			return
		}
	}
}

// end closes all and waits for what passed on from them.
func (j *joined) end() error {
	close(j.closed)
	var errs []error
	for _, one := range j.all {
		errs = append(errs, one.Close())
	}
	j.accepts.Wait()
	return errors.Join(errs...)
}

// Accept returns the next connection of any of them.
func (j *joined) Accept() (net.Conn, error) {
	select {
	case <-j.closed:
		return nil, net.ErrClosed
	case next := <-j.accepted:
		return next.conn, next.err
	}
}

// Close closes all of them. It may be called again.
func (j *joined) Close() error { return j.close() }

// Addr is the address of the first.
func (j *joined) Addr() net.Addr { return j.all[0].Addr() }

// Addresses returns the addresses that a listener listens on.
func Addresses(listener net.Listener) []net.Addr {
	if j, ok := listener.(*joined); ok {
		var all []net.Addr
		for _, one := range j.all {
			all = append(all, one.Addr())
		}
		return all
	}
	return []net.Addr{listener.Addr()}
}

// Text returns an address as --addr names it.
func Text(addr net.Addr) string {
	if addr.Network() == "unix" {
		return UnixPrefix + addr.String()
	}
	return addr.String()
}
