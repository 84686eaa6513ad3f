package api_test

import (
	"bufio"
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
			conn := s.dial("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			must(t, response.Body.Close())
			if name == "all" && response.StatusCode == 421 || name != "all" && response.StatusCode != want {
				t.Errorf("%s, listening for %s: %d, want %d", host, name, response.StatusCode, want)
			}
		}
	}
	conn := only.dial("GET /healthz HTTP/1.0\r\n\r\n")
	if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || response.StatusCode != 200 {
		t.Errorf("no name: %v %v", response, err)
	}
	conn = only.dial("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || response.StatusCode != 421 {
		t.Errorf("a name in the request line: %v %v", response, err)
	}
}
