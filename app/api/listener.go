package api

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"taskapi/app"
)

// Closing a connection with unread data makes the kernel reset it, and the client's
// system then drops the response (RFC 9112 section 9.6). So after a refusal of a
// request that was not read in full, the server reads and discards the rest for a
// moment before it closes.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 64 << 20
)

// acceptPause is the wait after a failed accept, for example without free file
// descriptors.
const acceptPause = 100 * time.Millisecond

// listener wraps a net.Listener. Its connections linger on close, it survives a
// lack of file descriptors, and it can set a deadline for clients that are still
// sending.
type listener struct {
	net.Listener
	log    *slog.Logger
	closed context.Context // ends with Close
	close  context.CancelFunc

	// shared reports addresses with many clients behind them, for which only the
	// total limit applies. Nil is none.
	shared func(netip.Addr) bool
	// encrypted says that what is read is TLS.
	encrypted bool
	// most and mostOfOne limit the connections in total and of one network.
	most, mostOfOne int

	mu       sync.Mutex
	conns    map[*conn]struct{}
	networks map[netip.Prefix]*list.List // of *conn, the oldest first
	told     bool                        // that one was refused
}

// The maximum numbers of connections, in total and of one network, at some 30 KB
// each. A page or an app uses one or two.
const (
	maxConns           = 4096
	maxConnsOfANetwork = 512
)

func newListener(inner net.Listener, log *slog.Logger) *listener {
	l := &listener{
		Listener: inner, log: log, most: maxConns, mostOfOne: maxConnsOfANetwork,
		conns: map[*conn]struct{}{}, networks: map[netip.Prefix]*list.List{},
	}
	l.closed, l.close = context.WithCancel(context.Background())
	return l
}

// Accept returns the next connection. It fails only when the listener is closed.
func (l *listener) Accept() (net.Conn, error) {
	told := false
	for {
		accepted, err := l.Listener.Accept()
		if err == nil {
			if c := l.admit(accepted); c != nil {
				return c, nil
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) || l.closed.Err() != nil {
			return nil, err
		}
		if !told {
			told = true
			l.log.Error("no more connections can be accepted: raise the limit of open files (ulimit -n) if this goes on", "error", err)
		}
		select {
		case <-l.closed.Done():
		case <-time.After(acceptPause):
		}
	}
}

// admit registers a connection, or returns nil if its network has too many. If
// there are too many in total, it closes the oldest connection of the network with
// the most.
func (l *listener) admit(accepted net.Conn) *conn {
	c := &conn{Conn: accepted, listener: l, opening: opening{encrypted: l.encrypted}}
	var addr netip.Addr
	if remote, err := netip.ParseAddrPort(accepted.RemoteAddr().String()); err == nil {
		addr = remote.Addr().Unmap()
		c.network = app.Origin{Address: addr}.Network()
	}
	l.mu.Lock()
	if of := l.networks[c.network]; of != nil && of.Len() >= l.mostOfOne && addr.IsValid() && (l.shared == nil || !l.shared(addr)) {
		tell := !l.told
		l.told = true
		l.mu.Unlock()
		if tell {
			l.log.Warn("a network has too many connections: further ones are closed at once", "network", c.network.String(), "most", l.mostOfOne)
		}
		// There is nobody to tell.
		_ = accepted.Close()
		return nil
	}
	var victim *conn
	if len(l.conns) >= l.most {
		victim = l.oldestOfMost()
	}
	if l.networks[c.network] == nil {
		l.networks[c.network] = list.New()
	}
	c.place = l.networks[c.network].PushBack(c)
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	if victim != nil {
		// The goroutine that serves it gets an error.
		_ = victim.Conn.Close()
	}
	return c
}

// oldestOfMost removes the oldest connection of the network with the most from the
// count and returns it.
func (l *listener) oldestOfMost() *conn {
	var most *list.List
	for _, of := range l.networks {
		if most == nil || of.Len() > most.Len() {
			most = of
		}
	}
	victim := most.Front().Value.(*conn)
	l.forget(victim)
	return victim
}

// forget removes a connection from the count. It may be called again.
func (l *listener) forget(c *conn) {
	delete(l.conns, c)
	if of := l.networks[c.network]; c.place != nil {
		of.Remove(c.place)
		c.place = nil
		if of.Len() == 0 {
			delete(l.networks, c.network)
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

// hurry sets a deadline for clients that are still sending a request. Requests
// under way are not affected, because nothing is read for them.
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
	opening  opening // used by the one who reads
	network  netip.Prefix
	place    *list.Element          // among those of the network; nil: not counted
	unread   atomic.Pointer[lease]  // memory of the answer on its way; nil: none
	stream   atomic.Pointer[stream] // that is to take the connection over; nil: none
}

// ours returns the conn below another connection, nil without one.
func ours(c net.Conn) *conn {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	own, _ := c.(*conn)
	return own
}

// hold keeps the memory of a response until the connection is read again or ends,
// and returns that of the previous response.
func (c *conn) hold(l *lease) {
	if c != nil {
		c.unread.Swap(l).give()
	}
}

// linger marks a connection for a lingering close.
func linger(c net.Conn) {
	if own := ours(c); own != nil {
		own.lingers.Store(true)
	}
}

// Close closes the connection. It runs in the goroutine of the connection, which
// the server waits for at shutdown.
func (c *conn) Close() error {
	c.hold(nil)
	if t := c.stream.Swap(nil); t != nil {
		t.abandon()
	}
	defer func() { // one that lingers counts
		c.listener.mu.Lock()
		defer c.listener.mu.Unlock()
		c.listener.forget(c)
	}()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.lingers.Swap(false) && half.CloseWrite() == nil &&
		c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		// The outcome does not matter: the client had its chance.
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
