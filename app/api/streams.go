package api

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

const (
	// defaultStreams is how many streams may be open in total.
	defaultStreams = 1000
	// streamsOfOne is how many streams an account may have open.
	streamsOfOne = 10
	// heartbeat is the longest silence of a stream: proxies close a connection that is silent for a
	// minute, and a client that is gone without a word is noticed.
	heartbeat = 20 * time.Second
	// recheck is how often a stream looks whether its session still exists.
	recheck = time.Second / 2
	// streamPatience is how long a client may take to accept a message.
	streamPatience = 10 * time.Second
	// shared is how many messages a feed remembers, and sharedFor for how long.
	shared    = 8
	sharedFor = time.Second
)

var errTooManyStreams = &app.Error{
	Kind: app.KindLimited, Code: "too_many_streams", RetryAfter: heartbeat,
	Message: "Too many streams are open: an account may have 10. Close one, or ask GET /sync from time to time.",
}

// streams are the open connections of GET /events.
type streams struct {
	most int
	ctx  context.Context // ends with the server
	stop context.CancelFunc
	open sync.WaitGroup

	mu    sync.Mutex
	count int
	feeds map[int64]*feed // by user
}

// feed makes each message once for all streams of a user.
type feed struct {
	streams int

	mu   sync.Mutex
	made map[feedKey]message
}

// feedKey is where a stream is, and what of it that is new is left out.
type feedKey struct {
	at          todo.SyncCursor
	all, copies bool
}

// message is what a stream tells next.
type message struct {
	text []byte
	next todo.SyncCursor
	more bool
	at   time.Time
}

func newStreams(most int) *streams {
	s := &streams{most: most, feeds: map[int64]*feed{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// join counts a stream of a user. Returns errTooManyStreams, and app.ErrBusy when the server stops.
func (s *streams) join(userID int64) (*feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, app.ErrBusy
	}
	f := s.feeds[userID]
	if s.count >= s.most || f != nil && f.streams >= streamsOfOne {
		return nil, errTooManyStreams
	}
	if f == nil {
		f = &feed{made: map[feedKey]message{}}
		s.feeds[userID] = f
	}
	f.streams++
	s.count++
	s.open.Add(1)
	return f, nil
}

// leave reverses join.
func (s *streams) leave(userID int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[userID]
	if f.streams--; f.streams == 0 {
		delete(s.feeds, userID)
	}
	s.count--
	s.open.Done()
}

// end closes all streams and waits for them, or for the context.
func (s *streams) end(ctx context.Context) error {
	s.mu.Lock() // after it, nobody joins
	s.stop()
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.open.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Streams returns how many streams are open.
func (s *Server) Streams() int {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	return s.streams.count
}

// stream is one connection that is told what changes.
type stream struct {
	server *Server
	feed   *feed
	caller app.Caller
	conn   net.Conn
	query  todo.SyncQuery // of its next message
	// expired says that the log has no more of what the client asks for.
	expired bool
	// settled says that the stream has begun, or that its connection broke before that.
	settled atomic.Bool
}

// run tells what changes until the client leaves, its session ends or the server stops. It owns
// the connection.
func (t *stream) run(header []byte) {
	s := t.server
	ctx, cancel := context.WithCancel(s.streams.ctx)
	follower := s.Sync.Hub.Follow(t.caller.UserID)
	// Who does not read must not delay the end.
	closing := context.AfterFunc(ctx, func() { _ = t.conn.Close() })
	var reading sync.WaitGroup
	defer func() {
		if reason := recover(); reason != nil {
			s.Log.Error("a stream ended", "user_id", t.caller.UserID, "panic", reason)
		}
		follower.Close()
		if closing() {
			_ = t.conn.Close() // ends the reading
		}
		cancel()
		reading.Wait()
		s.streams.leave(t.caller.UserID)
	}()
	// A client has nothing to send, so what ends a read is that it has left.
	reading.Go(func() {
		defer cancel()
		var some [64]byte
		for {
			if _, err := t.conn.Read(some[:]); err != nil {
				return
			}
		}
	})
	err := t.write(header)
	if err == nil {
		err = t.tell(ctx, follower)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Debug("a stream ended", "user_id", t.caller.UserID, "reason", err)
	}
}

// tell sends what is new each time that the hub calls.
func (t *stream) tell(ctx context.Context, follower *todo.Follower) error {
	if t.expired {
		return t.resync()
	}
	if err := t.catchUp(ctx); err != nil {
		return err
	}
	if err := t.write(appendEvent(nil, t.server.Sync.Text(*t.query.After), "ready", []byte(`{"cursor":"`+t.server.Sync.Text(*t.query.After)+`"}`))); err != nil {
		return err
	}
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	spoke := t.server.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-follower.C:
			since := follower.Since()
			if err := t.still(ctx); err != nil {
				return err
			}
			if err := t.catchUp(ctx); err != nil {
				return err
			}
			spoke = t.server.Now()
			if t.server.OnTold != nil && !since.IsZero() {
				t.server.OnTold(max(0, spoke.Sub(since)))
			}
		case <-tick.C:
			if err := t.still(ctx); err != nil {
				return err
			}
			if quiet := t.server.Now().Sub(spoke); quiet < heartbeat && quiet >= 0 {
				continue
			}
			if err := t.write([]byte(": \n\n")); err != nil {
				return err
			}
			spoke = t.server.Now()
		}
	}
}

// abandon gives the place of a stream back whose connection broke before it began.
func (t *stream) abandon() {
	if !t.settled.Swap(true) {
		t.server.streams.leave(t.caller.UserID)
	}
}

// still returns an error unless the client may go on listening.
func (t *stream) still(ctx context.Context) error { return t.server.Tickets.Still(ctx, t.caller) }

// catchUp sends all that is new.
func (t *stream) catchUp(ctx context.Context) error {
	for again := true; again; {
		m, own, err := t.next(ctx)
		switch {
		case errors.Is(err, todo.ErrSyncExpired):
			return errors.Join(err, t.resync())
		case err != nil:
			return err
		}
		if len(m.text) > 0 {
			if err := t.send(ctx, m.text); err != nil {
				return err
			}
		}
		// One that somebody else has made may be from before this stream was woken.
		t.query.After, again = &m.next, m.more || !own
	}
	return nil
}

// resync tells the client to begin anew. Its id is empty, so that a browser which comes back does not
// ask for the same again.
func (t *stream) resync() error {
	return t.write(appendEvent(nil, "", "resync", []byte(`{"reason":"expired"}`)))
}

// next returns the message after the place of the stream, and whether it was read just now.
func (t *stream) next(ctx context.Context) (m message, own bool, err error) {
	f, s := t.feed, t.server
	at := feedKey{*t.query.After, t.query.CompletedSince.IsZero(), t.query.Copies}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m, ok := f.made[at]; ok {
		if age := s.Now().Sub(m.at); 0 <= age && age < sharedFor {
			return m, false, nil
		}
	}
	place, err := s.pages.take(ctx, t.caller.From.Network(), 1, nil)
	if err != nil {
		return m, false, err
	}
	defer place.give()
	page, err := s.Sync.Next(ctx, t.query)
	if err != nil {
		return m, false, err
	}
	m = message{next: page.After, more: page.More, at: s.Now()}
	if page.Nothing() {
		return m, true, nil
	}
	m.text = s.appendMessage(nil, page)
	if len(f.made) >= shared {
		clear(f.made)
	}
	f.made[at] = m
	return m, true, nil
}

// send is write for what may be large: its memory is that of answers that nobody has taken yet.
func (t *stream) send(ctx context.Context, text []byte) error {
	if len(text) > uncounted {
		lease, err := t.server.answers.take(ctx, t.caller.From.Network(), int64(len(text)), func() { _ = t.conn.Close() })
		if err != nil {
			return err
		}
		defer lease.give()
	}
	return t.write(text)
}

func (t *stream) write(text []byte) error {
	if err := t.conn.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil {
		return err
	}
	_, err := t.conn.Write(text)
	return err
}
