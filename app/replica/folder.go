package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// Folder is a place on a disk: another one, or one behind the network. The folder must be
// there: one that is not may be a disk that is not mounted.
type Folder struct{ Path string }

// unfinished begins the name of a file that is being written.
const unfinished = ".partial-"

func (f *Folder) String() string { return f.Path }

func (f *Folder) path(name string) string { return filepath.Join(f.Path, filepath.FromSlash(name)) }

// Put writes a file under another name, puts it on the disk, and gives it its name.
func (f *Folder) Put(ctx context.Context, name string, data []byte) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.makeDirs(filepath.Dir(f.path(name))); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(f.path(name)), unfinished+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // what went wrong is known
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), f.path(name)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path(name)))
}

// there returns an error unless the folder is there. It is not made: an empty one may be where a disk
// is mounted later.
func (f *Folder) there() error {
	if _, err := os.Stat(f.Path); err != nil {
		return fmt.Errorf("make the folder, or mount the disk that it is on: %w", err)
	}
	return nil
}

// makeDirs makes the folders that are missing below the place, so that they outlive a power cut.
func (f *Folder) makeDirs(dir string) error {
	if err := f.there(); err != nil {
		return err
	}
	var missing []string
	for ; dir != f.Path; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes the names in a folder outlive a power cut, where the system and the file system can:
// Windows can't, nor can some that are behind the network (EINVAL).
func syncDir(path string) error {
	dir, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	err = dir.Sync()
	if runtime.GOOS == "windows" || errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}

// Get reads a file.
func (f *Folder) Get(ctx context.Context, name string) (data []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := os.Open(f.path(name))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	data, err = io.ReadAll(io.LimitReader(file, largest+1))
	if err == nil && len(data) > largest {
		err = fmt.Errorf("%s: %w", name, errTooLarge)
	}
	return data, err
}

// List walks the folder. What is not there has no objects, but the folder itself must be there.
func (f *Folder) List(ctx context.Context, prefix string) (all []Object, err error) {
	if err := f.there(); err != nil {
		return nil, err
	}
	root := f.path(prefix[:strings.LastIndex(prefix, "/")+1])
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it has gone meanwhile
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		name, err := filepath.Rel(f.Path, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), unfinished) || !strings.HasPrefix(name, prefix) {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		all = append(all, Object{name, info.Size()})
		return nil
	})
	slices.SortFunc(all, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

// Delete removes a file, and the folders above it that are empty then.
func (f *Folder) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for dir := filepath.Dir(f.path(name)); dir != f.Path && os.Remove(dir) == nil; {
		dir = filepath.Dir(dir)
	}
	return nil
}
