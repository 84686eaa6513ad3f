package api_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"taskapi/app"
	"taskapi/app/api"
	"taskapi/app/storetest"
)

// document is openapi.yaml as its readers see it, and what the tests of this
// package have used of it.
type document struct {
	doc    *openapi3.T
	router routers.Router

	mu   sync.Mutex
	used map[string]bool // "operationId status"
}

var loadDocument = sync.OnceValues(func() (*document, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(loader.Context, openapi3.EnableExamplesValidation()); err != nil {
		return nil, err
	}
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/calendar", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/javascript", openapi3filter.PlainBodyDecoder)
	router, err := gorillamux.NewRouter(doc)
	return &document{doc: doc, router: router, used: map[string]bool{}}, err
})

// check holds an exchange against the document: the answer always, and the
// request where the server found nothing wrong with it.
func (d *document) check(t testing.TB, request *http.Request, sent []byte, a answer) {
	t.Helper()
	if request.Method == http.MethodHead || request.Method == http.MethodOptions {
		return
	}
	plain := request.Clone(context.Background())
	plain.URL.Scheme, plain.URL.Host = "", ""
	if len(plain.URL.Path) > 1 {
		plain.URL.Path = strings.TrimSuffix(plain.URL.Path, "/")
	}
	plain.Body = io.NopCloser(bytes.NewReader(sent))
	route, parameters, err := d.router.FindRoute(plain)
	if err != nil {
		if a.status < 400 {
			t.Errorf("%s %s is not in openapi.yaml, but answers %d", request.Method, request.URL.Path, a.status)
		}
		return
	}
	d.mu.Lock()
	d.used[fmt.Sprint(route.Operation.OperationID, " ", a.status)] = true
	d.mu.Unlock()
	if body := route.Operation.RequestBody; body != nil && body.Value.Content.Get(plain.Header.Get("Content-Type")) == nil &&
		regexp.MustCompile(`(?i)^application/[^;]+\+json\b`).MatchString(plain.Header.Get("Content-Type")) {
		plain.Header.Set("Content-Type", "application/json") // as info.description says
	}
	options := &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	input := &openapi3filter.RequestValidationInput{Request: plain, PathParams: parameters, Route: route, Options: options}
	if a.status < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			t.Errorf("%s %s was accepted, but the document says: %v", request.Method, request.URL.Path, err)
		}
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: a.status, Header: a.header,
		Body: io.NopCloser(strings.NewReader(a.text)), Options: options,
	})
	if err != nil {
		t.Errorf("%s %s answers what the document does not know: %v", request.Method, request.URL.Path, err)
	}
}

// TestMain looks, after all tests have passed, for what is documented and was
// never seen.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.list").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" {
		if unused := unusedOfDocument(); len(unused) > 0 {
			fmt.Printf("openapi.yaml documents what no test has seen:\n  %s\n", strings.Join(unused, "\n  "))
			code = 1
		}
	}
	os.Exit(code)
}

func unusedOfDocument() []string {
	d, err := loadDocument()
	if err != nil {
		return []string{err.Error()}
	}
	unused := d.unused(func(string) bool { return true })
	if !storetest.IsSQLite() { // only there is a developer's server
		return unused
	}
	if developers == nil {
		return append(unused, "all that is for developers")
	}
	return append(unused, developers.unused(func(path string) bool { return strings.HasPrefix(path, "/dev/") })...)
}

// unused returns what of some paths was never seen.
func (d *document) unused(of func(path string) bool) (unused []string) {
	for path, item := range d.doc.Paths.Map() {
		if !of(path) {
			continue
		}
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if status != "default" && !d.used[operation.OperationID+" "+status] {
					unused = append(unused, method+" "+path+" "+status)
				}
			}
		}
	}
	return unused
}

// documentedPath is the path of a route as the document writes it.
func documentedPath(pattern string) string {
	path := regexp.MustCompile(`:([a-z_]+)`).ReplaceAllString(pattern, "{$1}")
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

func TestEveryRouteIsDocumented(t *testing.T) {
	d, err := loadDocument()
	must(t, err)
	server, err := api.New(api.Config{})
	must(t, err)
	for _, route := range server.Routes() {
		path := documentedPath(route[1])
		item := d.doc.Paths.Value(path)
		if item == nil || item.GetOperation(route[0]) == nil {
			t.Errorf("%s %s is not documented", route[0], path)
		}
	}
}

// A PUT changes what it names and leaves the rest, as a PATCH does: its name
// must not promise more.
func TestNamesOfOperations(t *testing.T) {
	d, err := loadDocument()
	must(t, err)
	seen := map[string]string{}
	for path, item := range d.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			id := operation.OperationID
			if other := seen[id]; id == "" || other != "" {
				t.Errorf("%s %s is called %q, as %q is", method, path, id, other)
			}
			seen[id] = method + " " + path
			if prefix := map[string]string{"PUT": "update", "PATCH": "patch"}[method]; !strings.HasPrefix(id, prefix) || prefix == "" && strings.HasPrefix(id, "update") {
				t.Errorf("%s %s is called %s", method, path, id)
			}
		}
	}
}

func TestTheDocumentIsServed(t *testing.T) {
	s := start(t)
	a := s.call("GET", "/openapi.json", "", "")
	if a.status != 200 || a.str("info.version") != "test" || a.str("openapi") != "3.1.0" {
		t.Errorf("%d %.100s", a.status, a.text)
	}
	text := s.load("GET", "/openapi.yaml")
	if text.header.Get("Content-Type") != "application/yaml; charset=utf-8" || !strings.Contains(text.text, "\n  version: 'test'\n") {
		t.Errorf("%v %.100s", text.header, text.text)
	}
	request, err := http.NewRequest("GET", s.url+"/openapi.yaml", nil)
	must(t, err)
	d, err := loadDocument()
	must(t, err)
	d.check(t, request, nil, text)
}

// TestEveryLimitAnswers429 asks each limited route more often than it allows.
func TestEveryLimitAnswers429(t *testing.T) {
	s := limitedServer(t)
	for _, route := range [][2]string{
		{"POST", "/auth/register"}, {"POST", "/users"}, {"POST", "/auth/login"}, {"POST", "/auth/refresh"}, {"POST", "/auth/logout"},
		{"POST", "/auth/password/forgot"}, {"POST", "/auth/email/resend"}, {"POST", "/auth/password/reset"}, {"POST", "/auth/email/verify"},
	} {
		limited := false
		for range 300 {
			if a := s.call(route[0], route[1], "", `{}`); a.status == 429 {
				limited = true
				break
			}
		}
		if !limited {
			t.Errorf("%s %s is not limited", route[0], route[1])
		}
	}
	for _, route := range [][3]string{
		{"PUT", "/users/1", `{}`}, {"PATCH", "/users/1", `{}`}, {"DELETE", "/users/1", `{"current_password":5}`}, {"POST", "/auth/tokens", `{}`},
		{"PUT", "/users/me", `{}`}, {"PATCH", "/users/me", `{}`}, {"DELETE", "/users/me", `{"current_password":5}`},
	} {
		other := start(t, func(p *parts) { p.api.Limiter = &app.Limiter{Now: s.clock.Now, Max: 1000} })
		ann := other.signUp("ann")
		limited := false
		for range 300 {
			if a := other.call(route[0], route[1], ann.access, route[2]); a.status == 429 {
				limited = true
				break
			}
		}
		if !limited {
			t.Errorf("%s %s is not limited", route[0], route[1])
		}
	}
}
