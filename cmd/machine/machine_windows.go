package machine

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// FreeBytes returns the room that is left for this user on the disk that holds
// the path.
func FreeBytes(path string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err
}

// NetworkFS returns the name of the network file system that holds the path,
// "" for one of this machine.
func NetworkFS(path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	root, err := windows.UTF16PtrFromString(filepath.VolumeName(whole) + `\`)
	if err != nil {
		return "", err
	}
	if windows.GetDriveType(root) == windows.DRIVE_REMOTE {
		return "a network drive", nil
	}
	return "", nil
}

// ClockState is unknown here.
func ClockState() ClockSync { return ClockUnknown }
