package api_test

import (
	"bufio"
	"net"
	"net/http"
	"testing"
)

// Where the server listens for its own machine, pages of strangers whose names
// point there get nothing (DNS rebinding).
func TestNamesOfStrangers(t *testing.T) {
	only := start(t, func(p *parts) { p.api.OnlyHosts = []string{"tasks.example.com"} })
	anyHost := start(t)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8000": 200, "LOCALHOST.": 200, "page.localhost:1": 200, "127.0.0.1": 200, "127.1.2.3:80": 200, "[::1]": 200, "[::1]:8000": 200,
		"[::ffff:127.0.0.1]": 200, "tasks.example.com": 200, "Tasks.Example.com:443": 200, "tasks.example.com.": 200,
		"evil.example": 421, "evil.example:8000": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "192.0.2.1": 421, "0.0.0.0": 421,
		"[2001:db8::1]": 421, "evil-localhost": 421, "tasks.example.com.evil.example": 421,
	} {
		for name, s := range map[string]*server{"this machine": only, "all": anyHost} {
			status := s.exactly("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
			if name == "all" && status == 421 || name != "all" && status != want {
				t.Errorf("%s, listening for %s: %d, want %d", host, name, status, want)
			}
		}
	}
	if status := only.exactly("GET /healthz HTTP/1.0\r\n\r\n"); status != 200 {
		t.Errorf("no name: %d", status)
	}
	request, err := http.NewRequest("GET", only.url+"/", nil)
	must(t, err)
	request.Host = "evil.example"
	if a := only.do(request); a.status != 421 || a.str("code") != "misdirected_request" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if status := only.exactly("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); status != 421 {
		t.Errorf("a name in the request line: %d", status)
	}
}

// exactly sends a request as it is and returns the status of its answer.
func (s *server) exactly(request string) int {
	s.t.Helper()
	return s.status(s.dial(request))
}

// status reads an answer from a connection.
func (s *server) status(conn net.Conn) int {
	s.t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(s.t, err)
	must(s.t, response.Body.Close())
	return response.StatusCode
}
