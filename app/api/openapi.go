package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var openAPI string

// contractYAML returns the OpenAPI document of a version, for a server below a
// path.
func contractYAML(version, base string) string {
	text := openAPI
	if base != "" {
		text = strings.Replace(text, "\n- {url: /}\n", "\n- {url: '"+base+"/'}\n", 1)
	}
	return strings.ReplaceAll(text, "{{version}}", strings.ReplaceAll(version, "'", ""))
}

// contractJSON returns the OpenAPI document as JSON.
func contractJSON(version, base string) ([]byte, error) {
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(contractYAML(version, base)), &tree); err != nil {
		return nil, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	return json.Marshal(tree)
}

func (s *Server) sendJSONContract(c *fiber.Ctx) error {
	text, err := s.contract()
	if err != nil {
		return err
	}
	return sendContract(c, mimeJSON, text)
}

func (s *Server) sendYAMLContract(c *fiber.Ctx) error {
	return sendContract(c, "application/yaml; charset=utf-8", []byte(contractYAML(s.Version, s.Base))) // RFC 9512
}

// sendContract answers with a form of the contract, or with 304 if the client has it.
func sendContract(c *fiber.Ctx, kind string, text []byte) error {
	c.Set(fiber.HeaderCacheControl, "no-cache")
	etag := etagOf(text)
	c.Set(fiber.HeaderETag, etag)
	if matches(c, etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, kind)
	return c.Send(text)
}
