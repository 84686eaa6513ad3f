package api

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// A server that answers and closes while the client is still sending makes
// the client's system drop the answer: the kernel resets a connection that is
// closed with unread bytes (RFC 9112 section 9.6). So when a request was
// refused half read, the rest is read away for a moment before the close.

const (
	lingerTime  = 2 * time.Second
	lingerBytes = 64 << 20
)

type lingerListener struct{ net.Listener }

func (l lingerListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingerConn{Conn: conn}, nil
}

type lingerConn struct {
	net.Conn
	lingers atomic.Bool
}

// linger marks a connection of ours for a lingering close.
func linger(conn net.Conn) {
	if c, ok := conn.(*lingerConn); ok {
		c.lingers.Store(true)
	}
}

// Close ends the connection. It runs in the connection's own goroutine, which
// the server waits for at shutdown.
func (c *lingerConn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.lingers.Swap(false) && half.CloseWrite() == nil &&
		c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		// How it ends does not matter: the client has had its chance.
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
