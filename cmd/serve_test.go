package cmd

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"taskapi/app/mailer/mailertest"
)

func TestEmptyFolder(t *testing.T) {
	folder(t)
	p := start(t, nil)
	for name, want := range map[string]os.FileMode{"data": 0o700, "data/secret.key": 0o600, "data/taskapi.db": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	token := p.signUp()["access_token"].(string)
	if code := p.stop(os.Interrupt); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, p.log.String())
	}
	if text := p.out.String(); !strings.Contains(text, p.url+"/docs") || !strings.Contains(text, "taskapi user add --admin EMAIL --data-dir data\n") {
		t.Errorf("a newcomer reads %q", text)
	}
	if got := files(t); got != "public-url secret.key taskapi.db taskapi.lock" {
		t.Errorf("left in the data folder: %s", got)
	}
	// The key is kept: who was signed in still is.
	p = start(t, nil)
	if status, answer := p.call("GET", "/users/1", token, ""); status != 200 || answer["username"] != "ann" {
		t.Error(status, answer)
	}
}

// Each of these ends in one sentence that says what to do.
func TestStartsThatFail(t *testing.T) {
	folder(t)
	p := start(t, nil)
	addr := strings.TrimPrefix(p.url, "http://")
	world{}.taskapi(t, "serve", "--data-dir=data", "--addr=127.0.0.1:0").expect(t, exitFailed, "a server is using this data folder", "stop that server first")
	world{}.taskapi(t, "serve", "--data-dir=other", "--addr="+addr).expect(t, exitFailed, "another program is already listening on "+addr, "--addr")
	world{}.taskapi(t, "serve", "--data-dir=other", "--addr=192.0.2.1:8000").expect(t, exitFailed, "can't be listened on", "--addr")
	if _, err := os.Stat("other"); err == nil {
		t.Error("a start that failed has left a folder")
	}
	world{}.taskapi(t, "db", "reset", "--yes", "--data-dir=data").expect(t, exitFailed, "a server is using this data folder")
	// What changes users works beside a server.
	world{in: goodPassword}.taskapi(t, "user", "add", "ann@example.com", "--data-dir=data").expect(t, exitOK)
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, p.log.String())
	}

	// The two numbers stand in SQLite's header (file format, 1.3).
	whole, err := os.ReadFile("data/taskapi.db")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(file []byte)
		want   []string
	}{
		{func(file []byte) { binary.BigEndian.PutUint32(file[60:], 999) }, []string{"made by a newer version of taskapi", "install that version or restore a backup"}},
		{func(file []byte) { binary.BigEndian.PutUint32(file[68:], 7) }, []string{"belongs to another program", "--data-dir"}},
		{func(file []byte) { copy(file, "not a database") }, []string{"is not a database", "taskapi db reset"}},
	} {
		file := append([]byte(nil), whole...)
		c.change(file)
		writeFile(t, "data/taskapi.db", string(file))
		got := world{}.taskapi(t, "serve", "--data-dir=data", "--addr=127.0.0.1:0").expect(t, exitFailed, c.want...)
		if strings.Count(got.err, "\n") != 1 {
			t.Errorf("not one line: %q", got.err)
		}
		if now, err := os.ReadFile("data/taskapi.db"); err != nil || string(now) != string(file) {
			t.Errorf("the file was changed (%v)", err)
		}
	}
}

// What a folder in use has lost is not made anew in silence.
func TestLossesAreNoticed(t *testing.T) {
	data := folder(t)
	p := start(t, nil)
	world{}.taskapi(t, "db", "backup", "good.db", data).expect(t, exitOK)
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Fatal(code)
	}
	writeFile(t, "data/taskapi.db", "")
	for _, command := range []string{"serve", "db init", "user list"} {
		world{}.taskapi(t, append(strings.Fields(command), data)...).expect(t, exitFailed, "is empty, and it was not; restore a backup")
	}
	world{}.taskapi(t, "db", "reset", "--yes", data).expect(t, exitOK)
	writeFile(t, "data/taskapi.db", "")
	world{}.taskapi(t, "db", "restore", "good.db", "--yes", data).expect(t, exitOK)
	p = start(t, nil)
	if code := p.stop(syscall.SIGTERM); code != exitOK || strings.Contains(p.log.String(), "is gone") {
		t.Error(code, p.log.String())
	}
	for _, name := range []string{"data/taskapi.db", "data/secret.key"} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	p = start(t, nil, "--trusted-proxies=0.0.0.0/0")
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Error(code)
	}
	for _, want := range []string{"the database is gone and a new one is made", "the key of the tokens is gone", "every address is a trusted proxy"} {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("no %q in\n%s", want, p.log.String())
		}
	}
}

// A request under way is answered before the end, and nothing is left of the
// write-ahead log.
func TestGracefulStop(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		folder(t)
		p := start(t, nil)
		token := p.signUp()["access_token"].(string)
		body := `{"title":"under way"}`
		conn := p.dial()
		conn.send(fmt.Sprintf("POST /tasks/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body[:5]))
		// Another request has been answered: the one above was read before.
		if status, _ := p.call("GET", "/tasks/", token, ""); status != 200 {
			t.Fatal(status)
		}
		if err := p.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		// The port is closed first; until then the rest would be no proof.
		for {
			probe, err := net.Dial("tcp", conn.RemoteAddr().String())
			if err != nil {
				break
			}
			_ = probe.Close()
		}
		conn.send(body[5:])
		if answer := conn.rest(); !strings.HasPrefix(answer, "HTTP/1.1 201") || !strings.Contains(answer, "under way") {
			t.Errorf("%v: %s", signal, answer)
		}
		if code := p.wait(); code != exitOK {
			t.Errorf("%v: exit code %d\n%s", signal, code, p.log.String())
		}
		if got := files(t); got != "public-url secret.key taskapi.db taskapi.lock" {
			t.Errorf("left in the data folder: %s", got)
		}
	}
}

// connection is one to the server, below HTTP.
type connection struct {
	net.Conn
	t testing.TB
}

func (p *process) dial() connection {
	p.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	return connection{conn, p.t}
}

func (c connection) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// rest reads until the server closes the connection.
func (c connection) rest() string {
	c.t.Helper()
	text, err := io.ReadAll(c)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// Every write that was answered is there after a kill in the middle of 64
// parallel ones, and every task is whole.
func TestKillLosesNothingAnswered(t *testing.T) {
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	token := p.signUp()["access_token"].(string)
	var answered sync.Map
	enough := make(chan struct{}, 64)
	var writers sync.WaitGroup
	for w := range 64 {
		writers.Go(func() {
			for n := 0; ; n++ {
				title := fmt.Sprintf("task %d of writer %d", n, w)
				status, answer, err := p.try("POST", "/tasks/", token, fmt.Sprintf(`{"title":%q}`, title))
				if err != nil {
					return // killed
				}
				if status != 201 {
					t.Error(status, answer)
					return
				}
				answered.Store(title, true)
				if n == 5 {
					enough <- struct{}{}
				}
			}
		})
	}
	for range 32 {
		<-enough
	}
	p.kill()
	writers.Wait()

	p = start(t, nil, "--rate-limit=off")
	count := 0
	for page := 1; ; page++ {
		status, answer := p.call("GET", fmt.Sprintf("/tasks/?per_page=100&page=%d", page), token, "")
		if status != 200 {
			t.Fatal(status, answer)
		}
		for _, item := range answer["tasks"].([]any) {
			answered.Delete(item.(map[string]any)["title"])
			count++
		}
		if answer["pagination"].(map[string]any)["has_next"] == false {
			break
		}
	}
	answered.Range(func(title, _ any) bool { t.Errorf("lost: %v", title); return true })
	t.Logf("%d tasks after the kill", count)
}

// The welcome mail leaves the process in the mode that the platform can be
// taught to trust a test's certificate for.
func TestWelcomeMail(t *testing.T) {
	folder(t)
	mode := "none"
	if runtime.GOOS == "linux" || runtime.GOOS == "freebsd" {
		mode = "starttls" // SSL_CERT_FILE counts here
	}
	server := mailertest.Start(t, mailertest.Options{TLS: mode, Username: "sender", Password: "mail secret"})
	p := start(t, []string{
		"SSL_CERT_FILE=" + server.CAFile, "MAIL_SERVER=" + server.Host, "MAIL_PORT=" + portText(server.Port),
		"MAIL_USERNAME=sender", "MAIL_PASSWORD=mail secret", "MAIL_DEFAULT_SENDER=tasks@example.com", "TASKAPI_MAIL_TLS=" + mode,
	})
	p.signUp()
	mail := server.Wait(t)
	if mail.To != "ann@example.com" || mail.From != "tasks@example.com" || !strings.Contains(mail.HTML, "ann") || !strings.Contains(mail.Text, "ann") {
		t.Errorf("%+v", mail)
	}
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, p.log.String())
	}
	world{}.taskapi(t, "mail", "list", "--data-dir=data").expect(t, exitOK, "1   sent    welcome  ann@example.com")
	if strings.Contains(p.log.String(), "mail secret") {
		t.Error("the mail password is in the log")
	}
}

// Without a mail server the mail waits, and the log says so.
func TestMailWithoutServer(t *testing.T) {
	folder(t)
	p := start(t, nil)
	p.signUp()
	if code := p.stop(syscall.SIGTERM); code != exitOK || !strings.Contains(p.log.String(), "mail kept in the outbox") {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
	world{}.taskapi(t, "mail", "list", "--status=queued", "--data-dir=data").expect(t, exitOK, "queued", "welcome", "ann@example.com")
	if got := (world{}).taskapi(t, "mail", "list", "--status=dead", "--data-dir=data"); strings.Contains(got.out, "ann@") {
		t.Errorf("a queued mail among the dead: %s", got.out)
	}
}

// One line a request, and no secret anywhere.
func TestAccessLog(t *testing.T) {
	folder(t)
	p := start(t, nil, "--log-format=json")
	login := p.signUp()
	access, refresh := login["access_token"].(string), login["refresh_token"].(string)
	p.call("GET", "/tasks/?page=1&_secret="+access, access, "")
	status, rotated := p.call("POST", "/auth/refresh", "", fmt.Sprintf(`{"refresh_token":%q}`, refresh))
	if status != 200 {
		t.Fatal(status, rotated)
	}
	p.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, plainPassword+"!"))
	p.call("GET", "/nowhere", "", "")
	p.stop(syscall.SIGTERM)

	all := p.out.String() + p.log.String()
	key, err := os.ReadFile("data/secret.key")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{plainPassword, access, refresh, rotated["access_token"].(string), rotated["refresh_token"].(string), strings.TrimSpace(string(key))} {
		if strings.Contains(all, secret) {
			t.Errorf("a secret was printed: %q", secret)
		}
	}
	var got []string
	for line := range strings.Lines(p.log.String()) {
		var entry struct {
			Msg, Method, Route, RequestID string
			Status, UserID                int64
			Duration                      float64
		}
		if err := json.Unmarshal([]byte(strings.NewReplacer("request_id", "RequestID", "duration_ms", "Duration", "user_id", "UserID").Replace(line)), &entry); err != nil {
			t.Fatalf("not JSON: %s", line)
		}
		if entry.Msg != "request" {
			continue
		}
		if entry.RequestID == "" || entry.Duration <= 0 {
			t.Errorf("incomplete: %s", line)
		}
		got = append(got, fmt.Sprintf("%s %s %d %d", entry.Method, entry.Route, entry.Status, entry.UserID))
	}
	want := []string{
		"POST /auth/register 201 0", "POST /auth/login 200 1", "GET /tasks/ 200 1", "POST /auth/refresh 200 1",
		"POST /auth/login 401 0", "GET - 404 0",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
