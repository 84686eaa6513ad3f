package sqlite

import (
	"fmt"
	"runtime/debug"
)

// The driver is generated for one version of its C library, and crashes on
// 32-bit ARM with another. A test at the root holds these to what is linked.
const (
	driverVersion = "v1.62.0"
	libcVersion   = "v1.80.1"
)

// Their modules.
const (
	driverModule = "modernc.org/sqlite"
	libcModule   = "modernc.org/libc"
)

// CheckPair looks in what a binary says of its build whether the driver and its
// C library go together. Known is false if it does not say.
func CheckPair(build *debug.BuildInfo) (known bool, err error) {
	linked := map[string]string{}
	for _, module := range build.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		linked[module.Path] = module.Version
	}
	driver, libc := linked[driverModule], linked[libcModule]
	switch {
	case driver == "" || libc == "":
		return false, nil
	case driver != driverVersion || libc != libcVersion:
		return true, fmt.Errorf("%s %s is linked with %s %s; it should be %s with %s", driverModule, driver, libcModule, libc, driverVersion, libcVersion)
	}
	return true, nil
}
