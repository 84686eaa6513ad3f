package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"taskapi/app/api"
)

// spelled sends a request whose path is exactly this text, and returns the status
// and the body.
func (s *server) spelled(method, path, token, body string) (int, string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(s.t, err)
	must(s.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", method, path, len(body))
	if token != "" {
		head += "Authorization: Bearer " + token + "\r\n"
	}
	_, err = io.WriteString(conn, head+"\r\n"+body)
	must(s.t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	must(s.t, err)
	text, err := io.ReadAll(response.Body)
	must(s.t, err)
	must(s.t, response.Body.Close())
	must(s.t, conn.Close())
	return response.StatusCode, string(text)
}

// escaped writes every character of a path but its slashes as an escape.
func escaped(path, format string) string {
	var out strings.Builder
	for _, char := range []byte(path) {
		if char == '/' {
			out.WriteByte(char)
		} else {
			fmt.Fprintf(&out, format, char)
		}
	}
	return out.String()
}

var withoutID = regexp.MustCompile(`"(request_id|date[a-z_]*)":"[^"]*"`)

// Every route answers the same however its address is spelled, and none knows
// an address with an empty segment.
func TestEverySpellingOfAnAddress(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.task(ann, "t")
	paths := map[string][]string{}
	server, err := api.New(api.Config{})
	must(t, err)
	for _, route := range server.Routes() {
		path := strings.ReplaceAll(route[1], ":id", "1")
		if strings.HasPrefix(path, "/events") {
			continue // one has no end, the other never the same answer
		}
		paths[path] = append(paths[path], route[0])
	}
	for _, path := range []string{"/reset-password", "/verify-email", "/docs", "/sw.js", "/manifest.webmanifest", "/favicon.ico"} {
		paths[path] = []string{"GET"}
	}
	// A body that no route does anything on, but each refuses in its own way.
	const body = `[]`
	for path, methods := range paths {
		for _, method := range methods {
			if method == "DELETE" || strings.HasPrefix(path, "/auth/logout") {
				continue // see TestEscapesInWhatChangesSomething
			}
			status, text := s.spelled(method, path, ann.access, body)
			for _, format := range []string{"%%%02x", "%%%02X"} {
				other := escaped(path, format)
				if got, answer := s.spelled(method, other, ann.access, body); got != status || withoutID.ReplaceAllString(answer, "") != withoutID.ReplaceAllString(text, "") {
					t.Errorf("%s %s: %d %.200s, but %s: %d %.200s", method, path, status, text, other, got, answer)
				}
			}
			bare := strings.TrimSuffix(path, "/")
			for _, empty := range []string{bare + "//", bare + "///", "/" + bare + "/", strings.Replace(path, "/", "//", 1)} {
				if got, answer := s.spelled(method, empty, ann.access, body); got != 404 {
					t.Errorf("%s %s: %d %.200s", method, empty, got, answer)
				}
			}
		}
	}
}

func TestEscapesAreDecodedOnce(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	task := s.task(ann, "t")
	for path, want := range map[string]string{
		"/tasks/%31": "200", "/%74asks/%31": "200", "/%74%61%73%6B%73": "200", "/%74%61%73%6b%73/": "200", "/tasks/%31/": "200",
		"/%75sers/%31": "200", "/users/1/%61udit": "200", "http://elsewhere/tasks/%31": "200",
		"/tasks/%2531": "task_not_found", "/tasks/%25%33%31": "task_not_found", "/tasks/%252531": "task_not_found",
		"/tasks/1%2F": "task_not_found", "/tasks/%2F1": "task_not_found", "/tasks%2F1": "not_found", "/tasks%2f1": "not_found", "/tasks/1%252F": "task_not_found",
		"/users%2F1%2Faudit": "not_found", "/users/1%2Faudit": "user_not_found", "%2Ftasks/1": "not_found",
		"/tasks/%zz": "task_not_found", "/tasks/%": "task_not_found", "/tasks/%3": "task_not_found", "/tasks/1%": "task_not_found",
		"/tasks/1%00": "task_not_found", "/tasks/%ff": "task_not_found", "/tasks/%0d%0aX:1": "task_not_found", "/tasks/1%3Fpage=2": "task_not_found", "/tasks/1%23": "task_not_found",
		"/tasks/%2e%2e/users": "not_found", "/tasks/%2e": "task_not_found", "/tasks/+1": "task_not_found", "/%54asks/": "not_found",
	} {
		status, text := s.spelled("GET", strings.ReplaceAll(path, "%31", fmt.Sprintf("%%3%d", task)), ann.access, "")
		if want == "200" && status != 200 || want != "200" && (status != 404 && status != 400 || status == 404 && !strings.Contains(text, `"code":"`+want+`"`)) {
			t.Errorf("%s: %d %s, want %s", path, status, text, want)
		}
	}
}

func TestEscapesInWhatChangesSomething(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	task := s.task(ann, "t")
	for _, c := range [][3]string{
		{"PATCH", fmt.Sprintf("/t%%61sks/%%3%d", task), `{"title":"u"}`},
		{"DELETE", fmt.Sprintf("/t%%61sks/%%3%d", task), ""},
		{"DELETE", "/auth/%73essions/" + escaped(sessionOf(t, ann), "%%%02X"), ""},
	} {
		if status, text := s.spelled(c[0], c[1], ann.access, c[2]); status != 200 {
			t.Errorf("%s %s: %d %s", c[0], c[1], status, text)
		}
	}
	// A smaller limit can't be spelled away.
	big := `{"x": "` + strings.Repeat("x", 20<<10) + `"}`
	for _, path := range []string{"/%61uth/login", "/auth%2flogin", "/%75sers/", "/user%73"} {
		if status, text := s.spelled("POST", path, "", big); status != 413 && status != 404 {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestNoPathLeadsOutOfTheStaticFiles(t *testing.T) {
	s := start(t)
	page := s.load("GET", "/", "Accept", "text/html", "Accept-Encoding", "identity")
	asset := regexp.MustCompile(`(/static/[^/"]+/)app\.css`).FindStringSubmatch(page.text)
	if asset == nil {
		t.Fatal(page.text)
	}
	for _, path := range []string{asset[0], asset[1] + "app%2Ecss", asset[1] + "%61pp.css", "/st%61tic" + strings.TrimPrefix(asset[0], "/static")} {
		if status, _ := s.spelled("GET", path, "", ""); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	for _, name := range []string{
		"../embed.go", "..%2Fembed.go", "%2e%2e%2fembed.go", "%2e%2e/embed.go", "..%5cembed.go", "%252e%252e%252fembed.go", "..%2Fmail%2Flayout.html",
		"../mail/layout.html", ".", "..", "%2e%2e", "%2F", "%2Fetc%2Fpasswd", "%00", "app.css%00", "app.css%2F", "app.css%2Fx", "./app.css", ".%2Fapp.css",
		"app.css%3Fx", "app%252Ecss", "/app.css", "app.css//",
	} {
		if status, text := s.spelled("GET", asset[1]+name, "", ""); status != 404 && status != 400 {
			t.Errorf("%s: %d %.100s", name, status, text)
		}
	}
}
