// Command crash tries to make the built binary lose or damage something:
//
//	go run .ci/crash/*.go -kills 200     # kill -9 under 64 parallel writers
//	go run .ci/crash/*.go -full          # the disk fills up (a tmpfs; needs root)
//	go run .ci/crash/*.go -syncs         # strace: a sync between a write and its answer; syncs that fail
//	go run .ci/crash/*.go -cuts 500      # the power is cut (FUSE; needs root)
//	go run .ci/crash/*.go -soak 60s      # 64 parallel creates, readers, checkpoints
//
// Everything stays on loopback and ends by itself; it exits with 1 at the
// first promise that is broken.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func main() {
	kills := flag.Int("kills", 0, "how many times to kill the server while 64 writers write")
	full := flag.Bool("full", false, "fill the disk")
	syncs := flag.Bool("syncs", false, "watch the system calls")
	soak := flag.Duration("soak", 0, "how long to write without a pause")
	cuts := flag.Int("cuts", 0, "how many times to cut the power")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of the kills and cuts")
	flag.Parse()
	if err := try(*kills, *cuts, *full, *syncs, *soak, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func try(kills, cuts int, full, syncs bool, soak time.Duration, seed uint64) error {
	work, err := os.MkdirTemp("", "taskapi-crash-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	program := filepath.Join(work, "taskapi")
	build := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if kills > 0 {
		if err := tryKills(program, filepath.Join(work, "kills"), kills, seed); err != nil {
			return fmt.Errorf("kills (-seed %d): %w", seed, err)
		}
	}
	if cuts > 0 {
		if err := tryCuts(program, filepath.Join(work, "cuts"), cuts, seed, nil, nil); err != nil {
			return fmt.Errorf("power cuts (-seed %d): %w", seed, err)
		}
		if err := trySpoiltCuts(program, filepath.Join(work, "spoilt"), seed); err != nil {
			return fmt.Errorf("power cuts that have to lose something (-seed %d): %w", seed, err)
		}
	}
	if full {
		if err := tryFull(program, filepath.Join(work, "full")); err != nil {
			return fmt.Errorf("full disk: %w", err)
		}
	}
	if syncs {
		if err := trySyncs(program, filepath.Join(work, "syncs")); err != nil {
			return fmt.Errorf("syncs: %w", err)
		}
		if err := tryFaults(program, filepath.Join(work, "faults")); err != nil {
			return fmt.Errorf("failing syncs: %w", err)
		}
	}
	if soak > 0 {
		if err := trySoak(program, filepath.Join(work, "soak"), soak); err != nil {
			return fmt.Errorf("soak: %w", err)
		}
	}
	return nil
}
