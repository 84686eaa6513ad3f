package cmd

import (
	"context"
	"errors"
	"net"
)

// bothLoopbacks listens where localhost may lead: some programs try ::1 alone,
// others 127.0.0.1. A machine without one of them has the other.
func bothLoopbacks(ctx context.Context, port string) (net.Listener, error) {
	var config net.ListenConfig
	first, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	_, taken, err := net.SplitHostPort(first.Addr().String())
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	second, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", taken))
	if err != nil {
		// No IPv6 here, or somebody else has the port of it: as before.
		return first, nil
	}
	b := &both{Listener: first, second: second, accepted: make(chan accepted), closed: make(chan struct{})}
	go b.accept(first)
	go b.accept(second)
	return b, nil
}

// both is two listeners in one. Its address is that of the first.
type both struct {
	net.Listener
	second   net.Listener
	accepted chan accepted
	closed   chan struct{}
}

type accepted struct {
	conn net.Conn
	err  error
}

// accept hands out what one of them accepts, until that is closed.
func (b *both) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		select {
		case b.accepted <- accepted{conn, err}:
		case <-b.closed:
			if conn != nil {
				_ = conn.Close() // nobody has heard of it
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

func (b *both) Accept() (net.Conn, error) {
	select {
	case a := <-b.accepted:
		return a.conn, a.err
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

// Close closes both. It may be called again, and then says net.ErrClosed.
func (b *both) Close() error {
	err := b.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	close(b.closed)
	return errors.Join(err, b.second.Close())
}
