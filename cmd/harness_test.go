package cmd

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"taskapi/cmd/machine"
)

// outcome is what a command did.
type outcome struct {
	code     int
	out, err string
}

// world is what a command sees of the machine. The zero value is a pipe with
// nothing in it, and no environment.
type world struct {
	in       string
	environ  []string
	terminal bool
	typed    []string // what a person types when asked for a password
}

// taskapi runs a command line in an empty folder of the test's own, which it
// shares with the calls before it.
func (w world) taskapi(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	typed := w.typed
	code := run(context.Background(), &application{clock: machine.NewClock(time.Time{}),
		build: Build{Version: "1.2.3", Schema: schema(t)},
		in:    strings.NewReader(w.in), out: &out, err: &err, environ: w.environ,
		terminal: func() bool { return w.terminal },
		screen:   func() bool { return w.terminal },
		readPassword: func(context.Context) ([]byte, error) {
			if len(typed) == 0 {
				return nil, errors.New("nothing was typed")
			}
			next := typed[0]
			typed = typed[1:]
			return []byte(next), nil
		},
	}, append([]string{}, args...)) // cobra reads the arguments of the tests in place of none at all
	return outcome{code, out.String(), err.String()}
}

// root is found from this file, since the tests change the working folder.
func root(t testing.TB) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..")
}

func schema(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// expect checks the exit code and that the texts hold what they must.
func (o outcome) expect(t *testing.T, code int, texts ...string) outcome {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", o.code, code, o.out, o.err)
	}
	for _, text := range texts {
		if !strings.Contains(o.out+o.err, text) {
			t.Errorf("no %q in\n%s%s", text, o.out, o.err)
		}
	}
	return o
}

// folder makes an empty folder the working one, and returns the data folder's
// flag.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	return "--data-dir=" + filepath.Join(dir, "data")
}

func portText(port int) string { return strconv.Itoa(port) }
