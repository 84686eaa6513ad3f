package api_test

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"taskapi/app/api"
)

// A request whose lines end with a line feed alone is refused at once, however
// it is cut; the others are not touched.
func TestBareLineFeeds(t *testing.T) {
	s := start(t)
	for request, want := range map[string]string{
		"GET /healthz HTTP/1.1\nHost: localhost\n\n": "400 Bad Request", "\n": "400 Bad Request",
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n": "200 OK",
	} {
		answer := make([]byte, 2000)
		n, err := s.dial(request).Read(answer)
		text := string(answer[:n])
		if err != nil || !strings.HasPrefix(text, "HTTP/1.1 "+want) || want != "200 OK" && !strings.Contains(text, `"code":"bad_request"`) {
			t.Errorf("%q: %s %v", request, text, err)
		}
	}
	for _, c := range []struct {
		parts []string
		bare  bool
	}{
		{[]string{"GET / HTTP/1.1", "\n"}, true}, {[]string{"G", "", "ET / HTTP/1.1\r", "\nHost: a\n\n"}, false},
		{[]string{"GET / HTTP/1.1\r\n", "\n"}, false},
	} {
		answer := api.Opening()
		got := false
		for _, part := range c.parts {
			got = got || answer([]byte(part)) != ""
		}
		if got != c.bare {
			t.Errorf("%q is refused: %t", c.parts, got)
		}
	}
}

// Who speaks plain HTTP to the HTTPS port is told so, as Go's own server does.
func TestPlainHTTPWhereTLSIsSpoken(t *testing.T) {
	s := start(t, func(p *parts) { p.api.TLS = &tls.Config{MinVersion: tls.VersionTLS12} })
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /auth/login HTTP/1.0\r\n\r\n" + strings.Repeat("x", 1<<20)} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		must(t, err)
		must(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = io.WriteString(conn, request)
		must(t, err)
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.HasSuffix(string(answer), "Client sent an HTTP request to an HTTPS server.\n") {
			t.Errorf("%q: %s %v", request[:20], answer, err)
		}
		must(t, conn.Close())
	}
}

// A body that says that it is too large is refused before it is sent.
func TestExpectContinue(t *testing.T) {
	s := start(t)
	for length, want := range map[string]string{"2000000": "HTTP/1.1 413 ", "17000": "HTTP/1.1 413 ", "40": "HTTP/1.1 100 "} {
		conn := s.dial("POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: " + length + "\r\n\r\n")
		answer := make([]byte, 4000)
		n, err := conn.Read(answer)
		text := string(answer[:n])
		if err != nil || !strings.HasPrefix(text, want) || strings.Contains(want, "413") && !strings.Contains(text, `"code":"body_too_large"`) {
			t.Errorf("%s bytes: %s %v", length, text, err)
		}
	}
}

// With one origin, an answer to headers that could not be read is for that one.
func TestCORSOfHeadersTooLong(t *testing.T) {
	s := start(t, func(p *parts) { p.api.CORSOrigins = []string{"https://app.example.com"} })
	for head, want := range map[string]bool{"Origin: https://app.example.com\r\nX-Long: " + strings.Repeat("x", 20<<10): true, "Origin: https://evil.example": false} {
		answer := make([]byte, 4000)
		n, err := s.dial("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + head + "\r\n\r\n").Read(answer)
		if text := string(answer[:n]); err != nil || strings.Contains(text, "Access-Control-Allow-Origin: https://app.example.com\r\n") != want || strings.HasPrefix(text, "HTTP/1.1 431 ") != want {
			t.Errorf("%.50s: %s %v", head, text, err)
		}
	}
}
