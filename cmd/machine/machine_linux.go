package machine

import "golang.org/x/sys/unix"

// FreeBytes returns the room that is left for this user on the disk that holds
// the path.
func FreeBytes(path string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

// NetworkFS returns the name of the network file system that holds the path,
// "" for one of this machine.
func NetworkFS(path string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return "", err
	}
	// The numbers of statfs(2); some are negative where the field is 32 bits.
	switch uint32(fs.Type) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS", nil
	case 0xff534d42, 0xfe534d42, unix.SMB_SUPER_MAGIC:
		return "SMB", nil
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS", nil
	case unix.V9FS_MAGIC:
		return "9P", nil
	case 0x00c36400:
		return "Ceph", nil
	case 0x01161970:
		return "GFS2", nil
	case 0x65735546:
		return "FUSE", nil // sshfs and the like; some are local
	}
	return "", nil
}

// ClockState asks the kernel whether something such as NTP keeps its clock.
func ClockState() ClockSync {
	var state unix.Timex
	if _, err := unix.Adjtimex(&state); err != nil {
		return ClockUnknown
	}
	if state.Status&unix.STA_UNSYNC != 0 {
		return ClockFree
	}
	return ClockSynced
}
