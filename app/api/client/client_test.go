package client_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"taskapi/app/api/client"
)

// small has one of each thing that a document can have.
const small = `
openapi: 3.1.0
info: {version: '1 */ «2»'}
servers:
- {url: /todo/}
paths:
  /things:
    get:
      operationId: listThings
      summary: All things
      description: 'Ends no comment: */ and no mark: »'
      security: [{token: []}]
      parameters:
      - {name: page, in: query, description: Which., schema: {type: integer}}
      - {name: kind, in: query, schema: {type: array, items: {oneOf: [{$ref: '#/components/schemas/Kind'}, {type: 'null'}]}}}
      - {name: If-None-Match, in: header, schema: {type: string}}
      responses:
        '200': {$ref: '#/components/responses/Things'}
        '304': {description: The same.}
  /things/{id}/parts/{part_id}:
    parameters:
    - {name: id, in: path, schema: {type: integer}}
    - {name: X-Shared, in: header, schema: {type: string}}
    put:
      operationId: updatePart
      summary: Change a part
      security: [{}, {token: []}]
      parameters:
      - {name: part_id, in: path, schema: {type: string}}
      - {$ref: '#/components/parameters/key'}
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses:
        '200': &gone {content: {application/json: {schema: {type: object, additionalProperties: true}}}}
        '201': *gone
        '204': {description: Nothing.}
  /stream:
    get:
      operationId: stream
      summary: News
      security: []
      responses:
        '200': {content: {text/event-stream: {schema: {type: string}}}}
components:
  parameters:
    key: {name: Idempotency-Key, in: header, schema: {type: string}}
  responses:
    Things: {content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}}
  schemas:
    Kind: {type: string, enum: [a, "b\"c"], description: A or b.}
    Thing:
      type: object
      required: [id]
      properties:
        id: {type: integer}
        x-name: {type: [string, 'null'], description: With a hyphen.}
        inner: {type: object, properties: {one: {const: 1}}}
    Both: {allOf: [{$ref: '#/components/schemas/Thing'}, {anyOf: [{type: boolean}, {type: 'null'}]}]}
`

func TestGenerate(t *testing.T) {
	made, err := client.Generate(small, true)
	if err != nil {
		t.Fatal(err)
	}
	script, typed := string(made.JavaScript), string(made.TypeScript)
	for _, want := range []string{
		`/** A or b. */
export type Kind = "a" | "b\"c";
`, `export interface Thing {
  id: number;
  /** With a hyphen. */
  "x-name"?: string | null;
  inner?: {
    one?: 1;
  };
}
`, `export type Both = Thing & (boolean | null);
`, `/** The query of listThings. */
export type ListThingsQuery = {
  /** Which. */
  page?: number | undefined;
  kind?: (Kind | null)[] | undefined;
};
`, `   * Ends no comment: * / and no mark: "
   *
   * ` + "`GET /things`" + `
   */
  listThings(query?: ListThingsQuery, options?: Options): Promise<Thing[]> {
    return this.#call("GET", "/things", { query, options });
  }
`, `
  updatePart(id: number, partId: string, body?: Thing, options?: Options): Promise<Record<string, unknown> | void> {
    return this.#call("PUT", ` + "`/things/${encodeURIComponent(id)}/parts/${encodeURIComponent(partId)}`" + `, { body, options, auth: "any", keyed: true });
  }
`, `
  stream(options?: Options): Promise<ReadableStream<Uint8Array>> {
    return this.#call("GET", "/stream", { options, auth: "none", expect: "stream", accept: "text/event-stream" });
  }
`} {
		if !strings.Contains(typed, want) {
			t.Errorf("not in the client:\n%s", want)
		}
	}
	for _, want := range []string{`
  updatePart(id, partId, body, options) {
`, `
  listThings(query, options) {
`, `const served = "/todo";`, `const developing = true;`, `// The client of taskapi 1 * / "2"`} {
		if !strings.Contains(script, want) {
			t.Errorf("not in the module:\n%s", want)
		}
	}
	if t.Failed() {
		t.Log(typed)
	}
}

func TestNoDocument(t *testing.T) {
	for _, text := range []string{"", "a: [", "null", "[]", "a: 1", "paths: {}"} {
		if made, err := client.Generate(text, false); err == nil {
			t.Errorf("%q: %.100s", text, made.JavaScript)
		}
	}
}

// Both forms of the real client are one program: what the module has, TypeScript has in the same
// order, and what it has more are types.
func TestBothFormsAreOneProgram(t *testing.T) {
	document, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.Generate(strings.ReplaceAll(string(document), "{{version}}", "test"), false)
	if err != nil {
		t.Fatal(err)
	}
	script, typed := string(made.JavaScript), string(made.TypeScript)
	rest := typed
	for i, r := range script {
		at := strings.IndexRune(rest, r)
		if at < 0 {
			t.Fatalf("only in the module: %.200s", script[i:])
		}
		rest = rest[at+1:]
	}
	for _, line := range strings.Split(script, "\n") {
		code, _, _ := strings.Cut(strings.TrimSpace(line), "//")
		if strings.HasPrefix(code, "*") || strings.HasPrefix(code, "/*") {
			continue
		}
		if regexp.MustCompile(`^(export )?(interface|type) |[)\]\w]: (Promise|string|number|boolean|unknown|void)\b|\?: | as [A-Z]|<[A-Z]\w*>\(`).MatchString(code) {
			t.Errorf("a type in the module: %s", line)
		}
	}
	for _, text := range []string{script, typed} {
		if left := regexp.MustCompile(`[«»]|\{\{`).FindString(text); left != "" {
			t.Errorf("%q is left", left)
		}
	}
	seen := map[string]bool{}
	for _, declared := range regexp.MustCompile(`(?m)^(?:export )?(?:interface|type|class|function|async function|const|let) (\w+)`).FindAllStringSubmatch(typed, -1) {
		if seen[declared[1]] {
			t.Errorf("%s is declared twice", declared[1])
		}
		seen[declared[1]] = true
	}
}
