package cmd

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"taskapi/app/storetest"
)

// tag asks for a task, as who has its ETag.
func (p *process) tag(path, token, known string) (status int, etag string) {
	p.t.Helper()
	request, err := http.NewRequest("GET", p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if known != "" {
		request.Header.Set("If-None-Match", known)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("ETag")
}

// A server of a copy knows the tokens, ETags and cursors that the one of the original gave.
func TestServingACopy(t *testing.T) {
	for name, place := range map[string]func(*testing.T) string{
		"SQLite":     func(*testing.T) string { return "sqlite:copy.db" },
		"PostgreSQL": func(t *testing.T) string { return storetest.NewServer(t).Address() },
	} {
		t.Run(name, func(t *testing.T) {
			to := place(t)
			folder(t)
			p := start(t, nil)
			token := p.signUp()["access_token"].(string)
			if status, answer := p.call("POST", "/tasks/", token, `{"title":"tab\\t, \\n and é"}`); status != 201 {
				t.Fatal(status, answer)
			}
			_, etag := p.tag("/tasks/1", token, "")
			_, synced := p.call("GET", "/sync", token, "")
			world{}.taskapi(t, "db", "copy", "--from=sqlite:data/taskapi.db", "--to="+to).expect(t, exitOK, "compared every row: 1 user, 1 task.", "what was written to data/taskapi.db after that is not in it", "do not serve both")
			world{}.taskapi(t, "db", "copy", "--from=sqlite:data/taskapi.db", "--to="+to).expect(t, exitFailed, "already; ")
			if code := p.stop(syscall.SIGTERM); code != exitOK {
				t.Fatalf("exit code %d\n%s", code, p.log.String())
			}
			args := []string{"--database=" + to}
			if path, is := strings.CutPrefix(to, "sqlite:"); is {
				args = nil
				if err := os.Rename(path, "data/taskapi.db"); err != nil {
					t.Fatal(err)
				}
			}
			p = start(t, nil, args...)
			if status, now := p.tag("/tasks/1", token, etag); status != 304 || now != etag {
				t.Errorf("status %d, ETag %s, then %s", status, etag, now)
			}
			cursor, _ := synced["cursor"].(string)
			if status, answer := p.call("GET", "/sync?since="+cursor, token, ""); status != 200 || answer["cursor"] != cursor || len(answer["tasks"].([]any)) > 0 {
				t.Errorf("cursor %q: %d %v", cursor, status, answer)
			}
		})
	}
}

// A file may come from PostgreSQL, and go there; neither is touched when it can't.
func TestCopySaysWhatIsWrong(t *testing.T) {
	folder(t)
	world{}.taskapi(t, "db", "copy", "--from=sqlite:a.db").expect(t, exitUsage, "wants --from and --to")
	world{}.taskapi(t, "db", "copy", "--from=a.db", "--to=sqlite:b.db").expect(t, exitUsage, "--from: expected sqlite:PATH or postgres://")
	world{}.taskapi(t, "db", "copy", "--from=sqlite:a.db", "--to=mysql://b").expect(t, exitUsage, "--to: expected sqlite:PATH or postgres://")
	world{}.taskapi(t, "db", "copy", "--from=sqlite:a.db", "--to=sqlite:b.db").expect(t, exitFailed, "a.db is not copied, since there is no such file")
	world{}.taskapi(t, "db", "init", "--data-dir=data").expect(t, exitOK)
	world{}.taskapi(t, "db", "copy", "--from=sqlite:data/taskapi.db", "--to=sqlite:data/taskapi.db").expect(t, exitFailed, "since there is something already; move it away")
	world{}.taskapi(t, "db", "copy", "--from=sqlite:data/taskapi.db", "--to=sqlite:none/b.db").expect(t, exitFailed, "nothing is copied to none/b.db", "no such file or folder")
	world{}.taskapi(t, "db", "copy", "--from=sqlite:data/taskapi.db", "--to=postgres://x:secret@127.0.0.1:1/none?connect_timeout=1").expect(t, exitFailed, "nothing is copied to postgres://x:xxxxx@127.0.0.1:1/none", "can't be reached")
	writeFile(t, "text.db", "no database at all, but longer than a header of SQLite, which has a hundred bytes and begins with its name")
	world{}.taskapi(t, "db", "copy", "--from=sqlite:text.db", "--to=sqlite:b.db").expect(t, exitFailed, "since it is not a database")
	writeFile(t, "empty.db", "")
	world{}.taskapi(t, "db", "copy", "--from=sqlite:empty.db", "--to=sqlite:b.db").expect(t, exitFailed, "since it is empty")
	world{}.taskapi(t, "db", "copy", "--from=sqlite:data", "--to=sqlite:b.db").expect(t, exitFailed, "since that is a folder")
	// The log of another database would be played into the new one.
	writeFile(t, "c.db-wal", "x")
	world{}.taskapi(t, "db", "copy", "--from=sqlite:data/taskapi.db", "--to=sqlite:c.db").expect(t, exitFailed, "c.db-wal", "move it away")
	if left, err := filepath.Glob("[bc].db*"); err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
	world{}.taskapi(t, "db", "copy", "--from=sqlite:data/taskapi.db", "--to=sqlite:new/taskapi.db").expect(t, exitOK, "Serve with --data-dir new and without --database; copy secret.key there")
	if info, err := os.Stat("new/taskapi.db"); err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("%v, %v", info, err)
	}
	p := startProcess(t, nil, []string{"serve", "--addr=127.0.0.1:0", "--data-dir=new"})
	world{}.taskapi(t, "db", "copy", "--from=sqlite:data/taskapi.db", "--to=sqlite:new/b.db").expect(t, exitFailed, "stop that server first")
	p.stop(syscall.SIGTERM)
}

// A server keeps copies away from its database, also while nobody has an account.
func TestCopyRefusesAServedDatabase(t *testing.T) {
	address := storetest.NewServer(t).Address()
	folder(t)
	p := start(t, nil, "--database="+address)
	world{}.taskapi(t, "db", "init", "--data-dir=other").expect(t, exitOK)
	world{}.taskapi(t, "db", "copy", "--from=sqlite:other/taskapi.db", "--to="+address).expect(t, exitFailed, "since a server uses it")
	p.stop(syscall.SIGTERM)
	world{}.taskapi(t, "db", "copy", "--from=sqlite:other/taskapi.db", "--to="+address).expect(t, exitOK, "compared every row: 0 users")
	world{}.taskapi(t, "db", "copy", "--from="+address, "--to=sqlite:back.db").expect(t, exitOK, "compared every row: 0 users", "once it is taskapi.db in a data folder")
}
