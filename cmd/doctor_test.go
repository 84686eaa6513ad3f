package cmd

import (
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"taskapi/app/account"
	"taskapi/app/mailer/mailertest"
	"taskapi/app/sqlite/sqlitetest"
	"taskapi/cmd/machine"
)

// finds checks the line of one examination.
func (o outcome) finds(t *testing.T, grade, exam, text string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + grade + ` +` + exam + ` +.*` + regexp.QuoteMeta(text))
	if !line.MatchString(o.out) {
		t.Errorf("no %s of %s with %q in\n%s%s", grade, exam, text, o.out, o.err)
	}
}

func TestDoctorOfAHealthyInstallation(t *testing.T) {
	data := folder(t)
	port := "--addr=127.0.0.1:0"
	before := world{}.taskapi(t, "doctor", data, port).expect(t, exitOK)
	before.finds(t, "ok", "folder", `"taskapi serve" makes it`)
	before.finds(t, "ok", "database", `"taskapi serve" makes it`)
	if _, err := os.Stat("data"); err == nil {
		t.Error("the doctor made the data folder")
	}
	p := start(t, nil)
	during := world{}.taskapi(t, "doctor", data, "--addr="+strings.TrimPrefix(p.url, "http://")).expect(t, exitOK)
	// The folder knows the address of the server that uses it.
	world{}.taskapi(t, "doctor", data).finds(t, "ok", "port", "a taskapi is serving at "+p.url)
	world{}.taskapi(t, "health", data).expect(t, exitOK, "ready")
	for exam, text := range map[string]string{
		"reminders": "none is late", "port": "a taskapi is serving at " + p.url, "database": "every page of the database is whole", "disk": "GiB are free",
		"sync": "the disk keeps a write within", "filesystem": "a disk of this machine", "mail": "no mail server is set", "folder": "the data folder is", "backups": "none are made by themselves", "left-overs": "no unfinished copies lie about", "webhooks": "none is switched off",
	} {
		during.finds(t, "ok", exam, text)
	}
	if got := files(t); strings.Contains(got, "doctor") {
		t.Errorf("left in the data folder: %s", got)
	}
	p.stop(syscall.SIGTERM)
	world{}.taskapi(t, "health", data, port).expect(t, exitFailed, "no taskapi answers at", `start it with "taskapi serve"`)
	if lines := strings.Count(during.out, "\n"); lines != 14 {
		t.Errorf("%d lines, want one for each thing:\n%s", lines, during.out)
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	data := folder(t)
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK)
	file, err := os.ReadFile("data/taskapi.db")
	if err != nil {
		t.Fatal(err)
	}
	broken := append([]byte(nil), file...)
	for i := 4 * 4096; i < 5*4096; i++ {
		broken[i] = 0xA5
	}
	writeFile(t, "data/taskapi.db", string(broken))
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	got := world{}.taskapi(t, "doctor", data, "--addr="+other.Addr().String()).expect(t, exitFailed, "2 of the things above need to be put right")
	got.finds(t, "fail", "database", "is damaged; stop the server and restore a backup")
	got.finds(t, "fail", "port", "another program is already listening on "+other.Addr().String())

	world{}.taskapi(t, "db", "backup", "broken.db", data).expect(t, exitFailed, "the database is damaged; stop the server and restore an earlier backup")
	writeFile(t, "data/taskapi.db", string(file))
	future := time.Now().Add(24 * time.Hour)
	if err := os.Chtimes("data/taskapi.db", future, future); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod("data", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod("data/taskapi.db", 0o644); err != nil {
		t.Fatal(err)
	}
	got = world{}.taskapi(t, "doctor", data, "--addr=127.0.0.1:0").expect(t, exitFailed)
	got.finds(t, "fail", "clock", "taskapi.db was written at")
	got.finds(t, "warn", "folder", "other users of this machine may read")

	writeFile(t, "data/public-url", "http://localhost:8000\n")
	writeFile(t, "data/taskapi.db", "")
	got = world{}.taskapi(t, "doctor", data, "--addr=127.0.0.1:0", "--backup-every=1h", "--backup-dir=/dev/null/backups").expect(t, exitFailed)
	got.finds(t, "fail", "database", "is empty, and it was not")
	got.finds(t, "fail", "backups", "the backups in /dev/null/backups can't be read (not a directory)")

	writeFile(t, "plain", "")
	got = world{}.taskapi(t, "doctor", "--data-dir=plain", "--addr=192.0.2.1:1").expect(t, exitFailed)
	got.finds(t, "fail", "folder", "is not a folder; choose another with --data-dir")
	got.finds(t, "fail", "port", "can't be listened on")
	got.finds(t, "ok", "sync", "not measured")
	got.finds(t, "ok", "database", "there is no database yet")
	world{}.taskapi(t, "doctor", "--metrics-addr=127.0.0.1:8000", "--addr=127.0.0.1:8000").expect(t, exitUsage, "expected another address than that of addr")
	world{}.taskapi(t, "doctor", "--addr=8000").expect(t, exitUsage, "HOST:PORT")
}

// What is wrong with a server that runs is asked of it.
func TestDoctorOfAServerThatIsNotReady(t *testing.T) {
	data := folder(t)
	p := start(t, nil)
	token := p.signUp()["access_token"].(string)
	addr := "--addr=" + strings.TrimPrefix(p.url, "http://")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	world{}.taskapi(t, "doctor", data, addr, "--metrics-addr="+taken.Addr().String()).expect(t, exitOK).
		finds(t, "ok", "metrics-addr", "is in use, and a taskapi is running")
	world{}.taskapi(t, "doctor", "--data-dir=elsewhere", "--addr=127.0.0.1:0", "--metrics-addr="+taken.Addr().String()).expect(t, exitFailed).
		finds(t, "fail", "metrics-addr", "another program is already listening")
	if err := os.Mkdir("elsewhere", 0o700); err != nil {
		t.Fatal(err)
	}
	world{}.taskapi(t, "doctor", "--data-dir=elsewhere", addr).expect(t, exitFailed).finds(t, "fail", "port", "another program is already listening on")

	if err := os.Remove("data/taskapi.db"); err != nil {
		t.Fatal(err)
	}
	// A look at the file is good for a moment, and a report for a second.
	p.until(503, "GET", "/readyz", "", "")
	p.until(500, "POST", "/tasks/", token, `{"title":"lost"}`)
	got := world{}.taskapi(t, "doctor", data, addr).expect(t, exitFailed)
	got.finds(t, "fail", "database", "is gone while a taskapi uses it")
	got.finds(t, "fail", "port", "can't do all of its work (database)")
	if !strings.Contains(p.log.String(), "was removed or replaced") {
		t.Error(p.log.String())
	}
}

// until repeats a request until it is answered with a status.
func (p *process) until(want int, method, path, token, body string) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		status, answer := p.call(method, path, token, body)
		if status == want {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("%s %s is answered with %d %v, want %d", method, path, status, answer, want)
		}
	}
}

func TestDoctorNamesTheStepAtWhichMailIsRefused(t *testing.T) {
	data := folder(t)
	server := mailertest.Start(t, mailertest.Options{TLS: "none", Username: "sender", Password: "right"})
	try := func(password, port string) outcome {
		return world{environ: []string{"MAIL_SERVER=" + server.Host, "MAIL_PORT=" + port, "MAIL_USERNAME=sender", "MAIL_PASSWORD=" + password,
			"MAIL_DEFAULT_SENDER=Tasks <tasks@example.com>", "TASKAPI_MAIL_TLS=none"}}.taskapi(t, "doctor", data, "--addr=127.0.0.1:0")
	}
	try("right", portText(server.Port)).expect(t, exitOK).finds(t, "ok", "mail", "lets us in")
	wrong := try("wrong one", portText(server.Port)).expect(t, exitFailed)
	wrong.finds(t, "fail", "mail", `at step "auth"`)
	wrong.finds(t, "fail", "mail", "check --mail-username and --mail-password")
	if strings.Contains(wrong.out+wrong.err, "wrong one") {
		t.Error("the password is shown")
	}
	try("right", "1").expect(t, exitFailed).finds(t, "fail", "mail", `at step "connect"`)
}

// What the server says of its clock.
func TestClockFault(t *testing.T) {
	db := sqlitetest.Open(t, time.Now)
	if err := db.AddEvent(t.Context(), account.Event{At: time.Now().AddDate(20, 0, 0), Name: account.EventLogin}); err != nil {
		t.Fatal(err)
	}
	a := &application{clock: machine.NewClock(time.Time{})}
	if err := a.clockFault(t.Context(), &database{DB: db.DB, file: db}); (err == nil) != (machine.ClockState() == machine.ClockSynced) {
		t.Error(err)
	}
	a.clock = machine.NewClock(Build{}.made())
	a.clock.System = func() time.Time { return time.Unix(90, 0) }
	if err := a.clockFault(t.Context(), &database{DB: db.DB, file: db}); err == nil || !strings.Contains(err.Error(), "shows 1970-01-01") {
		t.Error(err)
	}
}

func TestTheEarliestThatAClockCanShow(t *testing.T) {
	if made := (Build{Date: "2026-11-25T00:00:00Z"}).made(); !made.Equal(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)) {
		t.Error(made)
	}
	if made := (Build{}).made(); made.Year() != 2026 {
		t.Error(made)
	}
}
