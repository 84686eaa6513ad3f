package api

import (
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"taskapi/app/api/client"
)

// Media types of the client for front ends. TypeScript has none, and a browser shows this one.
const (
	mimeTypeScript = "text/plain; charset=utf-8"
	mimeJavaScript = "text/javascript; charset=utf-8"
)

// newClients returns what makes the client from the contract, once, when it is asked for first.
func (s *Server) newClients() func() (clients, error) {
	return sync.OnceValues(func() (clients, error) {
		made, err := client.Generate(s.contractYAML(), s.Dev != nil)
		return clients{packed(made.TypeScript), packed(made.JavaScript)}, err
	})
}

// clients are the client in its two forms.
type clients struct{ typeScript, javaScript forms }

func packed(text []byte) forms {
	return forms{plain: text, etag: etagOf(text), gzip: fasthttp.AppendGzipBytesLevel(nil, text, fasthttp.CompressBestCompression)}
}

func (s *Server) sendTypeScript(c *fiber.Ctx) error {
	made, err := s.clients()
	if err != nil {
		return err
	}
	return sendForms(c, mimeTypeScript, made.typeScript)
}

func (s *Server) sendJavaScript(c *fiber.Ctx) error {
	made, err := s.clients()
	if err != nil {
		return err
	}
	return sendForms(c, mimeJavaScript, made.javaScript)
}

// sendForms sends what is asked for again each time.
func sendForms(c *fiber.Ctx, kind string, all forms) error {
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return file{kind: kind, forms: func() forms { return all }}.send(c)
}
