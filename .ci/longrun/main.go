// Command longrun is a day of the server in minutes: twenty people do all that the API, calendar
// clients and assistants can do, with streams, webhooks, mails, backups and a log that is rotated,
// and slow attackers come at the end. It fails if an answer is not one of the contract, if a
// webhook or mail that is owed does not arrive, if memory, descriptors, goroutines or the
// write-ahead log grow, if the doctor finds anything, or if a backup can't be restored:
//
//	go run .ci/longrun/*.go                             # short, for .ci/run
//	go run .ci/longrun/*.go -for 10m -slow 30s -rest 1m # a day
//
// Everything stays on loopback and ends by itself. It needs slowhttptest, unless -slow is 0.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// plan is how long the parts of a run take.
type plan struct {
	binary            string
	traffic, slow     time.Duration
	rest              time.Duration
	people            int
	pause             time.Duration
	seed              uint64
	folder, openAPI   string
	rotateEvery, look time.Duration
}

// long reports whether there is time for what waits for minutes.
func (p plan) long() bool { return p.traffic >= 3*time.Minute }

func main() {
	var p plan
	flag.StringVar(&p.binary, "binary", "", "the taskapi to run; built from this folder if it is empty")
	flag.DurationVar(&p.traffic, "for", 20*time.Second, "how long the traffic goes on")
	flag.DurationVar(&p.slow, "slow", 3*time.Second, "how long each kind of slow attack goes on; 0 leaves them out")
	flag.DurationVar(&p.rest, "rest", 5*time.Second, "how long the server rests at the end before it is looked at")
	flag.IntVar(&p.people, "people", 20, "how many accounts there are")
	flag.DurationVar(&p.pause, "pause", 20*time.Millisecond, "how long a person waits between two requests")
	flag.Uint64Var(&p.seed, "seed", uint64(time.Now().UnixNano()), "of what people do")
	flag.Parse()
	if err := try(p); err != nil {
		fmt.Fprintf(os.Stderr, "longrun (-seed %d): %v\n", p.seed, err)
		os.Exit(1)
	}
}

func try(p plan) (err error) {
	if _, lost := exec.LookPath("slowhttptest"); lost != nil && p.slow > 0 {
		return errors.New("there is no slowhttptest; install it, or leave the slow attacks out with -slow 0")
	}
	if p.folder, err = os.MkdirTemp("", "taskapi-longrun-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(p.folder) }()
	if p.binary == "" {
		p.binary = filepath.Join(p.folder, "taskapi")
		build := exec.Command("go", "build", "-trimpath", "-o", p.binary, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	p.openAPI = filepath.Join("app", "api", "openapi.yaml")
	p.rotateEvery, p.look = p.traffic/5, time.Second
	if p.long() {
		p.look = 3 * time.Second
	}
	r, err := begin(p)
	if err != nil {
		return err
	}
	defer r.end()
	if err := r.day(); err != nil {
		return err
	}
	return r.faults.report()
}

// day is the whole run: what is wrong with single answers is collected, and an error is what
// makes it pointless to go on.
func (r *run) day() error {
	base, err := r.warmUp()
	if err != nil {
		return err
	}
	loaded := r.traffic(base)
	r.judgeLoad(loaded)
	r.judgeArrivals()
	if r.plan.slow > 0 {
		r.slowAttacks()
	}
	r.judgeRest(base)
	r.askDoctor("while it serves", r.server.flags...)
	if err := r.server.stop(); err != nil {
		return fmt.Errorf("the server did not stop in order: %w", err)
	}
	if _, err := os.Stat(r.server.database() + "-wal"); err == nil {
		r.faults.add("the write-ahead log is there after an orderly stop")
	}
	r.askDoctor("after the stop", "--data-dir="+r.server.dir)
	r.judgeHousekeeping()
	r.restoreBackups()
	r.readLog()
	r.contract.print()
	return nil
}
