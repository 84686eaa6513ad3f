package api_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A body has few members, however they are packed.
func TestBombsOfMembers(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	name := func(i int) string { return fmt.Sprintf(`"a%d":`, i) }
	pack := map[string]func(n int) string{
		"members":          func(n int) string { return list(n, func(i int) string { return name(i) + "1" }) },
		"members inside":   func(n int) string { return `"x":{` + list(n-2, func(i int) string { return name(i) + "1" }) + `}` },
		"elements":         func(n int) string { return `"x":[` + list(n-2, func(int) string { return "1" }) + `]` },
		"elements we read": func(n int) string { return `"scopes":[` + list(n-2, func(int) string { return `"a"` }) + `]` },
	}
	for kind, body := range pack {
		few := s.call("POST", "/tasks/", ann.access, `{`+body(400)+`,"title":"t"}`)
		many := s.call("POST", "/tasks/", ann.access, `{`+body(3000)+`,"title":"t"}`)
		if few.status != 201 || many.status != 400 || many.str("code") != "too_many_members" {
			t.Errorf("%s: %d %s, many: %d %s", kind, few.status, few.text, many.status, many.text)
		}
	}
}

func list(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return strings.Join(items, ",")
}

// dial sends the beginning of a request and keeps the connection.
func (s *server) dial(raw string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	must(s.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, raw)
	must(s.t, err)
	return conn
}

// Those who withhold the end of a body keep nobody from sending one.
func TestBodiesHeldBack(t *testing.T) {
	for name, head := range map[string]string{"of a length": "Content-Length: 50000", "in chunks": "Transfer-Encoding: chunked"} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(p *parts) { p.api.BodyMemory = 2 << 20 })
			ann := s.signUp("ann")
			body := strings.Repeat("x", 49_000)
			if strings.HasPrefix(head, "Transfer") {
				body = fmt.Sprintf("%x\r\n%s", 50_000, body)
			}
			var held []net.Conn
			for range 30 {
				held = append(held, s.dial("POST /tasks/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer "+
					ann.access+"\r\n"+head+"\r\n\r\n"+body))
			}
			large := fmt.Sprintf(`{"title":"t","x":%q}`, strings.Repeat("x", 60_000))
			if a := s.call("POST", "/tasks/", ann.access, large); a.status != 201 {
				t.Errorf("a large body: %d %s", a.status, a.text)
			}
			if a := s.call("POST", "/tasks/", ann.access, `{"title":"t"}`); a.status != 201 {
				t.Errorf("a small body: %d %s", a.status, a.text)
			}
			if name == "in chunks" {
				return
			}
			if status := s.status(held[0]); status != http.StatusRequestTimeout && status != http.StatusServiceUnavailable {
				t.Errorf("the first that was held: %d", status)
			}
		})
	}
}

// Those who read no answer keep nobody from theirs.
func TestAnswersNobodyReads(t *testing.T) {
	s := start(t, func(p *parts) { p.api.AnswerMemory = 4 << 20 })
	ann := s.signUp("ann")
	for range 100 {
		if a := s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"t","description":%q}`, strings.Repeat("x", 10_000))); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	ask := "GET /tasks/?per_page=100 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + ann.access + "\r\n\r\n"
	for range 20 {
		conn := s.dial(strings.Repeat(ask, 3))
		must(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	}
	for range 2 {
		if a := s.call("GET", "/tasks/?per_page=100", ann.access, ""); a.status != 200 || len(a.text) < 1_000_000 {
			t.Errorf("somebody who reads: %d, %d bytes", a.status, len(a.text))
		}
	}
}
