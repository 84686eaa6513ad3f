package api_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"taskapi/app/api"
)

// Every route refuses what its row of the table does not name, and the document
// names the same.
func TestEveryRouteKnowsItsParameters(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	d, err := loadDocument()
	must(t, err)
	server, err := api.New(api.Config{})
	must(t, err)
	for route, names := range server.Queries() {
		method, pattern, _ := strings.Cut(route, " ")
		var documented []string
		for _, parameter := range d.doc.Paths.Value(documentedPath(pattern)).GetOperation(method).Parameters {
			if parameter.Value.In == "query" {
				documented = append(documented, parameter.Value.Name)
			}
		}
		if pattern == "/" {
			continue // the page's address
		}
		if slices.Sort(documented); !slices.Equal(documented, slices.Sorted(slices.Values(names))) {
			t.Errorf("%s takes %v, but the document says %v", route, names, documented)
		}
		path := regexp.MustCompile(`:[a-z_]+`).ReplaceAllString(pattern, "1")
		queries := []string{"complted=1", "complted", "x=1&_=2", "%63omplted=1", "=1", "page[]=1", "Page=1", "a%00b=1", "%ff=1"}
		for _, name := range names {
			queries = append(queries, name+"=1&nope=1", name+"[]=1", name+"%20=1")
		}
		for _, name := range names {
			if slices.Contains([]string{"list_id", "label", "priority"}, name) {
				continue
			}
			for _, query := range []string{name + "=1&" + name + "=1", name + "=1&" + name} {
				if a := s.call(method, path+"?"+query, ann.access, ""); a.status != 400 || a.str("code") != "invalid_parameter" {
					t.Errorf("%s?%s: %d %s", route, query, a.status, a.text)
				}
			}
		}
		for _, query := range queries {
			if a := s.call(method, path+"?"+query, ann.access, ""); a.status != 400 || a.str("code") != "unknown_parameter" {
				t.Errorf("%s?%s: %d %s", route, query, a.status, a.text)
			}
		}
	}
}

// takesAll names all parameters of the list of tasks.
const takesAll = "this address takes page, per_page, after, user_id, list_id, scope, completed, priority, label, assignee_id, parent_id, due_before, due_after, updated_after, completed_after, completed_before, view, q, trash, sort and time_zone."

func TestWhatAnUnknownParameterIsTold(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	long := strings.Repeat("x", 5000)
	for query, want := range map[string]string{
		"pgae=2":          `There is no parameter "pgae"; did you mean "page"?`,
		"page[]=1":        `There is no parameter "page[]"; did you mean "page"?`,
		"per-page=1":      `There is no parameter "per-page"; did you mean "per_page"?`,
		"perpage=1":       `There is no parameter "perpage"; did you mean "per_page"?`,
		"userid=1":        `There is no parameter "userid"; did you mean "user_id"?`,
		"äfter=1":         `There is no parameter "äfter"; did you mean "after"?`,
		"limit=1":         `There is no parameter "limit"; ` + takesAll + ``,
		"page=1&page=2":   `The parameter "page" appears more than once.`,
		"after=1&after=1": `The parameter "after" appears more than once.`,
		"page=1;page=2":   "",
		long + "=1":       `There is no parameter "` + long[:99] + `…"; ` + takesAll + ``,
	} {
		a := s.call("GET", "/tasks/?"+query, ann.access, "")
		if a.status != 400 || want != "" && a.str("error") != want || !utf8.ValidString(a.str("error")) {
			t.Errorf("%.80s: %d %s", query, a.status, a.text)
		}
	}
	for path, want := range map[string]string{
		"/tasks/1?page=1":        `There is no parameter "page"; this address takes none.`,
		"/auth/tokens?after=1":   `There is no parameter "after"; this address takes page and per_page.`,
		"/users/1/audit?after=1": `There is no parameter "after"; this address takes page and per_page.`,
	} {
		if a := s.call("GET", path, ann.access, ""); a.status != 400 || a.str("error") != want {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if a := s.call("GET", "/tasks/?nope=1", "", ""); a.status != 401 {
		t.Errorf("whoever is not signed in learns of parameters: %d %s", a.status, a.text)
	}
	if a := s.call("HEAD", "/tasks/?nope=1", ann.access, ""); a.status != 400 {
		t.Errorf("HEAD: %d", a.status)
	}
	if a := s.call("DELETE", fmt.Sprint("/tasks/", s.task(ann, "t"), "?really=1"), ann.access, ""); a.status != 400 {
		t.Errorf("DELETE: %d %s", a.status, a.text)
	}
	if a := s.call("GET", "/tasks/", ann.access, ""); a.id("pagination.total") != 1 {
		t.Errorf("a request that was refused did something: %s", a.text)
	}
}

func TestParametersThatAreNobodys(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for _, path := range []string{"/tasks/?_=1", "/tasks/?_=1&_=2&page=1", "/tasks/?_ts=1&_ts=2", "/tasks/?", "/tasks/?&", "/tasks/?&&page=1&", "/healthz?_=1", "/users/1?_nocache", "/tasks/?%5F=1"} {
		if a := s.call("GET", path, ann.access, ""); a.status != 200 {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	page := s.load("GET", "/", "Accept", "text/html", "Accept-Encoding", "identity").text
	_, asset, _ := strings.Cut(page, `src="`)
	asset, _, _ = strings.Cut(asset, `"`)
	for _, path := range []string{"/", "/docs", "/reset-password", "/verify-email", "/sw.js", "/manifest.webmanifest", "/favicon.ico", asset} {
		if a := s.load("GET", path+"?utm_source=mail&utm_source=mail&x[]=1"); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
}

// Where the tutorial's clients must go on, nobody is told of a parameter.
func TestParametersAsInTheTutorial(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Tutorial = true })
	ann := s.signUp("ann")
	s.task(ann, "t")
	for _, path := range []string{"/tasks/?nope=1", "/tasks/?page=1&page=2", "/tasks/?page[]=1", "/tasks/1?x", "/users/1?page=9", "/healthz?x=1", "/auth/tokens?after=1"} {
		if a := s.call("GET", path, ann.access, ""); a.status != 200 {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if a := s.call("GET", "/tasks/?page=0", ann.access, ""); a.status != 400 || a.str("code") != "invalid_pagination" {
		t.Errorf("%d %s", a.status, a.text)
	}
}
