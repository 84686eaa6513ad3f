package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"taskapi/cmd/listen"
)

// onlySix listens on the IPv6 loopback, on a port that nothing uses on the other one.
func onlySix(t *testing.T) (six net.Listener, port string) {
	t.Helper()
	for range 20 {
		six, err := net.Listen("tcp6", "[::1]:0")
		if err != nil {
			t.Skip("this machine has no IPv6 loopback")
		}
		_, port, _ := net.SplitHostPort(six.Addr().String())
		if four, err := net.Listen("tcp4", "127.0.0.1:"+port); err == nil && four.Close() == nil {
			return six, port
		}
		if err := six.Close(); err != nil { // another program has it
			t.Fatal(err)
		}
	}
	t.Fatal("no port is free on both loopbacks")
	return nil, ""
}

// A browser's localhost may be either loopback, so that both are taken: the same
// port of each, or none.
func TestLocalhostIsBothLoopbacks(t *testing.T) {
	six, port := onlySix(t)
	if _, err := listen.On(t.Context(), "localhost:"+port, "--addr"); !errors.Is(err, listen.ErrTaken) || !strings.Contains(err.Error(), "[::1]:"+port) {
		t.Errorf("the other one is taken: %v", err)
	}
	if four, err := net.Listen("tcp4", "127.0.0.1:"+port); err != nil {
		t.Errorf("one of the two was kept: %v", err)
	} else if err := four.Close(); err != nil {
		t.Error(err)
	}
	if err := six.Close(); err != nil {
		t.Fatal(err)
	}
	folder(t)
	p := startProcess(t, nil, []string{"serve", "--addr=localhost:0", "--data-dir=data", "--metrics-addr=localhost:0"})
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		p.url = strings.Replace(p.url, "127.0.0.1", host, 1)
		for asked, want := range map[string]int{"localhost": 200, "evil.example": 421} {
			if got := p.asked(asked); got != want {
				t.Errorf("%s at %s: %d, want %d", asked, host, got, want)
			}
		}
	}
	_, port, _ = net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	world{}.taskapi(t, "health", "--addr=localhost:"+port).expect(t, exitOK, "ready")
	if code := p.stop(os.Interrupt); code != exitOK {
		t.Errorf("%d\n%s", code, p.log.String())
	}
}

// overSocket makes the requests of a process go to a unix socket.
func overSocket(t *testing.T, path string) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	return &http.Client{Transport: transport}
}

func askSocket(t *testing.T, client *http.Client, method, path, body, token, forwarded string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequest(method, "http://any.example"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Forwarded-For", forwarded)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := errors.Join(json.NewDecoder(response.Body).Decode(&answer), response.Body.Close()); err != nil {
		t.Error(err)
	}
	return response.StatusCode, answer
}

// A socket is there for the server's group, takes the place of one that nobody
// answers, goes with the server, and is asked by our own commands. Whoever
// connects says for whom.
func TestServingAtASocket(t *testing.T) {
	folder(t)
	const path = "taskapi.sock"
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	world{}.taskapi(t, "doctor", "--addr=unix:"+path, "--data-dir=data").expect(t, exitOK, "unix:taskapi.sock is free")
	p := startProcess(t, nil, []string{"serve", "--addr=unix:" + path, "--data-dir=data"})
	if p.url != "unix:"+path {
		t.Errorf("it serves at %s", p.url)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|listen.SocketMode {
		t.Errorf("%v %v", info, err)
	}
	client := overSocket(t, path)
	if status, answer := askSocket(t, client, "POST", "/auth/register", fmt.Sprintf(`{"username":"ann","email":"ann@example.com","password":%[1]q,"confirm_password":%[1]q}`, plainPassword), "", "198.51.100.7"); status != 201 {
		t.Fatal(status, answer)
	}
	status, answer := askSocket(t, client, "POST", "/auth/login", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, plainPassword), "", "203.0.113.9, 198.51.100.7")
	if status != 200 {
		t.Fatal(status, answer)
	}
	_, answer = askSocket(t, client, "GET", "/auth/sessions", "", answer["access_token"].(string), "198.51.100.7")
	if text := fmt.Sprint(answer); !strings.Contains(text, "198.51.100.7") || strings.Contains(text, "203.0.113.9") {
		t.Errorf("the client is unknown: %s", text)
	}
	world{}.taskapi(t, "health", "--addr=unix:"+path).expect(t, exitOK, "ready")
	world{}.taskapi(t, "doctor", "--addr=unix:"+path, "--data-dir=data").expect(t, exitOK, "a taskapi is serving at unix:taskapi.sock")
	world{}.taskapi(t, "serve", "--addr=unix:"+path, "--data-dir=other").expect(t, exitFailed, "another program is already listening on unix:taskapi.sock")
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Errorf("%d\n%s", code, p.log.String())
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	world{}.taskapi(t, "health", "--addr=unix:"+path).expect(t, exitFailed, "no taskapi answers at unix:taskapi.sock")
}

// What is no socket is never removed.
func TestSocketInThePlaceOfAFile(t *testing.T) {
	folder(t)
	writeFile(t, "notes", "of somebody")
	if err := os.Symlink("notes", "link"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"notes", "link", "."} {
		world{}.taskapi(t, "serve", "--addr=unix:"+path, "--data-dir=data").expect(t, exitFailed, "is no socket; choose another path with --addr")
	}
	world{}.taskapi(t, "serve", "--addr=unix:nowhere/x", "--data-dir=data").expect(t, exitFailed, "choose another with --addr")
	world{}.taskapi(t, "serve", "--addr=unix:"+strings.Repeat("x", 200), "--data-dir=data").expect(t, exitFailed, "choose another with --addr")
	world{}.taskapi(t, "config", "--addr=unix:").expect(t, exitUsage, "unix:PATH")
	if text, err := os.ReadFile("notes"); err != nil || string(text) != "of somebody" {
		t.Errorf("%q %v", text, err)
	}
}

// systemd listens for a unit with a socket, and hands over what it has.
func TestSocketsOfSystemd(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell here")
	}
	folder(t)
	var files []*os.File
	var addrs []string
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		file, err := listener.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		files, addrs = append(files, file), append(addrs, listener.Addr().String())
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{beTaskapi + "=" + schema(t), "LISTEN_FDS=2"}
	p := launch(t, shell, environ, []string{"-c", `LISTEN_PID=$$ exec "$@"`, "sh", program, "serve", "--addr=256.0.0.1:1", "--data-dir=data"}, files...)
	for _, file := range files {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
	if p.url != "http://"+addrs[0] {
		t.Errorf("it serves at %s, want %s", p.url, addrs[0])
	}
	for _, addr := range addrs {
		p.url = "http://" + addr
		if got := p.asked("localhost"); got != 200 {
			t.Errorf("%s: %d", addr, got)
		}
		if got := p.asked("evil.example"); got != 421 {
			t.Errorf("%s: %d", addr, got)
		}
	}
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Errorf("%d\n%s", code, p.log.String())
	}
	if _, err := os.Stat(filepath.Join("data", "taskapi.db")); err != nil {
		t.Error(err)
	}
}
