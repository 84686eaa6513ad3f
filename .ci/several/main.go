// Command several runs three taskapi processes on one PostgreSQL database behind nginx, as the
// guide describes it, and tries to make them contradict each other: under load it kills one of
// them every few seconds, then the database server twice, and at the end for good, so that a
// standby has to take over.
//
//	go run .ci/several/*.go                       # short, for .ci/run
//	go run .ci/several/*.go -for 10m              # long
//	go run .ci/several/*.go -also '.ci/mcp' …     # and runs a command with TASKAPI_URL set
//
// It needs nginx and PostgreSQL 15; as root it runs the latter as the user postgres. Everything
// stays on loopback, below a temporary folder, and ends by itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// plan is how long the parts of a run take.
type plan struct {
	kills, every time.Duration // how long processes are killed, and how often
	cuts         int           // how often the database server is killed
	also         []string
}

func main() {
	var p plan
	flag.DurationVar(&p.kills, "for", 28*time.Second, "how long processes are killed")
	flag.DurationVar(&p.every, "every", 4*time.Second, "how often one is")
	flag.IntVar(&p.cuts, "cuts", 2, "how often the database server is killed")
	flag.Func("also", "a command to run with TASKAPI_URL; may be given again", func(one string) error { p.also = append(p.also, one); return nil })
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := try(ctx, p); err != nil {
		fmt.Fprintf(os.Stderr, "several: %v\n", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func try(ctx context.Context, p plan) (err error) {
	work, err := os.MkdirTemp("", "taskapi-several-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := os.Chmod(work, 0o755); err != nil { //nolint:gosec // the user postgres goes through it
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(work, "taskapi"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	c, err := begin(ctx, work)
	if c != nil {
		defer c.end()
	}
	if err != nil {
		return err
	}
	if err := c.run(ctx, p); err != nil {
		return err
	}
	if err := c.faults.report(); err != nil {
		c.tails()
		return err
	}
	return nil
}

// run is the whole run: what is wrong with single answers is collected, and an error is what makes
// it pointless to go on.
func (c *cluster) run(ctx context.Context, p plan) error {
	if err := c.refuseOtherKeys(ctx); err != nil {
		return err
	}
	l, err := c.newLoad(ctx)
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	l.start(working)
	c.killProcesses(ctx, p)
	c.cutDatabase(ctx, p.cuts)
	rest(ctx, 2*time.Second)
	stop()
	l.wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	l.judge(ctx)
	c.measureQuiet(ctx, l)
	for _, one := range p.also {
		fmt.Println("--", one)
		command := exec.CommandContext(ctx, "bash", "-c", one)
		command.Env = append(os.Environ(), "TASKAPI_URL="+c.url, "TASKAPI="+c.program)
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
		if err := command.Run(); err != nil {
			c.faults.add("%s: %v", one, err)
		}
	}
	if err := c.failOver(ctx); err != nil {
		return err
	}
	c.readLogs()
	return nil
}

// rest waits unless the context ends.
func rest(ctx context.Context, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}
