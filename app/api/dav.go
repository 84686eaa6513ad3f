package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/token"
)

// DAV answers calendar clients; *caldav.Handler does.
type DAV interface {
	// ServeDAV returns an error that it has not answered.
	ServeDAV(w http.ResponseWriter, r *http.Request, caller app.Caller) error
	Options(w http.ResponseWriter, path string)
}

const (
	pathDAV       = "/dav"
	pathWellKnown = "/.well-known/caldav" // RFC 6764

	// maxDAVBody is the maximum size of the body of a REPORT, in bytes: some clients name all
	// objects of a collection in one.
	maxDAVBody = 4 << 20
	// heldDAV is how much of an answer is made before any of it is sent, in bytes: an error until
	// then still gets a status of its own.
	heldDAV = 160 << 10
	// davStreams is how many large answers are on their way at once, half of them to one network.
	davStreams = 64
	// davTime limits how long the largest answer may take to a slow client.
	davTime = 5 * time.Minute
)

// davMethods are those of WebDAV and CalDAV that Fiber does not know by itself.
func davMethods() []string { return []string{"PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL"} }

// methods are those that some route may have.
func (s *Server) methods() []string { return slices.Concat(fiber.DefaultMethods, davMethods()) }

var (
	errAppPassword = &app.Error{Kind: app.KindUnauthenticated, Code: "app_password_required", Message: "Sign in with any user name and, as the password, an API token (it begins with tapi_). The password of the account is not taken here."}
	errPlainHTTP   = &app.Error{Kind: app.KindForbidden, Code: "encryption_required", Message: "Calendar clients send their password with each request, so this needs HTTPS. To allow it without, start the server with --caldav-over-http on."}
)

// registerDAV mounts what calendar clients use. It is no part of the OpenAPI document, whose
// language has no words for its methods.
func (s *Server) registerDAV() {
	if s.DAV == nil {
		return
	}
	begin := func(c *fiber.Ctx) error { return c.Redirect(pathDAV+"/", fiber.StatusMovedPermanently) }
	s.fiber.All(pathWellKnown, begin)
	s.fiber.Add("PROPFIND", "/", s.dav) // where clients look that know a host only; not all follow
	s.fiber.All(pathDAV, s.dav)
	s.fiber.All(pathDAV+"/*", s.dav)
}

// dav lets a request of a calendar client in.
func (s *Server) dav(c *fiber.Ctx) error {
	path := davURL(c.Path())
	if c.Method() == fiber.MethodOptions { // which clients send before they have a password
		w := &davWriter{header: http.Header{}}
		s.DAV.Options(w, path.EscapedPath())
		w.head(c)
		if c.Get(fiber.HeaderAccessControlRequestMethod) != "" {
			s.preflight(c, w.header.Get("Allow"))
		}
		return nil
	}
	c.Locals(keyBasic, true)
	caller, err := s.davCaller(c)
	if err != nil {
		return err
	}
	caller.From = callerOf(c).From
	c.Locals(keyCaller, caller)
	c.SetUserContext(app.OnBehalf(c.UserContext(), caller))
	body, memory, err := s.readBody(c)
	if err != nil {
		return err
	}
	// The answer may outlast this handler.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), davTime)
	var change int64
	ctx = app.NoteChange(ctx, &change)
	r := (&http.Request{
		Method: c.Method(), URL: path, Header: headersOf(c),
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	w := &davWriter{header: http.Header{}, spilled: make(chan struct{}), pack: strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip")}
	w.place = func() (*lease, error) { return s.davs.take(ctx, caller.From.Network(), 1, nil) }
	done := make(chan error, 1)
	id := requestID(c)
	go func() {
		defer cancel()
		defer memory.give()
		done <- s.serveDAV(w, r, caller, id)
	}()
	select {
	case <-w.spilled:
		w.head(c)
		c.Locals(keyPacked, true)
		c.Context().SetBodyStream(&davStream{PipeReader: w.reader, conn: c.Context().Conn(), cancel: cancel}, -1)
		return nil
	case err := <-done:
		if err != nil {
			return err
		}
		w.head(c)
		noteChange(c, change)
		c.Response().SetBodyRaw(w.text.Bytes())
		return nil
	}
}

// serveDAV runs the handler. Once the answer has begun to be sent, an error can only break it off.
func (s *Server) serveDAV(w *davWriter, r *http.Request, caller app.Caller, id string) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		}
		if w.reader == nil {
			return
		}
		if w.close(err) != nil && r.Context().Err() == nil {
			s.Log.Error("an answer to a calendar client was broken off", "request_id", id, "error", err)
		}
	}()
	return s.DAV.ServeDAV(w, r, caller)
}

// davCaller returns whom the API token speaks for that is the password of a request.
func (s *Server) davCaller(c *fiber.Ctx) (app.Caller, error) {
	peer := c.Context().RemoteAddr()
	near := peer.Network() == "unix" || s.clientAddr(c).IsLoopback()
	if s.TLS == nil && !s.SecureCookies && !s.DAVOverHTTP && (!near || saysPlainHTTP(c)) {
		return app.Caller{}, errPlainHTTP
	}
	scheme, credentials, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	_, password, _ := strings.Cut(string(plain), ":")
	if err != nil || !strings.EqualFold(scheme, "Basic") || !token.IsPersonal(password) {
		return app.Caller{}, errAppPassword
	}
	return s.APITokens.Caller(c.UserContext(), password)
}

// saysPlainHTTP reports whether a proxy says that its client came without encryption. It is believed
// from anywhere: nobody gets anything by it.
func saysPlainHTTP(c *fiber.Ctx) bool {
	first, _, _ := strings.Cut(c.Get(fiber.HeaderXForwardedProto), ",")
	return strings.EqualFold(strings.TrimSpace(first), "http")
}

// davURL makes an address of net/http's of a path as the routes see it: slashes and percent signs
// of a segment are still escaped, all else is not.
func davURL(path string) *url.URL {
	if !strings.Contains(path, "%") {
		return &url.URL{Path: path}
	}
	segments := strings.Split(path, "/")
	escaped := make([]string, len(segments))
	for i, one := range segments {
		segments[i] = strings.NewReplacer("%2F", "/", "%25", "%").Replace(one)
		escaped[i] = url.PathEscape(segments[i])
	}
	return &url.URL{Path: strings.Join(segments, "/"), RawPath: strings.Join(escaped, "/")}
}

// headersOf copies the headers of a request.
func headersOf(c *fiber.Ctx) http.Header {
	header := http.Header{}
	for name, value := range c.Request().Header.All() {
		header.Add(string(name), string(value))
	}
	return header
}

// davWriter takes an answer. What is small is held until the whole is there; what is large is
// handed on as it is made, compressed where the client takes that.
type davWriter struct {
	header http.Header
	status int
	text   bytes.Buffer // as long as it is held

	place   func() (*lease, error) // for a large answer
	spilled chan struct{}          // closed once it is handed on
	pack    bool
	reader  *io.PipeReader // nil while it is held
	pipe    *io.PipeWriter
	packer  *gzip.Writer // nil without compression
	out     *bufio.Writer
	held    *lease
}

// Header, WriteHeader and Write are http.ResponseWriter's.
func (w *davWriter) Header() http.Header { return w.header }

// WriteHeader sets the status.
func (w *davWriter) WriteHeader(status int) { w.status = status }

// Write takes a part of the answer.
func (w *davWriter) Write(part []byte) (int, error) {
	switch {
	case w.reader != nil:
		return w.out.Write(part)
	case w.text.Len()+len(part) <= heldDAV || w.spilled == nil:
		return w.text.Write(part)
	}
	held, err := w.place()
	if err != nil {
		return 0, err
	}
	w.held = held
	w.reader, w.pipe = io.Pipe()
	w.out = bufio.NewWriterSize(w.pipe, 32<<10)
	if w.pack {
		w.header.Set("Content-Encoding", "gzip")
		if w.packer, err = gzip.NewWriterLevel(w.pipe, gzip.BestSpeed); err != nil {
			return 0, err
		}
		w.out.Reset(w.packer)
	}
	w.header.Del("Content-Length")
	close(w.spilled)
	if _, err := w.out.Write(w.text.Bytes()); err != nil {
		return 0, err
	}
	w.text = bytes.Buffer{}
	return w.out.Write(part)
}

// close ends an answer that is handed on, or breaks it off, so that the client sees that it is not
// whole. It returns why it is broken.
func (w *davWriter) close(err error) error {
	defer w.held.give()
	if err == nil {
		err = w.out.Flush()
	}
	if err == nil && w.packer != nil {
		err = w.packer.Close()
	}
	return errors.Join(err, w.pipe.CloseWithError(err))
}

// head copies the status and the header.
func (w *davWriter) head(c *fiber.Ctx) {
	if w.status != 0 {
		c.Status(w.status)
	}
	for name, values := range w.header {
		if name != fiber.HeaderContentLength { // which is the server's to know
			c.Set(name, strings.Join(values, ", "))
		}
	}
}

// davStream is what the connection reads a large answer from. Each part has a time of its own to be
// taken in.
type davStream struct {
	*io.PipeReader
	conn   net.Conn
	cancel context.CancelFunc
}

// Read returns the next part.
func (r *davStream) Read(part []byte) (int, error) {
	n, err := r.PipeReader.Read(part)
	// One that fails has ended by itself.
	_ = r.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return n, err
}

// Close ends the answer, also one that nobody takes any more.
func (r *davStream) Close() error {
	r.cancel()
	return r.PipeReader.Close()
}
