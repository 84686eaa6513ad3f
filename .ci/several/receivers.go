package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// receiver takes what webhooks are told.
type receiver struct {
	server http.Server
	url    string

	mu     sync.Mutex
	times  map[string]int // by message
	titles map[string]int // of tasks that were created
	again  []time.Time    // when a message came that had come before
	due    map[string]int // messages of reminders, by the title of the task
}

func newReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + listener.Addr().String(), times: map[string]int{}, titles: map[string]int{}, due: map[string]int{}}
	r.server = http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *receiver) close() { _ = r.server.Close() }

var titleText = regexp.MustCompile(`"title":"([^"]*)"`)

// ServeHTTP counts a message.
func (r *receiver) ServeHTTP(_ http.ResponseWriter, request *http.Request) {
	text, _ := io.ReadAll(request.Body)
	id, title := request.Header.Get("webhook-id"), ""
	if found := titleText.FindSubmatch(text); found != nil {
		title = string(found[1])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.times[id]++; r.times[id] > 1 {
		r.again = append(r.again, time.Now())
		return
	}
	if strings.Contains(string(text), `"type":"reminder.due"`) {
		r.due[title]++
	} else {
		r.titles[title]++
	}
}

func (r *receiver) told(title string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.titles[title] > 0
}

// repeated returns how many messages came again.
func (r *receiver) repeated() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.again)
}

// sink is an SMTP server that counts mails by their Message-ID.
type sink struct {
	server *smtp.Server
	port   int

	mu    sync.Mutex
	times map[string]int
	to    map[string]bool
	again []time.Time
}

func newSink() (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{times: map[string]int{}, to: map[string]bool{}, port: listener.Addr().(*net.TCPAddr).Port}
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

var messageID = regexp.MustCompile(`(?mi)^Message-Id: *(\S+)`)

// Data counts a mail.
func (d *delivery) Data(body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	id := ""
	if found := messageID.FindSubmatch(text); found != nil {
		id = string(found[1])
	}
	s := d.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to[d.to] = true
	if s.times[id]++; s.times[id] > 1 {
		s.again = append(s.again, time.Now())
	}
	return nil
}
