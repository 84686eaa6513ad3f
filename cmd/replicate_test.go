package cmd

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// load is what writers were told, and when.
type load struct {
	mu       sync.Mutex
	answered map[string]time.Time
	stop     chan struct{}
	writers  sync.WaitGroup
}

// writeOn has so many writers add tasks until the server is gone.
func (p *process) writeOn(token string, writers int) *load {
	l := &load{answered: map[string]time.Time{}, stop: make(chan struct{})}
	for i := range writers {
		l.writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-l.stop:
					return
				default:
				}
				title := fmt.Sprintf("%d of %d", n, i)
				status, _, err := p.try("POST", "/tasks/", token, fmt.Sprintf(`{"title":%q}`, title))
				if err != nil || status != 201 {
					return // the server is gone
				}
				l.mu.Lock()
				l.answered[title] = time.Now()
				l.mu.Unlock()
			}
		})
	}
	return l
}

// places are the second places that the tests of processes use.
func places(t *testing.T) map[string][2][]string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	folder := t.TempDir()
	bucket := "s3://bucket/tasks?endpoint=" + url.QueryEscape(server.URL)
	secret := filepath.Join(t.TempDir(), "secret")
	writeFile(t, secret, "a secret\n")
	return map[string][2][]string{
		"folder": {{folder}, nil},
		"bucket": {{bucket}, {"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY_FILE=" + secret}},
	}
}

// waitReplica waits until the replica is whole and up to date.
func (p *process) waitReplica(t *testing.T, metrics string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Log(p.log.String())
		}
	}()
	until(t, "the replica is up to date", func() bool {
		_, text := fetch(t, metrics)
		return strings.Contains(text, "\ntaskapi_replica_behind_seconds 0\n") && strings.Contains(text, "\ntaskapi_replica_waiting_bytes 0\n")
	})
}

// metricsURL is where the metrics are: what the process has logged arrives a little later.
func (p *process) metricsURL() (address string) {
	p.t.Helper()
	until(p.t, "the address of the metrics is in the log", func() bool {
		address = regexp.MustCompile(`http://\S+/metrics`).FindString(p.log.String())
		return address != ""
	})
	return address
}

// waitRestored restores from a place, which is written meanwhile, until that gives a task: what a
// fast machine does in one pace of the replication has not arrived.
func (w world) waitRestored(t *testing.T, place string) {
	t.Helper()
	for range 100 {
		data := filepath.Join(t.TempDir(), "data")
		got := w.taskapi(t, "db", "restore", "--from", place, "--data-dir", data, "--yes").expect(t, exitOK, "Restored: 1 user")
		if !strings.Contains(got.out+got.err, ", 0 tasks") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("no task comes to be restored")
}

// When the machine is lost under load, its second place has all but the last moments, and what it
// has is whole: of each writer everything up to some task.
func TestTheMachineIsLost(t *testing.T) {
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			folder(t)
			p := start(t, place[1], "--rate-limit=off", "--metrics-addr=127.0.0.1:0", "--replicate-to="+place[0][0])
			token := p.signUp()["access_token"].(string)
			p.waitReplica(t, p.metricsURL())
			l := p.writeOn(token, 16)
			w := world{environ: place[1]}
			w.waitRestored(t, place[0][0])
			killed := time.Now()
			p.kill()
			close(l.stop)
			l.writers.Wait()
			w.taskapi(t, "db", "restore", "--from", place[0][0], "--data-dir=elsewhere", "--yes").expect(t, exitOK, "Restored: 1 user")
			second := startProcess(t, nil, []string{"serve", "--addr=127.0.0.1:0", "--data-dir=elsewhere", "--rate-limit=off"})
			found := second.titles(second.login())
			lost, loss := 0, time.Duration(0)
			for title, at := range l.answered {
				if !found[title] {
					lost, loss = lost+1, max(loss, killed.Sub(at))
				}
				var n, i int
				if _, err := fmt.Sscanf(title, "%d of %d", &n, &i); err != nil {
					t.Fatal(err)
				}
				if n > 0 && found[title] && !found[fmt.Sprintf("%d of %d", n-1, i)] {
					t.Errorf("%q is there, and what was answered before it is not", title)
				}
			}
			if len(found) == 0 || lost == len(l.answered) {
				t.Errorf("%d found, %d of %d lost\n%s", len(found), lost, len(l.answered), p.log.String())
			}
			t.Logf("%d answered; lost: %d, those of the last %s", len(l.answered), lost, loss.Round(time.Millisecond))
			if code := second.stop(syscall.SIGTERM); code != exitOK {
				t.Errorf("exit code %d\n%s", code, second.log.String())
			}
		})
	}
}

// The command says what a place holds, and what is wrong with a moment.
func TestRestoreFromAReplica(t *testing.T) {
	folder(t)
	if err := os.Mkdir("place", 0o700); err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, "--metrics-addr=127.0.0.1:0", "--replicate-to=place")
	token := p.signUp()["access_token"].(string)
	p.waitReplica(t, p.metricsURL())
	between := time.Now().Add(2 * time.Millisecond)
	time.Sleep(5 * time.Millisecond)
	if status, answer := p.call("POST", "/tasks/", token, `{"title":"later"}`); status != 201 {
		t.Fatal(status, answer)
	}
	world{}.taskapi(t, "db", "restore", "--from", "place", "--data-dir=data", "--yes").expect(t, exitFailed, "another")
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Fatal(code, p.log.String())
	}
	got := world{}.taskapi(t, "db", "restore", "--from", "place", "--data-dir=data", "--yes", "--at", "2001-01-01T00:00:00Z")
	got.expect(t, exitFailed, "it holds the states from 20", "the database is as it was")
	world{}.taskapi(t, "db", "restore", "--from", "place", "--data-dir=data", "--yes", "--at", "soon").expect(t, exitUsage, "--at: expected a time")
	world{}.taskapi(t, "db", "restore", "--data-dir=data", "--yes", "--at", "2001-01-01T00:00:00Z").expect(t, exitUsage, "wants one argument")
	world{}.taskapi(t, "db", "restore", "x.db", "--from", "place").expect(t, exitUsage, "not both")
	world{}.taskapi(t, "db", "restore", "--from", "nowhere", "--data-dir=data", "--yes").expect(t, exitFailed, "no such folder")
	world{}.taskapi(t, "db", "restore", "--from", "data", "--data-dir=data", "--yes").expect(t, exitFailed, "no whole copy of a database")
	world{}.taskapi(t, "db", "restore", "--from", "place", "--data-dir=data", "--yes", "--at", between.UTC().Format(time.RFC3339Nano)).
		expect(t, exitOK, "Restored: 1 user, 0 tasks as of ", "What was there before is kept as")
	world{}.taskapi(t, "db", "restore", "--from", "place", "--data-dir=data", "--yes").expect(t, exitOK, "Restored: 1 user, 1 task as of ")
	world{}.taskapi(t, "doctor", "--data-dir=data", "--replicate-to=place").finds(t, "ok", "replica", "holds the states from ")
	world{}.taskapi(t, "doctor", "--data-dir=data", "--replicate-to=nowhere").finds(t, "fail", "replica", "mount or make it")
	world{}.taskapi(t, "serve", "--data-dir=data", "--replicate-to=data/place").expect(t, exitUsage, "outside of the data folder")
	world{}.taskapi(t, "serve", "--data-dir=data", "--replicate-to=s3://bucket").expect(t, exitUsage, "AWS_SECRET_ACCESS_KEY")
}

// A place that is not there holds up nobody.
func TestAReplicaInTrouble(t *testing.T) {
	folder(t)
	p := start(t, nil, "--replicate-to=nowhere")
	token := p.signUp()["access_token"].(string)
	if status, answer := p.call("POST", "/tasks/", token, `{"title":"t"}`); status != 201 {
		t.Fatal(status, answer)
	}
	if status, answer := p.call("GET", "/readyz", "", ""); status != 200 || answer["checks"].(map[string]any)["replica"] != "ok" {
		t.Error(status, answer) // for a minute
	}
	if code := p.stop(syscall.SIGTERM); code != exitOK || !strings.Contains(p.log.String(), "the replica can't be kept up to date") {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
}
