package cmd

import (
	"net/http"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// Files that were made read-only, all or one of them, are set right before the
// database is opened.
func TestFilesOfTheDatabaseThatAreReadOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	for _, suffixes := range [][]string{{""}, {"-wal"}, {"-shm"}, {"", "-wal", "-shm"}} {
		folder(t)
		p := start(t, nil)
		p.signUp()
		token := p.login()
		p.kill()
		for _, suffix := range suffixes {
			if err := os.Chmod("data/taskapi.db"+suffix, 0o444); err != nil {
				t.Fatal(err)
			}
		}
		p = start(t, nil)
		if status, answer := p.call(http.MethodPost, "/tasks/", token, `{"title":"x"}`); status != 201 {
			t.Errorf("%v: %d %v", suffixes, status, answer)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if info, err := os.Stat("data/taskapi.db" + suffix); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v: %s is %v, %v", suffixes, suffix, info.Mode(), err)
			}
		}
		if code := p.stop(syscall.SIGTERM); code != exitOK {
			t.Errorf("%v: it ended with %d", suffixes, code)
		}
	}
}
