package sqlite

import (
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

func TestThePairOfDriverAndLibc(t *testing.T) {
	// What is written down is what go.mod has, which a test at the root
	// compares with what the driver asks for.
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{driverModule + " " + driverVersion, libcModule + " " + libcVersion} {
		if !strings.Contains(string(text), "\t"+line) {
			t.Errorf("go.mod has no %s: change pair.go", line)
		}
	}
	build := func(driver, libc string) *debug.BuildInfo {
		return &debug.BuildInfo{Deps: []*debug.Module{{Path: driverModule, Version: driver}, {Path: libcModule, Version: libc}}}
	}
	if known, err := CheckPair(build(driverVersion, libcVersion)); !known || err != nil {
		t.Error(known, err)
	}
	if known, err := CheckPair(build(driverVersion, "v1.0.0")); !known || err == nil {
		t.Error(known, err)
	}
	if known, err := CheckPair(&debug.BuildInfo{}); known || err != nil {
		t.Error(known, err)
	}
}
