package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var openAPI string

// openAPIDev has the tags, parameters and paths that only a developer's server has.
//
//go:embed openapi-dev.yaml
var openAPIDev string

// contractYAML returns the OpenAPI document of this version, below its base.
func (s *Server) contractYAML() string {
	text := openAPI
	if s.Base != "" {
		text = strings.Replace(text, "\n- {url: /}\n", "\n- {url: '"+s.Base+"/'}\n", 1)
	}
	if s.Dev != nil {
		text = forDevelopers(text)
	}
	return strings.ReplaceAll(text, "{{version}}", strings.ReplaceAll(s.Version, "'", ""))
}

// devParameters are those by which a request asks for trouble, of each address in the document.
const devParameters = `
    parameters:
    - {$ref: '#/components/parameters/X-Dev-Delay'}
    - {$ref: '#/components/parameters/X-Dev-Status'}
    - {$ref: '#/components/parameters/X-Dev-Drop'}`

var pathItemForm = regexp.MustCompile(`(?m)^  /\S*:$`)

// forDevelopers adds to the document what only a developer's server has.
func forDevelopers(text string) string {
	rest, paths, _ := strings.Cut(openAPIDev, "\npaths:\n")
	rest, parameters, _ := strings.Cut(rest, "\nparameters:\n")
	_, tags, _ := strings.Cut(rest, "\ntags:\n")
	text = pathItemForm.ReplaceAllString(text, "$0"+strings.ReplaceAll(devParameters, "$", "$$"))
	text = strings.Replace(text, "\npaths:\n", "\n"+tags+"\npaths:\n"+paths, 1)
	return strings.Replace(text, "\n  parameters:\n", "\n  parameters:\n"+parameters+"\n", 1)
}

// contractJSON returns the OpenAPI document as JSON.
func contractJSON(text string) ([]byte, error) {
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
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
	return sendContract(c, "application/yaml; charset=utf-8", []byte(s.contractYAML())) // RFC 9512
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
