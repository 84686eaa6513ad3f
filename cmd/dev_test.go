package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"taskapi/app/dev"
)

// startDev runs `taskapi dev` on a free port, with temporary files in ./tmp.
func startDev(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	folder(t)
	if err := os.Mkdir("tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	tmp, err := filepath.Abs("tmp")
	if err != nil {
		t.Fatal(err)
	}
	return startProcess(t, append([]string{"TMPDIR=" + tmp}, environ...), append([]string{"dev", "--addr=127.0.0.1:0"}, args...))
}

// firstPerson returns the address of the admin.
func (p *process) firstPerson() string {
	p.t.Helper()
	_, answer := p.call("GET", "/dev/users", "", "")
	return answer["users"].([]any)[0].(map[string]any)["email"].(string)
}

// enter signs the first of the seeded people in.
func (p *process) enter() string {
	p.t.Helper()
	status, answer := p.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":%q,"password":%q}`, p.firstPerson(), dev.Password))
	if status != 200 {
		p.t.Fatal(status, answer)
	}
	return answer["access_token"].(string)
}

// subjects returns those of the mails that were kept, the newest first.
func (p *process) subjects() string {
	p.t.Helper()
	_, answer := p.call("GET", "/dev/mail", "", "")
	text, err := json.Marshal(answer["mails"])
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(regexp.MustCompile(`"subject":"[^"]*"`).FindAllString(string(text), -1), "\n")
}

// From the greeting to the end: sign in, have a token expire, follow a mail, go back.
func TestDev(t *testing.T) {
	// What belongs to another server does not count.
	p := startDev(t, []string{"TASKAPI_ADDR=0.0.0.0:1", "TASKAPI_DATA_DIR=data", "MAIL_SERVER=mail.example.com", "TASKAPI_UNKNOWN=1"}, "--access-ttl=5m", "--users=3", "--tasks=60")
	if !strings.HasPrefix(p.url, "http://localhost:") {
		t.Errorf("it is at %s", p.url)
	}
	token := p.enter()
	all := p.tasks(token)
	if status, _ := p.call("POST", "/tasks/", token, `{"title":"one more"}`); status != 201 || p.tasks(token) != all+1 {
		t.Errorf("%d, and %d tasks after %d", status, p.tasks(token), all)
	}
	// By the clock.
	p.call("POST", "/dev/clock", "", `{"advance":"PT6M"}`)
	if status, answer := p.call("GET", "/tasks/", token, ""); status != 401 || answer["code"] != "token_expired" {
		t.Errorf("after six minutes: %d %v", status, answer)
	}
	// A reminder goes out when it is due by that clock, while it runs fast, too.
	token = p.enter()
	if status, answer := p.call("POST", "/tasks/", token, fmt.Sprintf(`{"title":"Ring","reminders":[{"at":%q}]}`, hourAfter(t, p.now()))); status != 201 {
		t.Fatal(status, answer)
	}
	if strings.Contains(p.subjects(), "Ring") {
		t.Error("the reminder is there at once")
	}
	p.call("POST", "/dev/clock", "", `{"rate":20000}`)
	until(t, "the reminder", func() bool { return strings.Contains(p.subjects(), "Ring") })
	// Back.
	p.call("POST", "/auth/register", "", fmt.Sprintf(`{"username":"ann","email":"ann@example.com","password":%[1]q,"confirm_password":%[1]q}`, plainPassword))
	until(t, "the welcome", func() bool { return strings.Contains(p.subjects(), "Welcome") })
	p.call("POST", "/dev/faults", "", `{"status":503}`)
	if status, answer := p.call("POST", "/dev/reset", "", ""); status != 200 {
		t.Fatal(status, answer)
	}
	if status, _ := p.call("GET", "/tasks/", token, ""); status != 401 {
		t.Errorf("a session of before: %d", status)
	}
	if token = p.enter(); p.tasks(token) != all || p.subjects() != "" || !p.onTime() {
		t.Errorf("%d tasks instead of %d, mails %q, %s", p.tasks(token), all, p.subjects(), p.now())
	}
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
	for _, want := range []string{"dev-password", "/dev/mail", p.firstAddress(), "(removed at the end)"} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("the greeting lacks %q:\n%s", want, p.out.String())
		}
	}
	if log := p.log.String(); !strings.Contains(log, "POST   /dev/reset ") || strings.Contains(log, "error") {
		t.Errorf("the log:\n%s", log)
	}
	if left, err := filepath.Glob("*/*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func (p *process) clock() map[string]any {
	p.t.Helper()
	_, answer := p.call("GET", "/dev/clock", "", "")
	return answer
}

func (p *process) now() string { p.t.Helper(); return p.clock()["now"].(string) }

// onTime reports whether the clock shows the real time.
func (p *process) onTime() bool {
	p.t.Helper()
	c := p.clock()
	return c["rate"] == 1.0 && c["now"].(string)[:16] == c["real"].(string)[:16]
}

// firstAddress is the one that the greeting names first.
func (p *process) firstAddress() string {
	return dev.Seed{Number: 1, Users: 1, Language: "en"}.People()[0].Email
}

// A folder that is kept goes on with the same people; one that anything else is in is refused.
func TestTheFolderOfDev(t *testing.T) {
	p := startDev(t, nil, "--keep", "--users=2", "--tasks=10", "--language=es", "--now=2026-03-01T09:00:00Z")
	if now := p.now(); !strings.HasPrefix(now, "2026-03-01T09:0") {
		t.Errorf("the clock began at %s", now)
	}
	first, token := p.firstPerson(), p.enter()
	p.call("POST", "/tasks/", token, `{"title":"one more"}`)
	all := p.tasks(token)
	p.call("POST", "/dev/snapshot", "", `{"name":"later"}`)
	p.stop(syscall.SIGTERM)
	kept, err := filepath.Glob("tmp/taskapi-dev-*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept: %v %v", kept, err)
	}
	again := startProcess(t, nil, []string{"dev", "--addr=127.0.0.1:0", "--data-dir=" + kept[0]})
	if again.firstPerson() != first || again.tasks(again.enter()) != all {
		t.Errorf("%s with %d tasks, and before %s with %d", again.firstPerson(), again.tasks(again.enter()), first, all)
	}
	for _, back := range []struct {
		body string
		want int
	}{{`{"snapshot":"later"}`, all}, {`{}`, all - 1}} {
		if status, answer := again.call("POST", "/dev/reset", "", back.body); status != 200 || again.tasks(again.enter()) != back.want {
			t.Errorf("%s: %d %v, %d tasks", back.body, status, answer, again.tasks(again.enter()))
		}
	}
	again.stop(syscall.SIGTERM)
	if _, err := os.Stat(kept[0]); err != nil {
		t.Error(err)
	}
	world{}.taskapi(t, "dev", "--addr=127.0.0.1:0", "--users=7", "--data-dir="+kept[0]).expect(t, exitUsage, "is seeded already")
	world{}.taskapi(t, "serve", "--addr=127.0.0.1:0", "--data-dir="+kept[0]).expect(t, exitFailed, "everybody knows the passwords")
	entries, err := os.ReadDir(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may read %s (%v)", entry.Name(), err)
		}
	}
	served := start(t, nil)
	served.stop(syscall.SIGTERM)
	before := files(t)
	world{}.taskapi(t, "dev", "--addr=127.0.0.1:0", "--data-dir=data").expect(t, exitFailed, "taskapi serve", "--data-dir")
	if files(t) != before {
		t.Errorf("in the folder: %s, before: %s", files(t), before)
	}
}

func TestDevRefuses(t *testing.T) {
	folder(t)
	t.Setenv("TMPDIR", t.TempDir())
	for _, c := range []struct{ args, want string }{
		{"--addr=:8000", "--beyond-loopback"}, {"--addr=0.0.0.0:8000", "--beyond-loopback"}, {"--addr=192.0.2.1:8000", "--beyond-loopback"}, {"--addr=[::]:8000", "--beyond-loopback"},
		{"--addr=unix:/tmp/x", "--beyond-loopback"}, {"--addr=example.com:8000", "--beyond-loopback"},
		{"--users=0", "--users"}, {"--users=1001", "--users"}, {"--tasks=-1", "--tasks"}, {"--tasks=100001", "--tasks"}, {"--language=fr", "en or es"}, {"--seed=x", "seed"}, {"--now=today", "--now"},
		{"--mail-server=m", "unknown flag"}, {"--access-ttl=0s", "access-ttl"}, {"more", "is not a command"},
	} {
		world{}.taskapi(t, "dev", c.args).expect(t, exitUsage, c.want)
	}
	// An address that can't be had leaves nothing behind.
	world{}.taskapi(t, "dev", "--addr=192.0.2.1:1", "--beyond-loopback").expect(t, exitFailed, "192.0.2.1")
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A server that people use has nothing of dev, whatever is asked of it.
func TestServeHasNothingOfDev(t *testing.T) {
	folder(t)
	p := start(t, nil)
	for _, route := range []string{
		"GET /dev/users", "GET /dev/clock", "POST /dev/clock", "GET /dev/faults", "POST /dev/faults", "DELETE /dev/faults", "DELETE /dev/faults/1",
		"GET /dev/mail", "DELETE /dev/mail", "POST /dev/reset", "GET /dev/snapshot", "POST /dev/snapshot", "GET /dev",
	} {
		method, path, _ := strings.Cut(route, " ")
		if status, answer := p.call(method, path, "", `{}`); status != 404 {
			t.Errorf("%s: %d %v", route, status, answer)
		}
	}
	request, err := http.NewRequest("OPTIONS", p.url+"/tasks/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "http://localhost:5173")
	request.Header.Set("Access-Control-Request-Method", "POST")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	if h := response.Header; h.Get("Access-Control-Allow-Credentials") != "" || strings.Contains(h.Get("Access-Control-Allow-Headers"), "X-Dev") {
		t.Errorf("%v", h)
	}
	if status, _ := p.call("GET", "/?_status=503&_drop=before", "", ""); status != 200 {
		t.Errorf("trouble was made: %d", status)
	}
}

func TestLinesForDevelopers(t *testing.T) {
	show := func(colours bool, do func(log *slog.Logger)) string {
		var out bytes.Buffer
		r := rehearsal{people: []dev.Person{{ID: 3, Username: "Ann Archer"}}}
		do(slog.New(r.lines(&out, slog.LevelInfo, colours)))
		line := strings.TrimSuffix(out.String(), "\n")
		if line == "" {
			return ""
		}
		return line[len("15:04:05  "):]
	}
	request := func(status int, user int64, path, fault string) func(*slog.Logger) {
		return func(log *slog.Logger) {
			log.LogAttrs(context.Background(), slog.LevelInfo, "request", slog.String("method", "GET"), slog.String("route", "/tasks/:id"), slog.Int("status", status),
				slog.Float64("duration_ms", 3.14), slog.Int64("user_id", user), slog.String("request_id", "x"), slog.String("path", path), slog.String("fault", fault))
		}
	}
	for _, c := range []struct {
		got, want string
	}{
		{show(false, request(200, 3, "/tasks/1", "")), "GET    /tasks/1                             200     3.1 ms  Ann Archer"},
		{show(false, request(404, 9, "/tasks/1\x1b[2J\n", "")), "GET    /tasks/1 [2J                         404     3.1 ms  user 9"},
		{show(false, request(503, 0, "/", "delay, status")), "GET    /                                    503     3.1 ms    [delay, status]"},
		{show(false, request(200, 0, "/", "drop before")), "GET    /                                    ---     3.1 ms    [drop before]"},
		{show(true, request(503, 0, "/", "")), "GET    /                                    \x1b[31m503\x1b[0m     3.1 ms"},
		{show(false, func(log *slog.Logger) { log.With("a", 1).Warn("careful", "b", "x\ny") }), "warn  careful  a=1  b=x y"},
		{show(false, func(log *slog.Logger) { log.Debug("nothing") }), ""},
	} {
		if c.got != c.want {
			t.Errorf("got  %q\nwant %q", c.got, c.want)
		}
	}
}

// hourAfter is an hour after a moment of RFC 3339.
func hourAfter(t *testing.T, text string) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.Add(time.Hour).Format(time.RFC3339)
}
