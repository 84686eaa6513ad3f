package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	processes = 3
	bin       = "/usr/lib/postgresql/15/bin/"
	secret    = "one secret that all processes share"
	// leaderLock is that of app/postgres.
	leaderLock = 1818582372
)

// cluster is a database server, the processes on it and nginx before them.
type cluster struct {
	work, program, url string
	faults             faults
	hooks              *receiver
	mails              *sink
	members            []*member
	nginx              *exec.Cmd
	credential         *syscall.SysProcAttr
	database           string
	port               int      // of the database server
	servers            []string // folders of database servers that were started

	mu     sync.Mutex
	kills  []time.Time // of processes that led, and of the database server
	killed int
}

// member is one of the processes.
type member struct {
	c       *cluster
	number  int
	address string
	mu      sync.Mutex
	cmd     *exec.Cmd     // nil while it does not run
	ended   chan struct{} // closed when it has ended
	gaveUp  int           // how often it ended itself with 1
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// begin starts everything. What it returns is to be ended, too, if it fails.
func begin(ctx context.Context, work string) (c *cluster, err error) {
	c = &cluster{work: work, program: filepath.Join(work, "taskapi")}
	if c.hooks, err = newReceiver(); err != nil {
		return c, err
	}
	if c.mails, err = newSink(); err != nil {
		return c, err
	}
	if err := c.startDatabase(ctx); err != nil {
		return c, err
	}
	public, err := freePort()
	if err != nil {
		return c, err
	}
	c.url = fmt.Sprintf("http://127.0.0.1:%d", public)
	for i := range processes {
		port, err := freePort()
		if err != nil {
			return c, err
		}
		c.members = append(c.members, &member{c: c, number: i + 1, address: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	failed := make(chan error, processes)
	for _, m := range c.members { // all at once, on an empty database
		go func() { failed <- m.start() }()
	}
	for range c.members {
		err = errors.Join(err, <-failed)
	}
	return c, errors.Join(err, c.startProxy(ctx, public))
}

func (c *cluster) end() {
	if c.nginx != nil {
		// It ends its worker, which would outlive it if it were killed.
		_ = c.nginx.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(10*time.Second, func() { _ = c.nginx.Process.Kill() })
		_ = c.nginx.Wait()
		late.Stop()
	}
	for _, m := range c.members {
		m.kill()
	}
	for _, folder := range c.servers {
		_, _ = c.controlOf(context.Background(), folder, "stop", "-m", "immediate", "-w")
	}
	c.hooks.close()
	c.mails.close()
}

// startDatabase makes a database server, which root may not be.
func (c *cluster) startDatabase(ctx context.Context) error {
	folder, err := c.folder("postgres")
	if err != nil {
		return err
	}
	initialize := exec.CommandContext(ctx, bin+"initdb", "-D", filepath.Join(folder, "data"), "-U", "taskapi", "-A", "trust", "-E", "UTF8", "--locale=C")
	initialize.SysProcAttr, initialize.Dir = c.credential, folder
	if out, err := initialize.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	c.port, err = c.startServer(ctx, folder)
	c.database = fmt.Sprintf("postgres://taskapi@127.0.0.1:%d/postgres", c.port)
	return err
}

// folder makes a folder for a database server.
func (c *cluster) folder(name string) (folder string, err error) {
	folder = filepath.Join(c.work, name)
	if err := os.Mkdir(folder, 0o700); err != nil || os.Getuid() != 0 {
		return folder, err
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		return folder, err
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	c.credential = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} //nolint:gosec // ids are small
	return folder, os.Chown(folder, uid, gid)
}

// startServer starts the database server of a folder on a port that is free.
func (c *cluster) startServer(ctx context.Context, folder string) (port int, err error) {
	if port, err = freePort(); err != nil {
		return 0, err
	}
	c.servers = append(c.servers, folder)
	out, err := c.controlOf(ctx, folder, "start", "-w", "-o", fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories=%s", port, folder))
	if err != nil {
		return 0, fmt.Errorf("pg_ctl start: %w\n%s", err, out)
	}
	return port, nil
}

func (c *cluster) control(ctx context.Context, args ...string) ([]byte, error) {
	return c.controlOf(ctx, c.servers[0], args...)
}

func (c *cluster) controlOf(ctx context.Context, folder string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, bin+"pg_ctl", append([]string{"-D", filepath.Join(folder, "data"), "-l", filepath.Join(folder, "log")}, args...)...)
	command.SysProcAttr, command.Dir = c.credential, folder
	return command.CombinedOutput()
}

// flags are those of a process.
func (m *member) flags() []string {
	return []string{
		"serve", "--addr=" + m.address, "--data-dir=" + filepath.Join(m.c.work, fmt.Sprint("data", m.number)), "--database=" + m.c.database, "--public-url=" + m.c.url,
		"--rate-limit=off", "--caldav-over-http=on", "--trusted-proxies=127.0.0.1", "--webhook-networks=127.0.0.1", "--log-format=json",
		"--mail-server=127.0.0.1", "--mail-tls=none", "--mail-from=tasks@example.com", fmt.Sprint("--mail-port=", m.c.mails.port),
	}
}

func (m *member) logFile() string { return filepath.Join(m.c.work, fmt.Sprint("log", m.number)) }

// start waits until the process serves.
func (m *member) start() error {
	command := exec.Command(m.c.program, m.flags()...) //nolint:gosec // what was built before
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "TASKAPI_JWT_SECRET=" + secret}
	log, err := os.OpenFile(m.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	command.Stderr = log
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	m.mu.Lock()
	ended := make(chan struct{})
	m.cmd, m.ended = command, ended
	m.mu.Unlock()
	first, _ := bufio.NewReader(out).ReadString('\n')
	go func() { _ = command.Wait(); close(ended) }()
	if !strings.Contains(first, " is serving at ") {
		m.kill()
		return fmt.Errorf("process %d did not start: %s%s", m.number, first, tail(m.logFile(), 5))
	}
	return nil
}

func (m *member) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		<-m.ended
		m.cmd = nil
	}
}

func (m *member) signal(what syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd != nil {
		_ = m.cmd.Process.Signal(what)
	}
}

// startProxy starts nginx as the guide configures it.
func (c *cluster) startProxy(ctx context.Context, port int) error {
	servers := ""
	for _, m := range c.members {
		servers += "server " + m.address + " max_fails=1 fail_timeout=1s;\n"
	}
	dir := c.work + "/nginx"
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // its workers run as another user
		return err
	}
	who, err := user.Current()
	if err != nil {
		return err
	}
	text := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log %[1]s/log; user %[2]s; worker_processes 1; events { worker_connections 1000; }
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
upstream taskapi {
%[3]skeepalive 32;
}
upstream taskapi_assistants {
hash $http_authorization consistent;
%[3]s}
server {
    listen 127.0.0.1:%[4]d;
    client_max_body_size 1m;
    proxy_http_version 1.1;
    proxy_connect_timeout 2s;
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries 2;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    location / { proxy_pass http://taskapi; }
    location /mcp { proxy_pass http://taskapi_assistants; }
} }
`, dir, who.Username, servers, port)
	if err := os.WriteFile(dir+"/conf", []byte(text), 0o600); err != nil {
		return err
	}
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx"
	}
	c.nginx = exec.Command(path, "-e", dir+"/log", "-c", dir+"/conf") //nolint:gosec // Debian's nginx
	if err := c.nginx.Start(); err != nil {
		c.nginx = nil
		return err
	}
	for range 100 {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://")); err == nil {
			return conn.Close()
		}
		rest(ctx, 50*time.Millisecond)
	}
	return errors.New("nginx does not listen: " + tail(dir+"/log", 5))
}

// ask runs a query beside the processes and returns its first column.
func (c *cluster) ask(ctx context.Context, query string) (values []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, c.database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	results, err := conn.Exec(ctx, query).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, row := range results[len(results)-1].Rows {
		values = append(values, string(row[0]))
	}
	return values, nil
}

// leader returns the process that leads, nil for none: that of the connection which has the lock.
func (c *cluster) leader(ctx context.Context) *member {
	ports, err := c.ask(ctx, fmt.Sprintf(`SELECT a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.classid = %d AND l.granted`, leaderLock))
	if len(ports) > 1 {
		c.faults.add("%d processes lead", len(ports))
	}
	if err != nil || len(ports) != 1 {
		return nil
	}
	port, _ := strconv.Atoi(ports[0])
	for _, m := range c.members {
		if m.has(port) {
			return m
		}
	}
	return nil
}

// has reports whether a process has a connection from a port of this machine.
func (m *member) has(port int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd == nil {
		return false
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return false
	}
	local, remote := fmt.Sprintf("0100007F:%04X", port), fmt.Sprintf("0100007F:%04X", m.c.port)
	inode := ""
	for row := range strings.SplitSeq(string(table), "\n") {
		if f := strings.Fields(row); len(f) > 9 && f[1] == local && f[2] == remote && f[9] != "0" {
			inode = f[9]
		}
	}
	socket := "socket:[" + inode + "]"
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", m.cmd.Process.Pid))
	for _, file := range files {
		if to, err := os.Readlink(file); err == nil && to == socket {
			return true
		}
	}
	return false
}

func tail(path string, lines int) string {
	text, err := os.ReadFile(path) //nolint:gosec // a log of ours
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func (c *cluster) tails() {
	for _, m := range c.members {
		fmt.Printf("--- process %d\n", m.number)
		text, _ := os.ReadFile(m.logFile())
		for line := range strings.SplitSeq(string(text), "\n") {
			if strings.Contains(line, "leads") || strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
				fmt.Println(line)
			}
		}
	}
}
