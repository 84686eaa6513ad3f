package api_test

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"taskapi/app"
	"taskapi/app/password"
)

// The benchmarks go over a real socket to a real database file with an access
// log of level info that is thrown away: 32 clients a core, each with its own
// connection and one request at a time. Client and server share the machine,
// and the allocations of both count.
//
//	go test ./app/api -run '^$' -bench . -benchtime 3s
const benchClients = 32

// benchServer has the password cost of production, and its limit of mails.
func benchServer(b *testing.B) *server {
	b.Helper()
	return start(b, func(p *parts) {
		hasher, err := password.New(password.Options{Params: password.DefaultParams()})
		must(b, err)
		p.users.Passwords, p.sessions.Passwords = hasher, hasher
		p.api.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		p.postage.Limiter = &app.Limiter{Now: time.Now, Max: 1000}
	})
}

// client sends one request at a time.
type client struct {
	request  *fasthttp.Request
	response *fasthttp.Response
	took     []time.Duration
}

func (c *client) send(http *fasthttp.HostClient, status int) (string, error) {
	began := time.Now()
	if err := http.Do(c.request, c.response); err != nil {
		return "", err
	}
	c.took = append(c.took, time.Since(began))
	if c.response.StatusCode() != status {
		return "", fmt.Errorf("%d %s", c.response.StatusCode(), c.response.Body())
	}
	return string(c.response.Body()), nil
}

// run sends requests from all clients at once until the benchmark is over.
// Prepare is called once a client before the clock runs, and next, if there is
// one, after each answer.
func (s *server) run(b *testing.B, status int, prepare func(*fasthttp.Request), next func(*fasthttp.Request, string)) {
	b.Helper()
	http := &fasthttp.HostClient{Addr: strings.TrimPrefix(s.url, "http://"), MaxConns: 4096}
	defer http.CloseIdleConnections()
	clients := make([]client, benchClients*runtime.GOMAXPROCS(0))
	for i := range clients {
		clients[i] = client{request: &fasthttp.Request{}, response: &fasthttp.Response{}}
		prepare(clients[i].request)
	}
	var taken atomic.Int32
	b.SetParallelism(benchClients)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		c := &clients[taken.Add(1)-1]
		for pb.Next() {
			answer, err := c.send(http, status)
			if err != nil {
				b.Error(err)
				return
			}
			if next != nil {
				next(c.request, answer)
			}
		}
	})
	b.StopTimer()
	var all []time.Duration
	for _, c := range clients {
		all = append(all, c.took...)
	}
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

func (s *server) ask(method, path, token, body string) func(*fasthttp.Request) {
	return func(r *fasthttp.Request) {
		r.SetRequestURI(s.url + path)
		r.Header.SetMethod(method)
		r.Header.SetContentType("application/json")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		r.SetBodyString(body)
	}
}

func BenchmarkReadTask(b *testing.B) {
	s := benchServer(b)
	p := s.signUp("ann")
	id := s.task(p, "one of many")
	s.run(b, 200, s.ask("GET", fmt.Sprintf("/tasks/%d", id), p.access, ""), nil)
}

func BenchmarkListPage(b *testing.B) {
	s := benchServer(b)
	p := s.signUp("ann")
	for n := range 100 {
		s.task(p, fmt.Sprintf("number %d", n))
	}
	s.run(b, 200, s.ask("GET", "/tasks/?page=3&per_page=10", p.access, ""), nil)
}

func BenchmarkCreateTask(b *testing.B) {
	s := benchServer(b)
	p := s.signUp("ann")
	s.run(b, 201, s.ask("POST", "/tasks/", p.access, `{"title":"one of many","description":"made by a benchmark"}`), nil)
}

// Each request has an Idempotency-Key of its own.
func BenchmarkCreateTaskWithKey(b *testing.B) {
	s := benchServer(b)
	p := s.signUp("ann")
	var keys atomic.Int64
	key := func(r *fasthttp.Request) { r.Header.Set("Idempotency-Key", fmt.Sprint("benchmark-", keys.Add(1))) }
	s.run(b, 201, func(r *fasthttp.Request) {
		s.ask("POST", "/tasks/", p.access, `{"title":"one of many","description":"made by a benchmark"}`)(r)
		key(r)
	}, func(r *fasthttp.Request, _ string) { key(r) })
}

func BenchmarkLogin(b *testing.B) {
	s := benchServer(b)
	s.register("ann")
	s.run(b, 200, s.ask("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, testPassword)), nil)
}

// Each client has a session of its own, and shows the token of the last answer.
func BenchmarkRefresh(b *testing.B) {
	s := benchServer(b)
	s.register("ann")
	s.run(b, 200, func(r *fasthttp.Request) {
		s.ask("POST", "/auth/refresh", "", fmt.Sprintf(`{"refresh_token":%q}`, s.login("ann").refresh))(r)
	}, func(r *fasthttp.Request, answer string) {
		_, rest, _ := strings.Cut(answer, `"refresh_token":"`)
		token, _, _ := strings.Cut(rest, `"`)
		r.SetBodyString(fmt.Sprintf(`{"refresh_token":%q}`, token))
	})
}
