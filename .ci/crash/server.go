package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const writers = 64

// server is a running taskapi, with a user who is signed in.
type server struct {
	cmd    *exec.Cmd
	dir    string
	url    string
	token  string
	http   *http.Client
	dying  func() bool // the power was cut: it may answer anything
	ending atomic.Bool // it was asked to stop: it may refuse
}

// start runs the program, behind a wrapper such as strace if there is one.
func start(program, dir string, wrapper ...string) (*server, error) {
	return startWith(program, dir, nil, wrapper...)
}

// startWith is start with more flags. The server is there, too, if it could not be started wholly.
func startWith(program, dir string, flags []string, wrapper ...string) (*server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	line := append(wrapper, program, "serve", "--addr=127.0.0.1:0", "--rate-limit=off", "--data-dir="+dir)
	line = append(line, flags...)
	s := &server{
		cmd: exec.Command(line[0], line[1:]...), dir: dir,
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * writers}},
	}
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	log, err := os.Create(dir + ".log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	first, _ := bufio.NewReader(out).ReadString('\n')
	_, url, ok := strings.Cut(strings.TrimSpace(first), " is serving at ")
	if !ok {
		_ = s.kill()
		return s, fmt.Errorf("the server did not start: %s", first)
	}
	s.url = url
	return s, s.signIn()
}

func (s *server) signIn() error {
	const who = `"email":"crash@example.com","password":"not a secret"`
	// Refused from the second start on, when the user is there.
	if _, _, err := s.call("POST", "/auth/register", `{"username":"crash","confirm_password":"not a secret",`+who+`}`); err != nil {
		return err
	}
	status, body, err := s.call("POST", "/auth/login", `{`+who+`}`)
	var answer struct {
		Token string `json:"access_token"`
	}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("sign in: %d %s", status, body)
	}
	err = errors.Join(err, json.Unmarshal(body, &answer))
	s.token = answer.Token
	return err
}

// kill ends the server as a power switch would, as far as it can tell.
func (s *server) kill() error {
	err := s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	return err
}

func (s *server) stop() error {
	return errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait())
}

func (s *server) call(method, path, body string) (int, []byte, error) {
	return s.keyed(method, path, body, "")
}

// keyed is call with an Idempotency-Key, unless it is empty.
func (s *server) keyed(method, path, body, key string) (int, []byte, error) {
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if response.StatusCode >= 500 && (s.ending.Load() || s.dying != nil && s.dying()) {
		err = errors.Join(err, errors.New("the server ends"))
	}
	return response.StatusCode, bytes.TrimSpace(answer), errors.Join(err, response.Body.Close())
}

// create returns the id of the new task, or the status that refused it.
func (s *server) create(title, description string) (id int64, status int, err error) {
	return s.createOnce(title, description, "")
}

// createOnce is create with an Idempotency-Key, unless it is empty.
func (s *server) createOnce(title, description, key string) (id int64, status int, err error) {
	status, body, err := s.keyed("POST", "/tasks/", fmt.Sprintf(`{"title":%q,"description":%q}`, title, description), key)
	if err != nil || status != http.StatusCreated {
		return 0, status, err
	}
	var answer struct{ Task struct{ ID int64 } }
	return decoded(body, &answer, func() int64 { return answer.Task.ID }, status)
}

func decoded(body []byte, into any, id func() int64, status int) (int64, int, error) {
	err := json.Unmarshal(body, into)
	return id(), status, err
}

func (s *server) database() string { return filepath.Join(s.dir, "taskapi.db") }

// walSize is the size of the write-ahead log, 0 without one.
func (s *server) walSize() int64 {
	info, err := os.Stat(s.database() + "-wal")
	if err != nil {
		return 0
	}
	return info.Size()
}

// resident is the memory that the server holds, in bytes.
func (s *server) resident() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0, err
	}
	return resident * int64(os.Getpagesize()), nil
}
