package api

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
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

// acceptPause is how long to wait before the next connection when one can't be
// had, such as when the process has no file descriptors left.
const acceptPause = 100 * time.Millisecond

// listener hands out connections that linger, survives a lack of file
// descriptors, and can hurry those who are still sending.
type listener struct {
	net.Listener
	log    *slog.Logger
	closed context.Context // ends with Close
	close  context.CancelFunc

	mu    sync.Mutex
	conns map[*conn]struct{}
}

func newListener(inner net.Listener, log *slog.Logger) *listener {
	l := &listener{Listener: inner, log: log, conns: map[*conn]struct{}{}}
	l.closed, l.close = context.WithCancel(context.Background())
	return l
}

// Accept returns the next connection. It fails only when the listener is closed.
func (l *listener) Accept() (net.Conn, error) {
	for told := false; ; told = true {
		accepted, err := l.Listener.Accept()
		if err == nil {
			c := &conn{Conn: accepted, listener: l}
			l.mu.Lock()
			l.conns[c] = struct{}{}
			l.mu.Unlock()
			return c, nil
		}
		if errors.Is(err, net.ErrClosed) || l.closed.Err() != nil {
			return nil, err
		}
		if !told {
			l.log.Error("no more connections can be accepted: raise the limit of open files (ulimit -n) if this goes on", "error", err)
		}
		select {
		case <-l.closed.Done():
		case <-time.After(acceptPause):
		}
	}
}

// Close ends Accept. It may be called again.
func (l *listener) Close() error {
	l.close()
	if err := l.Listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// hurry gives everybody who is still sending a request until then. Those whose
// request is being worked on are not disturbed: nothing is read from them.
func (l *listener) hurry(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		// One that fails has ended by itself.
		_ = c.SetReadDeadline(until)
	}
}

type conn struct {
	net.Conn
	listener *listener
	lingers  atomic.Bool
}

// linger marks a connection of ours for a lingering close.
func linger(c net.Conn) {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	if c, ok := c.(*conn); ok {
		c.lingers.Store(true)
	}
}

// Close ends the connection. It runs in the connection's own goroutine, which
// the server waits for at shutdown.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.lingers.Swap(false) && half.CloseWrite() == nil &&
		c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		// How it ends does not matter: the client has had its chance.
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
