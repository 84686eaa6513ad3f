package api

import (
	"bytes"
	"fmt"
	"io"

	"github.com/valyala/fasthttp"
)

// opening inspects the first bytes of a connection, because two kinds of them would
// be waited for until the time limit: lines that end with a bare LF, after which
// fasthttp waits for a CR (RFC 9112 section 2.2 allows refusing them), and plain
// HTTP on a TLS port, which never becomes a handshake.
type opening struct {
	encrypted bool
	known     bool // nothing more to look at
	last      byte // of the read before
}

// Responses that are sent without the HTTP server.
const (
	answerBareLF = `{"error":"Lines of a request must end with CR LF (RFC 9112, 2.2).","code":"bad_request"}` + "\n"
	answerPlain  = "Client sent an HTTP request to an HTTPS server.\n"
)

// answer returns the response to send instead of reading on, "" to read on.
func (o *opening) answer(read []byte) string {
	if o.known || len(read) == 0 {
		return ""
	}
	if o.encrypted {
		o.known = true
		// A handshake begins with 22 (RFC 8446 section 5.1), a request with the
		// capital letter of its method.
		if 'A' <= read[0] && read[0] <= 'Z' {
			return refusal("text/plain; charset=utf-8", answerPlain)
		}
		return ""
	}
	end := bytes.IndexByte(read, '\n')
	if end < 0 {
		o.last = read[len(read)-1]
		return ""
	}
	o.known = true
	before := o.last
	if end > 0 {
		before = read[end-1]
	}
	if before == '\r' {
		return ""
	}
	return refusal("application/json", answerBareLF)
}

func refusal(contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Type: %s\r\nContent-Length: %d\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n%s",
		contentType, len(body), body)
}

// Read reads from the client, which has received the previous response by now.
func (c *conn) Read(p []byte) (int, error) {
	c.hold(nil)
	n, err := c.Conn.Read(p)
	if answer := c.opening.answer(p[:n]); answer != "" {
		c.lingers.Store(true)
		// A client that does not read it has gone.
		_, _ = io.WriteString(c.Conn, answer)
		return 0, io.EOF
	}
	return n, err
}

// expect handles Expect: 100-continue (RFC 9110 section 10.1.1): it refuses a body
// with too large a Content-Length before the client sends it.
func (s *Server) expect(handler fasthttp.RequestHandler) func(*fasthttp.RequestCtx) int {
	return func(ctx *fasthttp.RequestCtx) int {
		if ctx.Request.Header.ContentLength() <= bodyLimit(string(ctx.Path())) {
			return fasthttp.StatusContinue
		}
		handler(ctx) // refuses it, for the same reason
		return ctx.Response.StatusCode()
	}
}
