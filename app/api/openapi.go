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

// contract is the OpenAPI document in both forms.
type contract struct {
	yaml string
	json []byte
}

// newContract puts the version into the document and turns it into JSON.
func newContract(version string) (contract, error) {
	c := contract{yaml: strings.ReplaceAll(openAPI, "{{version}}", strings.ReplaceAll(version, "'", ""))}
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(c.yaml), &tree); err != nil {
		return c, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	var err error
	c.json, err = json.Marshal(tree)
	return c, err
}

func (s *Server) sendJSONContract(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, mimeJSON)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return c.Send(s.contract.json)
}

func (s *Server) sendYAMLContract(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/yaml; charset=utf-8") // RFC 9512
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return c.SendString(s.contract.yaml)
}
