package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"

	"taskapi/app/store"
)

// processes is how many processes a server is: as many as TASKAPI_TEST_PROCESSES says.
func processes() int {
	n, _ := strconv.Atoi(os.Getenv("TASKAPI_TEST_PROCESSES"))
	return max(1, n)
}

// byTurns puts that many processes behind the address of the server, on its database and with its
// clock. Each request meets the next one, as it does behind a balancer.
func (s *server) byTurns(change []func(*parts)) {
	s.t.Helper()
	n := processes()
	if n == 1 {
		return
	}
	all := []*server{s}
	for range n - 1 {
		another := &server{t: s.t, clock: s.clock, mails: s.mails, log: s.log}
		another.begin(s.db.Another, change)
		all = append(all, another)
	}
	var proxies []http.Handler
	for _, one := range all {
		run(s.t, func(ctx context.Context) {
			one.db.Follow(ctx, func(err error) { s.t.Errorf("what others write can't be followed: %v", err) })
		})
		to, err := url.Parse(one.url)
		must(s.t, err)
		proxies = append(proxies, &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, r.In.Host
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		}})
	}
	var turn atomic.Int64
	balancer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Long enough after a change for all to look who may act.
		s.clock.advance(store.SeenWithin)
		proxies[turn.Add(1)%int64(n)].ServeHTTP(w, r)
	}))
	s.t.Cleanup(balancer.Close)
	s.url = balancer.URL
}
