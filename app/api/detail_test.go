package api_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// notJSON are texts that are no JSON object, and what is told of them.
func notJSON() map[string]string {
	long := strings.Repeat("ä", 200)
	return map[string]string{
		"": "The body is empty.", " \n\t": "The body is empty.",
		"[]": "The body is an array; it must be an object.", "[{}]": "The body is an array; it must be an object.", "[": "The body is an array; it must be an object.",
		`"{}"`: "The body is a string; it must be an object.", "5": "The body is a number; it must be an object.", "-1e9": "The body is a number; it must be an object.",
		"true": "The body is a boolean; it must be an object.", "false": "The body is a boolean; it must be an object.", " null ": "The body is null; it must be an object.",
		"{} {}": "There is more text after the object.", `{"a":1}[]`: "There is more text after the object.",
		`{"title":"x","title":"y"}`:                 `The name "title" appears twice in one object.`,
		`{"a":{"b":1,"b":2}}`:                       `The name "b" appears twice in one object.`,
		`{"a~/\"b":1,"a~/\"b":1}`:                   `The name "a~/"b" appears twice in one object.`,
		`{"a":1,"\u0061":2}`:                        `The name "a" appears twice in one object.`,
		`{"":1,"":2}`:                               `The name "" appears twice in one object.`,
		`{"\n\u202e":1,"\n\u202e":2}`:               "The name \"\ufffd\ufffd\" appears twice in one object.",
		`{"` + long + `":1,"` + long + `":2}`:       `The name "` + long[:198] + `…" appears twice in one object.`,
		"\ufeff{}":                                  "The text begins with a byte order mark; leave it out.",
		"\xff\xfe{\x00}\x00":                        "The text is not UTF-8 at line 1, column 1.",
		"{\n\"ää\": \"\xff\"}":                      "The text is not UTF-8 at line 2, column 8.",
		"{\"title\": \"\xed\xa0\x80\"}":             "The text is not UTF-8 at line 1, column 12.",
		"{":                                         "The text ends too early: something is still open.",
		`{"title": `:                                "The text ends too early: something is still open.",
		`{"title": "x`:                              "The text ends too early: something is still open.",
		`{"title": "\u12`:                           "The text ends too early: something is still open.",
		`{"title"`:                                  "The text ends too early: something is still open.",
		`{"a":{}`:                                   "The text ends too early: something is still open.",
		`{"title":"\ud800"}`:                        "The text has half of a surrogate pair at line 1, column 11.",
		`{"title":"\uDC00\uD800"}`:                  "The text has half of a surrogate pair at line 1, column 11.",
		`{"a":` + strings.Repeat("[", 3000):         "The text nests deeper than 16 levels.",
		`{"a":` + strings.Repeat(`{"b":`, 20) + "1": "The text nests deeper than 16 levels.",
		`{user: 1}`:                                 "The text is not JSON at line 1, column 2.",
		`{"a": 1,}`:                                 "The text is not JSON at line 1, column 8.",
		"{\n  \"ä\": 'b'}":                          "The text is not JSON at line 2, column 8.",
		`{"a": NaN}`:                                "The text is not JSON at line 1, column 7.",
		"title=x&completed=1":                       "The text is not JSON at line 1, column 2.",
		"<title>x</title>":                          "The text is not JSON at line 1, column 1.",
		"{\"a\": \"b\nc\"}":                         "The text is not JSON at line 1, column 9.",
		`{"a": "` + strings.Repeat("secret ", 50) + "\t": "",
	}
}

func TestWhatIsWrongWithABodyIsTold(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	task := s.task(ann, "t")
	for _, route := range withBody(ann.id, task) {
		for body, want := range notJSON() {
			a := s.call(route[0], route[1], ann.access, body)
			if body == "" {
				a = s.with(route[0], route[1], "", "Content-Type", "application/json", "Authorization", "Bearer "+ann.access)
			}
			detail := a.str("detail")
			if a.status != 400 || a.str("error") != "Request body must be JSON." || a.str("code") != "invalid_json" || want != "" && detail != want || detail == "" {
				t.Errorf("%s %s with %.60q: %d %s, want %s", route[0], route[1], body, a.status, a.text, want)
			}
			if utf8.RuneCountInString(detail) > 150 || strings.Contains(detail, "secret") {
				t.Errorf("%.60q: that is too much: %s", body, detail)
			}
		}
	}
	for _, path := range []string{"/auth/logout-all", fmt.Sprint("/users/", ann.id)} {
		method := map[bool]string{true: "POST", false: "DELETE"}[strings.HasPrefix(path, "/auth")]
		if a := s.call(method, path, ann.access, "[]"); a.str("detail") != "The body is an array; it must be an object." {
			t.Errorf("%s %s: %s", method, path, a.text)
		}
	}
	if a := s.call("POST", "/tasks/", ann.access, `{}`); a.at("detail") != nil {
		t.Errorf("a detail of something else: %s", a.text)
	}
}

func TestWhichContentTypeWasWrongIsTold(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	const want = "it must be application/json or another application/*+json."
	for contentType, is := range map[string]string{
		"": "There is no Content-Type; ", "text/plain": `The Content-Type is "text/plain"; `, "application/x-www-form-urlencoded": `The Content-Type is "application/x-www-form-urlencoded"; `,
		"application/json; =": `The Content-Type is "application/json; ="; `, "text/" + strings.Repeat("x", 500): `The Content-Type is "text/` + strings.Repeat("x", 94) + `…"; `,
	} {
		for _, route := range withBody(ann.id, 1) {
			a := s.with(route[0], route[1], `{"title":"t"}`, "Content-Type", contentType, "Authorization", "Bearer "+ann.access)
			if a.status != 400 || a.str("detail") != is+want {
				t.Errorf("%s %s: %d %s", route[0], route[1], a.status, a.text)
			}
		}
	}
}

// However a text is cut or spoiled, something is told, and never a lie of an end
// that is there.
func TestSpoiledBodies(t *testing.T) {
	s := start(t)
	const body = "{\"email\": \"änn@example.com\",\n \"password\": [1, {\"x\": null}], \"cookie\": true}"
	for i := range body {
		for name, text := range map[string]string{"cut": body[:i], "spoiled": body[:i] + "\x01" + body[i+1:]} {
			a := s.with("POST", "/auth/login", text, "Content-Type", "application/json")
			ends := strings.Contains(a.str("detail"), "ends too early")
			if a.status != 400 || a.str("detail") == "" || ends != (name == "cut" && i > 0) {
				t.Errorf("%s at %d: %d %s", name, i, a.status, a.text)
			}
		}
	}
}
