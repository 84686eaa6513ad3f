package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// Which new messages fail at their first try. The second try comes some five seconds later and
// holds the webhook up until then, so that more failures would leave it behind for good.
const (
	failEvery         = 100
	failEveryLong     = 300
	stubborn      int = 0 // the person whose first message is refused for good in a long run
)

// receiver takes what webhooks are told, and fails now and then.
type receiver struct {
	server http.Server
	base   string
	faults *faults
	long   bool
	// failing says that messages fail now and then.
	failing atomic.Bool

	mu     sync.Mutex
	got    map[int]map[int64]bool // by person, the numbers of changes
	seen   map[string]bool        // ids of messages that were tried
	kinds  map[string]int         // of events
	failed int
	dead   int64 // the change of the message that is refused for good
	owed   map[int]map[int64]bool
}

func newReceiver(f *faults, long bool) (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{faults: f, long: long, base: "http://" + listener.Addr().String(), got: map[int]map[int64]bool{}, seen: map[string]bool{}, kinds: map[string]int{}, owed: map[int]map[int64]bool{}}
	// Connections that idle longer would be among the descriptors of a server at rest.
	r.server = http.Server{Handler: r, IdleTimeout: time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *receiver) close() { _ = r.server.Close() }

func (r *receiver) url(person int) string { return r.base + "/" + strconv.Itoa(person) }

// ServeHTTP fails by turns with 500, with 429 and without an answer.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	text, _ := io.ReadAll(request.Body)
	id := request.Header.Get("webhook-id")
	person, err := strconv.Atoi(strings.TrimPrefix(request.URL.Path, "/"))
	seq, err2 := strconv.ParseInt(id[strings.LastIndexByte(id, '_')+1:], 10, 64)
	if err != nil || err2 != nil {
		r.faults.add("a webhook was told of %q at %s", id, request.URL.Path)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.long && r.failing.Load() && person == stubborn && (r.dead == 0 || r.dead == seq) {
		r.dead = seq
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	every := failEvery
	if r.long {
		every = failEveryLong
	}
	if !r.seen[id] {
		if r.seen[id] = true; r.failing.Load() && len(r.seen)%every == 0 {
			switch r.failed++; r.failed % 3 {
			case 0:
				w.WriteHeader(http.StatusInternalServerError)
			case 1:
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
			default:
				panic(http.ErrAbortHandler)
			}
			return
		}
	}
	if r.got[person] == nil {
		r.got[person] = map[int64]bool{}
	}
	r.got[person][seq] = true
	if kind := regexp.MustCompile(`"type":"([^"]*)"`).FindSubmatch(text); kind != nil {
		r.kinds[string(kind[1])]++
	}
}

// owe notes that the webhook of a person is to be told of a change.
func (r *receiver) owe(person int, change int64) {
	if change == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.owed[person] == nil {
		r.owed[person] = map[int64]bool{}
	}
	r.owed[person][change] = true
}

// missing returns how many changes were owed, and which of them have not arrived and were not
// refused for good.
func (r *receiver) missing() (owed int, missing map[int][]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	missing = map[int][]int64{}
	for person, changes := range r.owed {
		owed += len(changes)
		for change := range changes {
			if refused := person == stubborn && change == r.dead; !refused && !r.got[person][change] {
				missing[person] = append(missing[person], change)
			}
		}
	}
	return owed, missing
}

// refused returns the change of the message that is refused for good, 0 for none.
func (r *receiver) refused() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dead
}

func (r *receiver) print() {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Printf("webhooks: %d messages, %d of them failed at first; %v\n", len(r.seen), r.failed, r.kinds)
}

// sink is an SMTP server that keeps the links in mails and counts the rest.
type sink struct {
	server *smtp.Server
	port   int
	// refusing says that every fifth mail is refused for now.
	refusing atomic.Bool

	mu      sync.Mutex
	links   map[string]string // by address and kind
	taken   map[string]int    // by the kind of link that is in it
	refused int
	tries   int
}

func newSink() (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{links: map[string]string{}, taken: map[string]int{}, port: listener.Addr().(*net.TCPAddr).Port}
	s.server = smtp.NewServer(s)
	s.server.Domain, s.server.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	go func() { _ = s.server.Serve(listener) }()
	return s, nil
}

func (s *sink) close() { _ = s.server.Close() }

// NewSession is called for each connection.
func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{sink: s}, nil }

// delivery is a mail on its way into the sink.
type delivery struct {
	sink *sink
	to   string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error      { return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error { d.to = to; return nil }
func (d *delivery) Reset()                                    {}
func (d *delivery) Logout() error                             { return nil }

func (d *delivery) Data(body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	s := d.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tries++; s.refusing.Load() && s.tries%5 == 0 {
		s.refused++
		return &smtp.SMTPError{Code: 451, Message: "try again"}
	}
	// Quoted-printable breaks lines, with a = at their ends.
	plain := strings.ReplaceAll(strings.ReplaceAll(string(text), "=\r\n", ""), "=3D", "=")
	kind := "reminder"
	if link := regexp.MustCompile(`/(verify|invitation)[a-z-]*#([A-Za-z0-9_-]+)`).FindStringSubmatch(plain); link != nil {
		kind = link[1]
		s.links[d.to+" "+kind] = link[2]
	}
	s.taken[kind]++
	return nil
}

// link waits for the code in a mail.
func (s *sink) link(to, kind string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		s.mu.Lock()
		link := s.links[to+" "+kind]
		s.mu.Unlock()
		if link != "" {
			return link, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no mail with a link to %s has come to %s", kind, to)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *sink) print() {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Printf("mails: %v, %d refused at first\n", s.taken, s.refused)
}
