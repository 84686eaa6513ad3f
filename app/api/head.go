package api

import (
	"bytes"
	"fmt"
	"io"

	"github.com/valyala/fasthttp"
)

// opening looks at how a client begins, since two ways to begin would be waited
// for without end: lines that end with a line feed alone, after which the server
// below waits for a carriage return (RFC 9112 section 2.2 lets a recipient refuse
// them), and plain HTTP where TLS is spoken, which never becomes a handshake.
type opening struct {
	encrypted bool
	known     bool // nothing more to look at
	last      byte // of the read before
}

// Answers to clients who can't be answered in the usual way.
const (
	answerBareLF = `{"error":"Lines of a request must end with CR LF (RFC 9112, 2.2).","code":"bad_request"}` + "\n"
	answerPlain  = "Client sent an HTTP request to an HTTPS server.\n"
)

// answer returns what to answer instead of reading on, "" to read on.
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

// Read reads what the client sends next: it has taken the answer before.
func (c *conn) Read(p []byte) (int, error) {
	c.hold(nil)
	n, err := c.Conn.Read(p)
	if answer := c.opening.answer(p[:n]); answer != "" {
		c.lingers.Store(true)
		// Whoever does not take it has gone.
		_, _ = io.WriteString(c.Conn, answer)
		return 0, io.EOF
	}
	return n, err
}

// expect answers who asks whether to send a body (RFC 9110 section 10.1.1): one
// that says that it is too large is refused before it is sent.
func (s *Server) expect(handler fasthttp.RequestHandler) func(*fasthttp.RequestCtx) int {
	return func(ctx *fasthttp.RequestCtx) int {
		if ctx.Request.Header.ContentLength() <= bodyLimit(string(ctx.Path())) {
			return fasthttp.StatusContinue
		}
		handler(ctx) // refuses it, for the same reason
		return ctx.Response.StatusCode()
	}
}
