//go:build darwin || freebsd

package machine

import "golang.org/x/sys/unix"

// FreeBytes returns the room that is left for this user on the disk that holds
// the path.
func FreeBytes(path string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, err
	}
	return uint64(max(0, int64(fs.Bavail))) * uint64(fs.Bsize), nil
}

// NetworkFS returns the name of the network file system that holds the path,
// "" for one of this machine.
func NetworkFS(path string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return "", err
	}
	if fs.Flags&unix.MNT_LOCAL != 0 {
		return "", nil
	}
	return unix.ByteSliceToString(fs.Fstypename[:]), nil
}

// ClockState is unknown here.
func ClockState() ClockSync { return ClockUnknown }
