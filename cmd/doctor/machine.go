package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"taskapi/app/sqlite"
	"taskapi/app/store"
	"taskapi/cmd/datadir"
	"taskapi/cmd/machine"
)

const (
	// LeastFree is the free disk space, in bytes, below which the server is not
	// ready: time to make room before writes fail.
	LeastFree = 64 << 20
	// slowSync and uselessSync are what a sync of the disk may take: each
	// answered write waits for one.
	slowSync    = 100 * time.Millisecond
	uselessSync = 2 * time.Second
)

func checkBinary() Finding {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return warning("this binary does not say what it is made of; build it with Go modules")
	}
	known, err := sqlite.CheckPair(build)
	switch {
	case err != nil:
		return failure("the database's driver and its C library do not go together (%v); build from an unchanged go.mod, or install a release", err)
	case !known:
		return warning("this binary does not say which libraries it holds; build it with \"go build\" in the module's own folder")
	}
	return okay("the database's driver and its C library go together")
}

// checkClock compares the clock with what can't be in its future: this program,
// and what it has written. One without a battery begins in the past.
func checkClock(ctx context.Context, d datadir.Dir, made, now time.Time, state machine.ClockSync) Finding {
	if now.Before(made) {
		return failure("the clock shows %s; set it, and keep it right with NTP (\"timedatectl set-ntp true\")", now.Format(time.DateOnly))
	}
	for _, name := range []string{datadir.DatabaseFile, datadir.DatabaseFile + "-wal", datadir.KeyFile} {
		if info, err := os.Stat(filepath.Join(d.Path, name)); err == nil && info.ModTime().After(now.Add(store.ClockSlack)) {
			return failure("the clock shows %s, but %s was written at %s; set the clock, and keep it right with NTP",
				now.Format(time.DateTime), name, info.ModTime().Format(time.DateTime))
		}
	}
	if err := ClockBehind(now, sqlite.NewestIn(ctx, d.Database()), state); err != nil {
		return warning("%v", err)
	}
	if state == machine.ClockFree {
		return warning("nothing keeps the clock right; switch NTP on (\"timedatectl set-ntp true\"), or tokens and links expire at the wrong time")
	}
	return okay("the clock shows %s", now.Format(time.RFC3339))
}

// ClockBehind returns an error if the newest row is dated after now and nothing
// keeps the clock right.
func ClockBehind(now, newest time.Time, state machine.ClockSync) error {
	if newest.After(now.Add(store.ClockSlack)) && state != machine.ClockSynced {
		return fmt.Errorf("the clock shows %s, but the newest entry in the database is of %s: set the clock, and keep it right with NTP; if it is right, it was ahead when that was written",
			now.Format(time.DateTime), newest.Format(time.DateTime))
	}
	return nil
}

func checkFolder(d datadir.Dir) Finding {
	info, err := os.Stat(d.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return okay("there is no data folder %s yet; \"taskapi serve\" makes it", d.Path)
	case err != nil:
		return failure("the data folder %s can't be read; run this as the user it belongs to, or choose another with --data-dir", d.Path)
	case !info.IsDir():
		return failure("%s is not a folder; choose another with --data-dir", d.Path)
	}
	if err := writable(d.Path); err != nil {
		return failure("nothing can be written in %s (%v); run this as the user it belongs to, or change who may write there", d.Path, cause(err))
	}
	if err := d.CheckFiles(); err != nil {
		return failure("%v", err)
	}
	return checkModes(d, info)
}

// checkModes checks whether other users may read the secrets, and whether this one may.
func checkModes(d datadir.Dir, folder fs.FileInfo) Finding {
	for _, name := range []string{datadir.DatabaseFile, datadir.KeyFile} {
		path := filepath.Join(d.Path, name)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		switch {
		case err != nil:
			return failure("%s can't be read; run this as the user it belongs to", path)
		case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 && folder.Mode().Perm()&0o077 != 0:
			return warning("other users of this machine may read %s; run \"chmod 700 %s\"", path, d.Path)
		}
	}
	if _, err := os.ReadFile(filepath.Join(d.Path, datadir.KeyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure("the key in %s can't be read; run this as the user it belongs to", d.Path)
	}
	return okay("the data folder is %s", d.Path)
}

func checkFileSystem(d datadir.Dir) Finding {
	name, err := machine.NetworkFS(existingPart(d.Path))
	switch {
	case err != nil:
		return warning("the file system of %s can't be told (%v)", d.Path, cause(err))
	case name == "FUSE":
		return warning("%s is on a FUSE file system; if that is one of a network, move the data to a disk of this machine", d.Path)
	case name != "":
		return failure("%s is on a network file system (%s), where databases get damaged; move the data to a disk of this machine", d.Path, name)
	}
	return okay("the data is on a disk of this machine")
}

func checkRoom(d datadir.Dir) Finding {
	dir := existingPart(d.Path)
	free, err := machine.FreeBytes(dir)
	switch {
	case err != nil:
		return warning("the room on the disk of %s can't be told (%v)", d.Path, cause(err))
	case free < LeastFree:
		return failure("the disk of %s is as good as full, with %d MiB left; make room", d.Path, free>>20)
	case free < 10*LeastFree:
		return warning("only %d MiB are left on the disk of %s; make room", free>>20, d.Path)
	}
	return okay("%.1f GiB are free on the disk", float64(free)/(1<<30))
}

// checkSync measures what every answered write waits for.
func checkSync(ctx context.Context, d datadir.Dir) Finding {
	took, err := slowestSync(ctx, d.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EROFS):
		return okay("not measured: there is no data folder that can be written")
	case err != nil:
		return failure("writing in %s fails (%v); make room, or look at the system's log for a broken disk", d.Path, cause(err))
	case took > uselessSync:
		return failure("the disk takes %s to keep one write; it is overloaded or breaking: look at the system's log", took.Round(time.Millisecond))
	case took > slowSync:
		return warning("the disk takes %s to keep one write; every change waits for that: a faster disk, or --durability normal, helps", took.Round(time.Millisecond))
	}
	return okay("the disk keeps a write within %s", max(took.Round(100*time.Microsecond), 100*time.Microsecond))
}

// slowestSync writes and syncs a page a few times and returns the slowest.
func slowestSync(ctx context.Context, dir string) (slowest time.Duration, err error) {
	file, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	page := make([]byte, 4096)
	for range 5 {
		if ctx.Err() != nil {
			return max(slowest, uselessSync+1), nil
		}
		began := time.Now()
		if _, err := file.Write(page); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		slowest = max(slowest, time.Since(began))
	}
	return slowest, nil
}

func checkDatabase(ctx context.Context, d datadir.Dir) Finding {
	path := d.Database()
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && d.Served():
		return failure("%s is gone while a taskapi uses it; stop that one, put the file back or restore a backup", path)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return okay("there is no database yet; \"taskapi serve\" makes it")
	case err == nil && info.Size() == 0 && d.WasServed():
		return failure("%s is empty, and it was not; stop the server and restore a backup", path)
	case err == nil:
		err = sqlite.Inspect(ctx, path)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return failure("%s can't be read by this user; run this as the user it belongs to", path)
	case err == nil:
		return okay("every page of the database is whole")
	case ctx.Err() != nil:
		return warning("the database is too large to be looked through in %s; nothing wrong was found until then", checkTimeout)
	case errors.Is(err, sqlite.ErrDamaged), errors.Is(err, sqlite.ErrNotDatabase):
		return failure("%s is damaged; stop the server and restore a backup (%v)", path, cause(err))
	case errors.Is(err, store.ErrInconsistent):
		return failure("%s is whole, but %v; please report this, and restore a backup if something is missing", path, err)
	case errors.Is(err, sqlite.ErrOtherTimeline):
		return failure("%s", datadir.OtherTimeline(path))
	case errors.Is(err, sqlite.ErrForeign):
		return failure("%s belongs to another program; choose another folder with --data-dir", path)
	case errors.Is(err, sqlite.ErrNewer):
		return failure("%s was made by a newer version of taskapi; install that version or restore a backup", path)
	case errors.Is(err, sqlite.ErrLocked):
		return warning("%s is held by another process; try again in a moment", path)
	case errors.Is(err, sqlite.ErrReadOnly):
		return failure("%s can't be used; run this as the user it belongs to, or change who may write there", path)
	}
	return failure("%s can't be read (%v); look at the system's log for a broken disk", path, cause(err))
}

// checkWebhooks looks for those that tell nobody of anything any more.
func checkWebhooks(ctx context.Context, d datadir.Dir) Finding {
	off, dead := sqlite.WebhooksInTrouble(ctx, d.Database())
	if off+dead == 0 {
		return okay("none is switched off, and no event was given up")
	}
	return warning("switched off: %d; events of the last 30 days that were given up: %d; their users see why at GET /webhooks, and resume or redeliver them", off, dead)
}

// checkBackups looks at those in the backup folder, and whether more can be made.
func checkBackups(b *sqlite.Backups, served bool, now time.Time) Finding {
	all, err := b.List()
	if err != nil {
		return failure("the backups in %s can't be read (%v); run this as the user they belong to, or choose another folder with --backup-dir", b.Dir, cause(err))
	}
	newest := "none has been made yet"
	made, found := b.Newest(all)
	switch {
	case found:
		newest = fmt.Sprintf("the newest is %s old", now.Sub(made.MadeAt).Round(time.Second))
	case len(all) > 0:
		newest = "all are dated in the future: set the clock, or move them away"
	}
	if b.Every == 0 {
		return okay("none are made by themselves (--backup-every 24h); %s", newest)
	}
	if err := writable(existingPart(b.Dir)); err != nil {
		return failure("no backup can be made in %s (%v); change who may write there, or choose another folder with --backup-dir", b.Dir, cause(err))
	}
	switch late := len(all) > 0 && (!found || now.Sub(made.MadeAt) > 2*b.Every); {
	case late && served:
		return failure("one is to be made every %s, but %s; the server's log says why", b.Every, newest)
	case late:
		return warning("one is to be made every %s, but %s; \"taskapi serve\" makes the next", b.Every, newest)
	}
	return okay("one is to be made every %s; %s", b.Every, newest)
}

// writable makes a file in a folder and removes it.
func writable(dir string) error {
	probe, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// existingPart is the folder, or the one above that is there.
func existingPart(dir string) string {
	dir, err := filepath.Abs(dir)
	for err == nil {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// cause is an error on one line without the path that the sentence has.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return strings.Join(strings.Fields(fmt.Sprint(err)), " ")
}

// checkLeftovers reports leftovers, each as large as the database.
func checkLeftovers(d datadir.Dir, backups string, now time.Time) Finding {
	var names []string
	for _, dir := range []string{d.Path, backups} {
		found, err := sqlite.Leftovers(dir, now)
		if err != nil {
			return warning("%s can't be read (%v); run this as the user it belongs to", dir, cause(err))
		}
		for _, left := range found {
			names = append(names, fmt.Sprintf("%s (%s)", left.Path, machine.BytesText(left.Bytes)))
		}
	}
	if len(names) > 0 {
		return warning("an unfinished upgrade, backup, restore or copy has left %s; the next start or backup removes it", strings.Join(names, " and "))
	}
	aside, err := sqlite.Aside(d.Database())
	if err != nil {
		return warning("%s can't be read (%v); run this as the user it belongs to", d.Path, cause(err))
	}
	if len(aside) == 0 {
		return okay("no unfinished copies lie about")
	}
	var bytes int64
	for _, old := range aside {
		bytes += old.Bytes
	}
	return okay("no unfinished copies lie about; restores have kept %d replaced databases (%s): delete %s%s* when you no longer need them",
		len(aside), machine.BytesText(bytes), d.Database(), sqlite.AsideMark)
}
