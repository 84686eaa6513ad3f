// Command starve takes what is scarce from a server of its own: memory by JSON
// bombs, by bodies that are held back and by answers that nobody reads, each
// alone and then all at once, while somebody from a quiet network signs in. It
// prints what the server's memory was, and fails when it was over 200 MiB, when
// over 100 are left afterwards, or when the sign-in did not succeed. It ends by
// itself, and attacks loopback only.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	mostMemory = 200 // MiB
	mostLeft   = 100 // MiB, when nobody attacks any more
	password   = "starving is no fun"
	hold       = 15 * time.Second // for how long an attack goes on at most
)

func main() {
	binary := flag.String("binary", "", "the taskapi to attack; built from this folder if it is empty")
	quietAlone := flag.Duration("idle", 45*time.Second, "how long to wait at the end for the memory to return")
	flag.Parse()
	if err := run(*binary, *quietAlone); err != nil {
		fmt.Fprintln(os.Stderr, "starve:", err)
		os.Exit(1)
	}
}

// target is the server that is attacked.
type target struct {
	address string
	process *os.Process
	token   string // of somebody with large tasks
}

func run(binary string, idle time.Duration) error {
	folder, err := os.MkdirTemp("", "starve")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if binary == "" {
		binary = filepath.Join(folder, "taskapi")
		if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	t, stop, err := serve(binary, folder)
	if err != nil {
		return err
	}
	defer stop()
	if err := t.prepare(); err != nil {
		return err
	}
	fmt.Printf("%-28s %6d MiB\n", "at rest", t.memory())
	failed := false
	for _, attack := range []struct {
		name string
		do   []func(end time.Time)
	}{
		{"JSON bombs", []func(time.Time){t.bombs}},
		{"bodies held back", []func(time.Time){t.heldBodies}},
		{"answers nobody reads", []func(time.Time){t.unreadAnswers}},
		{"all at once", []func(time.Time){t.bombs, t.heldBodies, t.unreadAnswers}},
	} {
		peak, slowest, err := t.during(attack.do)
		fmt.Printf("%-28s %6d MiB at most, a quiet sign-in took %s at most\n", attack.name, peak, slowest.Round(time.Millisecond))
		if err != nil {
			fmt.Printf("%-28s %v\n", "", err)
		}
		failed = failed || err != nil || peak > mostMemory
	}
	for end := time.Now().Add(idle); time.Now().Before(end) && t.memory() > 80; {
		time.Sleep(time.Second)
	}
	left := t.memory()
	fmt.Printf("%-28s %6d MiB\n", "afterwards", left)
	if failed {
		return fmt.Errorf("over %d MiB, or a sign-in that failed", mostMemory)
	}
	if left > mostLeft {
		return fmt.Errorf("over %d MiB after %s", mostLeft, idle)
	}
	return nil
}

// serve starts the server in a folder of its own.
func serve(binary, folder string) (*target, func(), error) {
	command := exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "--data-dir", filepath.Join(folder, "data"))
	command.Dir = folder
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := command.Start(); err != nil {
		return nil, nil, err
	}
	stop := func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	}
	line := make([]byte, 4096)
	n, err := out.Read(line)
	found := regexp.MustCompile(`http://(127\.0\.0\.1|localhost):(\d+)`).FindSubmatch(line[:n])
	if err != nil || found == nil {
		stop()
		return nil, nil, fmt.Errorf("no address in %q: %w", line[:n], err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return &target{address: "127.0.0.1:" + string(found[2]), process: command.Process}, stop, nil
}

// prepare makes the quiet user, and one with 100 long tasks.
func (t *target) prepare() error {
	client := from("127.0.0.3")
	for _, name := range []string{"quiet", "loud"} {
		body := fmt.Sprintf(`{"username":%q,"email":"%s@example.com","password":%q,"confirm_password":%q}`, name, name, password, password)
		if _, err := t.post(client, "/auth/register", "", body); err != nil {
			return err
		}
	}
	token, err := t.signIn(client, "loud")
	if err != nil {
		return err
	}
	t.token = token
	task := fmt.Sprintf(`{"title":"long","description":%q}`, strings.Repeat("x", 10_000))
	for range 100 {
		if _, err := t.post(client, "/tasks/", token, task); err != nil {
			return err
		}
	}
	return nil
}

// from is a client with an address of its own.
func from(address string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 20 * time.Second}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}, Timeout: 30 * time.Second}
}

func (t *target) post(client *http.Client, path, token, body string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodPost, "http://"+t.address+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s: %d %s", path, response.StatusCode, text)
	}
	return text, err
}

func (t *target) signIn(client *http.Client, name string) (string, error) {
	text, err := t.post(client, "/auth/login", "", fmt.Sprintf(`{"email":"%s@example.com","password":%q}`, name, password))
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	return answer.AccessToken, json.Unmarshal(text, &answer)
}

// during runs attacks, signs in from a quiet network meanwhile, and returns the
// most memory and the slowest sign-in.
func (t *target) during(attacks []func(time.Time)) (peak int, slowest time.Duration, err error) {
	var attackers sync.WaitGroup
	done := make(chan struct{})
	end := time.Now().Add(hold)
	for _, attack := range attacks {
		attackers.Go(func() { attack(end) })
	}
	go func() { attackers.Wait(); close(done) }()
	client := from("127.0.0.2")
	next := time.Now().Add(time.Second)
	for {
		peak = max(peak, t.memory())
		if time.Now().After(next) {
			began := time.Now()
			_, failed := t.signIn(client, "quiet")
			slowest = max(slowest, time.Since(began))
			if failed != nil && err == nil {
				err = failed
			}
			next = time.Now().Add(2 * time.Second)
		}
		select {
		case <-done:
			return peak, slowest, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// memory is what the server has of the machine's, in MiB.
func (t *target) memory() int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.process.Pid))
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kib >> 10
		}
	}
	return 0
}

// many runs n clients at once.
func many(n int, do func()) {
	var clients sync.WaitGroup
	for range n {
		clients.Go(do)
	}
	clients.Wait()
}

// bombs sends 930 KB of short names, 200 at once, to where nobody is signed in
// and to where somebody is.
func (t *target) bombs(time.Time) {
	var bomb bytes.Buffer
	bomb.WriteString(`{"a":1`)
	for i := range 100_000 {
		fmt.Fprintf(&bomb, `,"%d":1`, i)
	}
	bomb.WriteString("}")
	client := from("127.0.0.1")
	for _, path := range []string{"/auth/logout", "/tasks/"} {
		many(200, func() { _, _ = t.post(client, path, t.token, bomb.String()) })
	}
}

// heldBodies holds the last byte of 1 MiB back, on 700 connections at once.
func (t *target) heldBodies(end time.Time) {
	body := strings.Repeat(" ", 1<<20-1)
	heads := []string{"/auth/logout", "/tasks/"}
	var n sync.Mutex
	next := 0
	many(700, func() {
		n.Lock()
		path := heads[next%2]
		next++
		n.Unlock()
		conn, err := net.Dial("tcp", t.address)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(end)
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", path, t.token, 1<<20, body)
		_, _ = io.Copy(io.Discard, conn)
	})
}

// unreadAnswers asks three times for 100 long tasks on 300 connections, and
// reads nothing.
func (t *target) unreadAnswers(end time.Time) {
	ask := fmt.Sprintf("GET /tasks/?per_page=100 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", t.token)
	many(300, func() {
		conn, err := net.Dial("tcp", t.address)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		_, _ = io.WriteString(conn, strings.Repeat(ask, 3))
		time.Sleep(time.Until(end))
	})
}
