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

	// shared reports addresses behind which there are many: only the bound of
	// all connections counts for them. Nil is none.
	shared func(netip.Addr) bool
	// encrypted says that what is read is TLS.
	encrypted bool
	// most and mostOfOne bound the connections of all and of one network.
	most, mostOfOne int

	mu       sync.Mutex
	conns    map[*conn]struct{}
	networks map[netip.Prefix]*list.List // of *conn, the oldest first
	told     bool                        // that one was refused
}

// How many connections there may be, each at some 30 KB: in all, and from one
// network. A page or an app takes one or two.
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

// admit takes a connection in, nil if its network has too many. Of too many in
// all, the one of the network with the most that began first has to go.
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
		// It runs the goroutine that serves it into an error.
		_ = victim.Conn.Close()
	}
	return c
}

// oldestOfMost returns the oldest connection of the network with the most, and
// takes it out of the count.
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

// forget takes a connection out of the count. It may be called again.
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
	opening  opening // used by the one who reads
	network  netip.Prefix
	place    *list.Element         // among those of the network; nil: not counted
	unread   atomic.Pointer[lease] // memory of the answer on its way; nil: none
}

// ours returns the connection of ours below another, nil without one.
func ours(c net.Conn) *conn {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	own, _ := c.(*conn)
	return own
}

// hold keeps the memory of an answer until the connection is read from again, or
// ends, and gives back that of the one before.
func (c *conn) hold(l *lease) {
	if c != nil {
		c.unread.Swap(l).give()
	}
}

// linger marks a connection of ours for a lingering close.
func linger(c net.Conn) {
	if own := ours(c); own != nil {
		own.lingers.Store(true)
	}
}

// Close ends the connection. It runs in the connection's own goroutine, which
// the server waits for at shutdown.
func (c *conn) Close() error {
	c.hold(nil)
	defer func() { // one that lingers counts
		c.listener.mu.Lock()
		defer c.listener.mu.Unlock()
		c.listener.forget(c)
	}()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.lingers.Swap(false) && half.CloseWrite() == nil &&
		c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		// How it ends does not matter: the client has had its chance.
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
