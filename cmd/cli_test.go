package cmd

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"taskapi/app/mailer/mailertest"
	"taskapi/cmd/datadir"
	"taskapi/cmd/machine"
)

const goodPassword = "correct horse battery\n"

func TestWrongUse(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"bogus", `"bogus" is not a command of "taskapi"`},
		{"sevre", `"sevre" is not a command of "taskapi"; did you mean "serve"?`},
		{"user lst", `did you mean "list"?`}, {"help doctr", `did you mean "doctor"?`}, {"help setings", `did you mean "settings"?`},
		{"serve --adr=:8000", `unknown flag: --adr; did you mean "--addr"?`}, {"serve --bogus", "unknown flag: --bogus"},
		{"db bogus", `"bogus" is not a command of "taskapi db"`},
		{"--bogus", "--bogus"}, {"serve --bogus", "--bogus"},
		{"serve extra", `takes no argument, but there is "extra"`},
		{"user add", "wants one argument: the e-mail address"}, {"user promote a b", "wants one argument"},
		{"help nope", `there is no command or topic "nope"`}, {"completion tcsh", `"tcsh" is not a command of "taskapi completion"`},
		{"serve --addr", "--addr"}, {"mail list --status odd", "expected queued, sent or dead"},
		{"mail test a@b.c", "no mail server is set"}, {"mail test --mail-server localhost --mail-from a@b.c nonsense", `"nonsense" is not an e-mail address`},
	} {
		folder(t)
		world{}.taskapi(t, strings.Fields(c.args)...).expect(t, exitUsage, "taskapi: ", c.want, "--help\" for usage.")
	}
}

func TestHelpAndVersion(t *testing.T) {
	folder(t)
	world{}.taskapi(t).expect(t, exitOK, "taskapi serve", "Available Commands")
	world{}.taskapi(t, "db").expect(t, exitOK, "reset")
	for _, args := range [][]string{{"version"}, {"--version"}} {
		got := world{}.taskapi(t, args...).expect(t, exitOK, "taskapi 1.2.3\ngo1.", "\nSQLite 3.")
		if strings.Count(got.out, "\n") != 3 {
			t.Errorf("not three lines: %q", got.out)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		world{}.taskapi(t, "completion", shell).expect(t, exitOK, "taskapi")
	}
}

// A build that nobody has given a version says what Go has stamped into it.
func TestStampedVersion(t *testing.T) {
	for want, info := range map[string]debug.BuildInfo{
		"dev (commit 0123456789ab, modified) of 2026-11-27": {Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"}, {Key: "vcs.time", Value: "2026-11-27T06:00:00Z"}}},
		"v1.4.0": {Main: debug.Module{Version: "v1.4.0"}},
		"dev":    {Main: debug.Module{Version: "(devel)"}},
	} {
		b := Build{Version: "dev"}
		b.stamped(&info)
		var out strings.Builder
		if err := (&application{build: b, out: &out}).printVersion(); err != nil || !strings.HasPrefix(out.String(), "taskapi "+want+"\n") {
			t.Errorf("%q, %v, want %q", out.String(), err, want)
		}
	}
}

func TestInitAndReset(t *testing.T) {
	data := folder(t)
	path := filepath.Join("data", datadir.DatabaseFile)
	world{}.taskapi(t, "user", "list", data).expect(t, exitFailed, "there is no database", "taskapi db init")
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK, "is ready")
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK, "is ready")
	world{in: goodPassword}.taskapi(t, "user", "add", "ann@example.com", data).expect(t, exitOK)

	world{}.taskapi(t, "db", "reset", data).expect(t, exitUsage, "add --yes")
	world{terminal: true, in: "y\n"}.taskapi(t, "db", "reset", data).expect(t, exitFailed, "for ever?", `nothing was changed, because the answer was "y" and not "yes"`)
	world{terminal: true}.taskapi(t, "db", "reset", data).expect(t, exitFailed, "nothing was changed")
	world{}.taskapi(t, "user", "list", data).expect(t, exitOK, "ann@example.com")

	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.WriteFile(path+suffix, []byte("left over"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	world{terminal: true, in: "yes\n"}.taskapi(t, "db", "reset", data).expect(t, exitOK, "is ready")
	got := world{}.taskapi(t, "user", "list", data).expect(t, exitOK)
	if strings.Contains(got.out, "ann@") {
		t.Error("the user is still there")
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("garbage ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	world{}.taskapi(t, "user", "list", data).expect(t, exitFailed, "is not a database", "taskapi db reset")
	world{}.taskapi(t, "db", "reset", "--yes", data).expect(t, exitOK, "is ready")
}

func TestInterruptedQuestions(t *testing.T) {
	data := folder(t)
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK)
	silent, hold := io.Pipe() // a person who types nothing
	t.Cleanup(func() { _ = hold.Close() })
	ctx, interrupt := context.WithCancel(t.Context())
	var text bytes.Buffer
	a := &application{clock: machine.NewClock(time.Time{}), build: Build{Schema: schema(t)}, in: silent, out: &text, err: &text, terminal: func() bool { return true }}
	interrupt()
	if code := run(ctx, a, []string{"db", "reset", data}); code != exitFailed || !strings.Contains(text.String(), "interrupted; nothing was changed") {
		t.Errorf("exit code %d: %s", code, text.String())
	}
}

func TestResetLeavesWhatBelongsToOthers(t *testing.T) {
	data := folder(t)
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK)
	path := filepath.Join("data", datadir.DatabaseFile)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(file[68:], 7) // the application id
	writeFile(t, path, string(file))
	world{}.taskapi(t, "db", "reset", "--yes", data).expect(t, exitFailed, "belongs to another program and is not deleted")
	if now, err := os.ReadFile(path); err != nil || string(now) != string(file) {
		t.Errorf("the file was changed (%v)", err)
	}
}

func TestResetRefusesWhileAServerRuns(t *testing.T) {
	flag := folder(t)
	world{}.taskapi(t, "db", "init", flag).expect(t, exitOK)
	lock := flock.New(filepath.Join("data", datadir.LockFile))
	if locked, err := lock.TryLock(); !locked || err != nil {
		t.Fatal(locked, err)
	}
	world{}.taskapi(t, "db", "reset", "--yes", flag).expect(t, exitFailed, "a server is using this data folder", "stop that server first")
	world{}.taskapi(t, "serve", "--addr=127.0.0.1:0", flag).expect(t, exitFailed, "a server is using this data folder")
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	world{}.taskapi(t, "db", "reset", "--yes", flag).expect(t, exitOK)
}

func TestUserCommands(t *testing.T) {
	data := folder(t)
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK)
	piped := world{in: goodPassword}
	piped.taskapi(t, "user", "add", "ann@example.com", "--admin", data).expect(t, exitOK, "Added admin 1, ann@example.com.")
	piped.taskapi(t, "user", "add", "bob@example.com", "--username", "Bobby", data).expect(t, exitOK, "Added user 2")
	piped.taskapi(t, "user", "add", "ANN@example.com", data).expect(t, exitFailed, "The email is already registered.")
	piped.taskapi(t, "user", "add", "nonsense", data).expect(t, exitFailed, "must be a valid e-mail address")
	world{in: "short\n"}.taskapi(t, "user", "add", "c@example.com", data).expect(t, exitFailed, "at least 8 characters")
	world{}.taskapi(t, "user", "add", "c@example.com", data).expect(t, exitUsage, "no password on standard input")
	world{in: "short\n"}.taskapi(t, "user", "add", "c@example.com", "--password-min=5", data).expect(t, exitOK)
	world{terminal: true, typed: []string{"one password", "another one"}}.taskapi(t, "user", "add", "d@example.com", data).expect(t, exitFailed, "the two passwords differ")
	world{terminal: true, typed: []string{"one password", "one password"}}.taskapi(t, "user", "add", "d@example.com", data).expect(t, exitOK, "Password: ", "Again: ")

	world{}.taskapi(t, "user", "list", data).expect(t, exitOK, "1   admin  ann@example.com", "2   user   bob@example.com  Bobby")
	world{}.taskapi(t, "user", "demote", "1", data).expect(t, exitFailed, "ann@example.com is the only admin and keeps the role", "taskapi user promote USER")
	world{}.taskapi(t, "user", "delete", "1", "--yes", data).expect(t, exitFailed, "Make another user an admin first")
	world{}.taskapi(t, "user", "promote", "Bob@example.com", data).expect(t, exitOK, "now has the role admin and has to sign in again")
	world{}.taskapi(t, "user", "promote", "2", data).expect(t, exitOK, "has the role admin already")
	world{}.taskapi(t, "user", "demote", "ann@example.com", data).expect(t, exitOK, "now has the role user")
	world{}.taskapi(t, "user", "promote", "nobody@example.com", data).expect(t, exitFailed, `there is no user "nobody@example.com"`, "taskapi user list")
	world{in: "a whole new one\n"}.taskapi(t, "user", "passwd", "1", data).expect(t, exitOK, "has a new password and has to sign in again")
	world{in: "password123\n"}.taskapi(t, "user", "passwd", "1", data).expect(t, exitFailed, "one of the most common ones")
	world{}.taskapi(t, "user", "delete", "1", data).expect(t, exitUsage, "add --yes")
	world{terminal: true, in: "yes\n"}.taskapi(t, "user", "delete", "1", data).expect(t, exitOK, "Deleted ann@example.com.")
	world{}.taskapi(t, "user", "delete", "99", "--yes", data).expect(t, exitFailed, `there is no user "99"`)
}

func TestFoldersThatCannotBeUsed(t *testing.T) {
	folder(t)
	if err := os.WriteFile("file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	world{}.taskapi(t, "db", "init", "--data-dir=file").expect(t, exitFailed, "is not a folder", "--data-dir")
	world{}.taskapi(t, "user", "list", "--data-dir=nowhere").expect(t, exitFailed, "there is no database", "taskapi db init")
	if err := os.MkdirAll("data/taskapi.db", 0o700); err != nil {
		t.Fatal(err)
	}
	world{}.taskapi(t, "user", "list", "--data-dir=data").expect(t, exitFailed, "is a folder and not a database")
	world{}.taskapi(t, "serve", "--addr=127.0.0.1:0", "--data-dir=file/below").expect(t, exitFailed, "can't be made", "--data-dir")
}

func TestMailTest(t *testing.T) {
	folder(t)
	server := mailertest.Start(t, mailertest.Options{TLS: "none"})
	env := []string{"MAIL_SERVER=" + server.Host, "MAIL_PORT=" + portText(server.Port), "MAIL_DEFAULT_SENDER=tasks@example.com", "MAIL_USE_TLS=False"}
	world{environ: env}.taskapi(t, "mail", "test", "ann@example.com").expect(t, exitOK, "connect", "data", "The server has accepted the mail.")
	if got := server.Wait(t); got.To != "ann@example.com" || !strings.Contains(got.Text, "mail works") {
		t.Errorf("%+v", got)
	}
	env[3] = "MAIL_USE_TLS=True"
	world{environ: env}.taskapi(t, "mail", "test", "ann@example.com").expect(t, exitFailed, "starttls", "--mail-tls")
	env[1] = "MAIL_PORT=1"
	world{environ: env}.taskapi(t, "mail", "test", "ann@example.com").expect(t, exitFailed, "connect", "--mail-port")
}
