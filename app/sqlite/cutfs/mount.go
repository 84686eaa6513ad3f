//go:build linux

package cutfs

import (
	"context"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Mount shows the disk at an empty folder, for root on Linux with /dev/fuse. The program that
// mounts it must not look at it there, or it may wait for itself; unmount ends it, also where
// programs still have files open.
func (d *Disk) Mount(folder string) (unmount func() error, err error) {
	forever := time.Hour // nobody else changes the disk
	server, err := fs.Mount(folder, &inode{disk: d, node: d.root}, &fs.Options{
		EntryTimeout: &forever, AttrTimeout: &forever,
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "cutfs", Name: "cutfs", DisableXAttrs: true, MaxWrite: 128 << 10},
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			return err
		}
		server.Wait()
		return nil
	}, nil
}

// inode is a node as FUSE has it.
type inode struct {
	fs.Inode
	disk *Disk
	node *node
}

var (
	_ fs.NodeLookuper  = (*inode)(nil)
	_ fs.NodeReaddirer = (*inode)(nil)
	_ fs.NodeGetattrer = (*inode)(nil)
	_ fs.NodeSetattrer = (*inode)(nil)
	_ fs.NodeOpener    = (*inode)(nil)
	_ fs.NodeReader    = (*inode)(nil)
	_ fs.NodeWriter    = (*inode)(nil)
	_ fs.NodeFsyncer   = (*inode)(nil)
	_ fs.NodeFlusher   = (*inode)(nil)
	_ fs.NodeCreater   = (*inode)(nil)
	_ fs.NodeMkdirer   = (*inode)(nil)
	_ fs.NodeLinker    = (*inode)(nil)
	_ fs.NodeUnlinker  = (*inode)(nil)
	_ fs.NodeRmdirer   = (*inode)(nil)
	_ fs.NodeRenamer   = (*inode)(nil)
	_ fs.NodeStatfser  = (*inode)(nil)
)

// reads begins what changes nothing; the caller unlocks the disk.
func (i *inode) reads() syscall.Errno {
	i.disk.mu.Lock()
	if i.disk.dead {
		return syscall.EIO
	}
	return 0
}

// changes begins a change or a sync; the caller unlocks the disk.
func (i *inode) changes() syscall.Errno {
	i.disk.mu.Lock()
	if !i.disk.dead {
		i.disk.changes++
		i.disk.dead = i.disk.changes == i.disk.CutAt
	}
	if i.disk.dead {
		return syscall.EIO
	}
	return 0
}

// show tells FUSE of a node.
func (i *inode) show(ctx context.Context, n *node, out *fuse.EntryOut) *fs.Inode {
	n.describe(&out.Attr)
	return i.NewInode(ctx, &inode{disk: i.disk, node: n}, fs.StableAttr{Mode: n.mode & syscall.S_IFMT, Ino: n.number})
}

func (n *node) describe(a *fuse.Attr) {
	a.Ino, a.Mode, a.Size, a.Nlink, a.Blksize = n.number, n.mode, uint64(len(n.data)), 1, 4096
	a.Blocks = (a.Size + sector - 1) / sector
	a.SetTimes(nil, &n.changed, &n.changed)
}

func (i *inode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	errno := i.reads()
	defer i.disk.mu.Unlock()
	n := i.node.names[name]
	if errno == 0 && n == nil {
		errno = syscall.ENOENT
	}
	if errno != 0 {
		return nil, errno
	}
	return i.show(ctx, n, out), 0
}

func (i *inode) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	errno := i.reads()
	defer i.disk.mu.Unlock()
	if errno != 0 {
		return nil, errno
	}
	var entries []fuse.DirEntry
	for _, name := range sorted(i.node.names) {
		n := i.node.names[name]
		entries = append(entries, fuse.DirEntry{Name: name, Mode: n.mode, Ino: n.number})
	}
	return fs.NewListDirStream(entries), 0
}

func (i *inode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	errno := i.reads()
	defer i.disk.mu.Unlock()
	i.node.describe(&out.Attr)
	return errno
}

// Setattr changes the size and the mode; the mode is never lost.
func (i *inode) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	errno := i.changes()
	defer i.disk.mu.Unlock()
	if errno != 0 {
		return errno
	}
	if size, ok := in.GetSize(); ok {
		i.node.write(write{at: int64(size)})
	}
	if mode, ok := in.GetMode(); ok {
		i.node.mode = i.node.mode&^0o777 | mode&0o777
	}
	i.node.describe(&out.Attr)
	return 0
}

func (i *inode) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&syscall.O_TRUNC == 0 {
		return nil, 0, 0
	}
	errno := i.changes()
	defer i.disk.mu.Unlock()
	if errno == 0 {
		i.node.write(write{})
	}
	return nil, 0, errno
}

func (i *inode) Read(_ context.Context, _ fs.FileHandle, into []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	errno := i.reads()
	defer i.disk.mu.Unlock()
	if errno != 0 {
		return nil, errno
	}
	data := i.node.data
	from := min(at, int64(len(data)))
	return fuse.ReadResultData(into[:copy(into, data[from:])]), 0
}

func (i *inode) Write(_ context.Context, _ fs.FileHandle, data []byte, at int64) (uint32, syscall.Errno) {
	errno := i.changes()
	defer i.disk.mu.Unlock()
	if errno != 0 {
		return 0, errno
	}
	i.node.write(write{at, slices.Clone(data)})
	return uint32(len(data)), 0
}

func (n *node) write(w write) {
	n.data = w.apply(n.data)
	n.writes = append(n.writes, w)
	n.changed = time.Now()
}

// Fsync keeps what was written into a file, or the names in a folder.
func (i *inode) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	errno := i.changes()
	defer i.disk.mu.Unlock()
	n := i.node
	if errno != 0 || i.disk.Lie != nil && i.disk.Lie(n.name) {
		return errno
	}
	for _, w := range n.writes {
		n.synced = w.apply(n.synced)
	}
	n.writes = nil
	i.disk.moves = slices.DeleteFunc(i.disk.moves, func(m *move) bool {
		if m.from != n && m.to != n {
			return false
		}
		m.keep()
		return true
	})
	return 0
}

func (i *inode) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

// move changes names.
func (d *Disk) move(m *move) {
	if m.from != nil {
		delete(m.from.names, m.old)
	}
	if m.to != nil {
		m.to.names[m.now], m.node.name = m.node, m.now
	}
	d.moves = append(d.moves, m)
}

// add gives a node a name that is free here.
func (i *inode) add(ctx context.Context, name string, out *fuse.EntryOut, node func() *node) (*fs.Inode, syscall.Errno) {
	errno := i.changes()
	defer i.disk.mu.Unlock()
	if errno == 0 && i.node.names[name] != nil {
		errno = syscall.EEXIST
	}
	if errno != 0 {
		return nil, errno
	}
	n := node()
	i.disk.move(&move{node: n, to: i.node, now: name})
	return i.show(ctx, n, out), 0
}

func (i *inode) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	n, errno := i.add(ctx, name, out, func() *node { return i.disk.node(syscall.S_IFREG|mode&0o777, name) })
	return n, nil, 0, errno
}

func (i *inode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return i.add(ctx, name, out, func() *node { return i.disk.node(syscall.S_IFDIR|mode&0o777, name) })
}

func (i *inode) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return i.add(ctx, name, out, func() *node { return target.(*inode).node })
}

func (i *inode) Unlink(_ context.Context, name string) syscall.Errno {
	errno := i.changes()
	defer i.disk.mu.Unlock()
	n := i.node.names[name]
	switch {
	case errno != 0:
		return errno
	case n == nil:
		return syscall.ENOENT
	case len(n.names) > 0:
		return syscall.ENOTEMPTY
	}
	i.disk.move(&move{node: n, from: i.node, old: name})
	return 0
}

func (i *inode) Rmdir(ctx context.Context, name string) syscall.Errno { return i.Unlink(ctx, name) }

func (i *inode) Rename(_ context.Context, name string, parent fs.InodeEmbedder, now string, flags uint32) syscall.Errno {
	errno := i.changes()
	defer i.disk.mu.Unlock()
	n, to := i.node.names[name], parent.(*inode).node
	const noReplace = 1 // RENAME_NOREPLACE
	switch {
	case errno != 0:
		return errno
	case n == nil:
		return syscall.ENOENT
	case flags&^noReplace != 0:
		return syscall.EINVAL
	case flags&noReplace != 0 && to.names[now] != nil:
		return syscall.EEXIST
	}
	i.disk.move(&move{node: n, from: i.node, old: name, to: to, now: now})
	return 0
}

// Statfs says that a terabyte is free.
func (i *inode) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	out.Blocks, out.Bfree, out.Bavail = 1<<28, 1<<28, 1<<28
	out.Files, out.Ffree = 1<<20, 1<<20
	return 0
}
