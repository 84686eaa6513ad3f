package api_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"taskapi/app/api"
)

// serveSide serves on a free port until the end of the test.
func serveSide(t *testing.T, side *api.Side) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() {
		if err := side.Serve(ctx, listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); served.Wait() })
	return listener.Addr().String()
}

// rawTo sends what no client library would.
func rawTo(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	must(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, request)
	must(t, err)
	answer, err := io.ReadAll(conn)
	must(t, err)
	return string(answer)
}

func TestRedirectLeadsNowhereElse(t *testing.T) {
	addr := serveSide(t, api.NewRedirect("https://tasks.example.com", slog.New(slog.DiscardHandler)))
	for target, want := range map[string]string{
		"/": "/", "/tasks/?page=2": "/tasks/?page=2", "//evil.example/x": "/evil.example/x", "/%0d%0aSet-Cookie:a": "/%0D%0ASet-Cookie:a",
		"http://evil.example/a": "/a",
	} {
		answer := rawTo(t, addr, "GET "+target+" HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 308") || !strings.Contains(answer, "\r\nLocation: https://tasks.example.com"+want+"\r\n") || strings.Contains(answer, "\nSet-Cookie") {
			t.Errorf("%s:\n%s", target, answer)
		}
	}
}

// Browsers may ask for an address with the path of the public URL or without it.
func TestRedirectBelowAPath(t *testing.T) {
	addr := serveSide(t, api.NewRedirect("https://home.example/todo", slog.New(slog.DiscardHandler)))
	for target, want := range map[string]string{
		"/": "/todo/", "/todo": "/todo", "/todo/": "/todo/", "/todo?x=1": "/todo?x=1", "/todo/tasks/?x=1": "/todo/tasks/?x=1",
		"/tasks/?x=1": "/todo/tasks/?x=1", "/todolist": "/todo/todolist", "/?to=/todo": "/todo/?to=/todo",
	} {
		answer := rawTo(t, addr, "GET "+target+" HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
		if !strings.Contains(answer, "\r\nLocation: https://home.example"+want+"\r\n") {
			t.Errorf("%s:\n%s", target, answer)
		}
	}
}

func TestMetricsPageSurvivesItsWriter(t *testing.T) {
	var log lockedBuffer
	addr := serveSide(t, api.NewMetricsPage("text/plain", func(io.Writer) error { panic("the cause") }, slog.New(slog.NewTextHandler(&log, nil))))
	for range 2 {
		response, err := http.Get("http://" + addr + "/metrics")
		must(t, err)
		must(t, response.Body.Close())
		if response.StatusCode != 500 || !strings.Contains(log.String(), "the cause") {
			t.Error(response.StatusCode, log.String())
		}
	}
	response, err := http.Post("http://"+addr+"/metrics", "text/plain", strings.NewReader(""))
	must(t, err)
	must(t, response.Body.Close())
	if response.StatusCode != 405 {
		t.Error(response.StatusCode)
	}
}

// A stop in the first moment of serving is a stop too.
func TestStopsThatComeEarly(t *testing.T) {
	var config api.Config
	start(t, func(p *parts) { config = p.api; config.Users = p.users })
	for i := range 300 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		server, err := api.New(config)
		must(t, err)
		served := make(chan error, 1)
		if i%2 == 0 {
			must(t, server.Shutdown(context.Background()))
			must(t, server.Serve(listener))
			continue
		}
		go func() { served <- server.Serve(listener) }()
		must(t, server.Shutdown(context.Background()))
		must(t, <-served)
	}
	for range 100 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		ctx, stop := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() {
			served <- api.NewRedirect("https://a.example", slog.New(slog.DiscardHandler)).Serve(ctx, listener)
		}()
		stop()
		must(t, <-served)
	}
}
