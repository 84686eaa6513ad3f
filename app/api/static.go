package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Marks in what is served: staticMark stands for the address of everything
// beside it, baseMark for the path that all addresses lie below, registrationMark
// for who may make an account, open or closed.
const (
	staticMark       = "{{static}}"
	baseMark         = "{{base}}"
	registrationMark = "{{registration}}"
)

// policy is what a page of ours may do (CSP level 3): load from here and
// nowhere else, and never stand in another page's frame.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// static is what browsers load. One hash of all files is part of their
// addresses, so that they may be kept for ever and modules find each other by
// relative names.
type static struct {
	base         string // as in Config
	prefix       string // BASE/static/HASH
	registration string // open or closed
	files        map[string]file
	examples     []string // the names of those that the guide shows
}

// file is a file in the forms that it is sent in. They are made once, when it is
// first asked for: a Pi takes a second for the largest.
type file struct {
	kind  string
	forms func() forms
}

// forms are what is sent to browsers; no gzip where it saves nothing. Brotli would
// save a twentieth, over HTTPS only.
type forms struct {
	plain, gzip []byte
	etag        string
}

// newStatic reads the folder static of a file system. The page learns whether
// anyone may make an account, so that it offers only what works.
func newStatic(files fs.FS, registrationOpen bool, base string) (*static, error) {
	s := &static{base: base, registration: "closed", files: map[string]file{}}
	if registrationOpen {
		s.registration = "open"
	}
	sum := sha256.New()
	contents := map[string][]byte{}
	err := fs.WalkDir(files, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		contents[strings.TrimPrefix(name, "static/")] = content
		// The walk is in lexical order, so the hash is always the same.
		_, _ = fmt.Fprintf(sum, "%s %d ", name, len(content))
		_, _ = sum.Write(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	s.prefix = base + "/static/" + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:9])
	for name, content := range contents {
		s.files[name] = s.prepare(name, content)
	}
	return s, errors.Join(s.addGuide(files), s.addExamples(files))
}

// kindOf names the media type of what we have. The system's own table can't be
// relied on: some call scripts plain text.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return fiber.MIMEOctetStream
}

func (s *static) prepare(name string, content []byte) file {
	kind := kindOf(name)
	return file{kind: kind, forms: sync.OnceValue(func() forms {
		if kind == "image/png" {
			return forms{plain: content, etag: etagOf(content)}
		}
		plain := bytes.ReplaceAll(content, []byte(staticMark), []byte(s.prefix))
		plain = bytes.ReplaceAll(plain, []byte(baseMark), []byte(s.base))
		plain = bytes.ReplaceAll(plain, []byte(registrationMark), []byte(s.registration))
		plain = withoutComments(name, plain)
		return forms{
			plain: plain, etag: etagOf(plain),
			gzip: fasthttp.AppendGzipBytesLevel(nil, plain, fasthttp.CompressBestCompression),
		}
	})}
}

// withoutComments returns our scripts and styles without comments and indentation, which only
// their readers need: a sixth of what they weigh when they are packed. It goes by
// lines, so that it can't misread what it does not know: a text in backquotes must
// end on its line (a test looks), and a comment behind code goes only where no text
// can be open. Minifiers that rename and reorder save a tenth more, and the one
// written in Go makes other programs of some of ours.
func withoutComments(name string, content []byte) []byte {
	if extension := path.Ext(name); extension != ".js" && extension != ".css" || strings.HasPrefix(name, "rapidoc-") {
		return content
	}
	var out bytes.Buffer
	comment := false
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		switch {
		case comment, strings.HasPrefix(line, "/*"):
			comment = !strings.HasSuffix(line, "*/")
		case line != "" && !strings.HasPrefix(line, "//"):
			out.WriteString(withoutTrailingComment(line))
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// withoutTrailingComment cuts a comment off the end of a line, if no text is open before it.
func withoutTrailingComment(line string) string {
	code, _, found := strings.Cut(line, " // ")
	for _, quote := range []string{`"`, "'", "`"} {
		if found && strings.Count(code, quote)%2 == 1 {
			return line
		}
	}
	return strings.TrimSpace(code)
}

// routes are the addresses of the page and of what it loads. The files that a
// browser wants at the top have their names there.
func (s *static) routes() []route {
	all := query{anything}
	routes := []route{
		{fiber.MethodGet, "/reset-password", public, "", all, s.page("index.html")},
		{fiber.MethodGet, "/verify-email", public, "", all, s.page("index.html")},
		{fiber.MethodGet, "/invitation", public, "", all, s.page("index.html")},
		{fiber.MethodGet, "/docs", public, "", all, s.docs},
		{fiber.MethodGet, "/guide", public, "", all, s.guide},
		{fiber.MethodGet, "/guide/:topic", public, "", all, s.guide},
		{fiber.MethodGet, "/sw.js", public, "", all, s.page("sw.js")},
		{fiber.MethodGet, "/manifest.webmanifest", public, "", all, s.manifest},
		{fiber.MethodGet, "/favicon.ico", public, "", all, s.page("icon-192.png")},
		{fiber.MethodGet, "/static/:hash/:name", public, "", all, s.asset},
	}
	for _, name := range s.examples {
		routes = append(routes, route{fiber.MethodGet, "/" + name, public, "", all, s.page(name)})
	}
	return routes
}

// page sends a page, which is asked for again each time.
func (s *static) page(name string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		f, ok := s.files[name]
		if !ok {
			return fiber.ErrNotFound
		}
		c.Set(fiber.HeaderContentSecurityPolicy, policy)
		c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
		c.Set("Cross-Origin-Opener-Policy", "same-origin")
		c.Set(fiber.HeaderCacheControl, "no-cache")
		return f.send(c)
	}
}

// manifest sends what an installed page is called, in the person's language: the
// system shows it, where no script of ours can.
func (s *static) manifest(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAcceptLanguage)
	if c.AcceptsLanguages("en", "es") == "es" {
		return s.page("manifest-es.webmanifest")(c)
	}
	return s.page("manifest.webmanifest")(c)
}

// docs sends the reference of the API. Its viewer writes styles of its own.
func (s *static) docs(c *fiber.Ctx) error {
	err := s.page("docs.html")(c)
	c.Set(fiber.HeaderContentSecurityPolicy, policy+"; style-src 'self' 'unsafe-inline'; img-src 'self' data:")
	return err
}

// asset sends what a page loads, to be kept for a year: another content has
// another address.
func (s *static) asset(c *fiber.Ctx) error {
	f, ok := s.files[segment(c, "name")]
	if !ok || s.base+"/static/"+segment(c, "hash") != s.prefix {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return f.send(c)
}

func (f file) send(c *fiber.Ctx) error {
	all := f.forms()
	c.Set(fiber.HeaderETag, all.etag)
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if matches(c, all.etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, f.kind)
	c.Locals(keyPacked, true)
	if all.gzip != nil && c.Context().Request.Header.HasAcceptEncoding("gzip") {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(all.gzip)
	}
	return c.Send(all.plain)
}
