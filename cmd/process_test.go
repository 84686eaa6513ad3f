package cmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary is taskapi itself when this variable is set, so that the
// tests meet it as a process of its own, with signals and exit codes.
const beTaskapi = "BE_TASKAPI_WITH_SCHEMA"

func TestMain(m *testing.M) {
	if schema := os.Getenv(beTaskapi); schema != "" {
		os.Exit(Main(Build{Version: "1.2.3", Schema: schema}, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// process is a running taskapi.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	url  string
	out  bytes.Buffer // standard output, whole after stop
	log  transcript   // standard error, whole after stop
	read sync.WaitGroup
}

// transcript may be read while it is written.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// start runs `taskapi serve` on a free port, with ./data as its folder, and
// returns when it has printed its address.
func start(t testing.TB, environ []string, args ...string) *process {
	t.Helper()
	return startProcess(t, environ, append([]string{"serve", "--addr=127.0.0.1:0", "--data-dir=data"}, args...))
}

// startAt starts it again at an address.
func startAt(t testing.TB, addr string, args ...string) *process {
	t.Helper()
	return startProcess(t, nil, append([]string{"serve", "--addr=" + addr, "--data-dir=data"}, args...))
}

func startProcess(t testing.TB, environ, args []string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return launch(t, program, append([]string{beTaskapi + "=" + schema(t)}, environ...), args)
}

// launch starts a program that becomes a taskapi, with files from the third on.
func launch(t testing.TB, program string, environ, args []string, files ...*os.File) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...)}
	p.cmd.Env, p.cmd.ExtraFiles = environ, files
	p.cmd.Stderr = &p.log
	pipe, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	lines := bufio.NewReader(io.TeeReader(pipe, &p.out))
	line, _ := lines.ReadString('\n')
	_, url, ok := strings.Cut(strings.TrimSpace(line), " is serving at ")
	if !ok {
		p.read.Wait()
		_ = p.cmd.Wait()
		t.Fatalf("taskapi did not start: %s%s", line, p.log.String())
	}
	p.url = url
	p.read.Go(func() { _, _ = io.Copy(io.Discard, lines) })
	return p
}

// kill ends the process at once, if it still runs.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		p.read.Wait()
		_ = p.cmd.Wait()
	}
}

// stop sends a signal and returns the exit code.
func (p *process) stop(signal os.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

func (p *process) wait() int {
	p.t.Helper()
	guard := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer guard.Stop()
	p.read.Wait()
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// call sends a request and decodes the answer; token may be empty.
func (p *process) call(method, path, token, body string) (int, map[string]any) {
	p.t.Helper()
	status, answer, err := p.try(method, path, token, body)
	if err != nil {
		p.t.Fatal(err)
	}
	return status, answer
}

func (p *process) try(method, path, token, body string) (int, map[string]any, error) {
	request, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	answer := map[string]any{}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	return response.StatusCode, answer, err
}

// signUp registers ann@example.com and returns what the login answers.
func (p *process) signUp() map[string]any {
	p.t.Helper()
	body := fmt.Sprintf(`{"username":"ann","email":"ann@example.com","password":%[1]q,"confirm_password":%[1]q}`, plainPassword)
	if status, answer := p.call("POST", "/auth/register", "", body); status != 201 {
		p.t.Fatal(status, answer)
	}
	status, answer := p.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, plainPassword))
	if status != 200 {
		p.t.Fatal(status, answer)
	}
	return answer
}

// login signs ann in once more and returns the access token.
func (p *process) login() string {
	p.t.Helper()
	status, answer := p.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, plainPassword))
	if status != 200 {
		p.t.Fatal(status, answer)
	}
	return answer["access_token"].(string)
}

const plainPassword = "a password nobody may see"

// files returns the names in the data folder.
func files(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("data/*")
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return strings.Join(found, " ")
}
