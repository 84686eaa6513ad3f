//go:build linux

// Package cutfs is a disk in memory whose power can be cut, mounted by FUSE for tests of what a
// program keeps. What was not synced may be there afterwards or not: of a file each sector of 512
// bytes on its own, in any order, and of a folder the first so many of its changes of names. It
// promises less than most file systems do: a file that was synced can still be without its name
// until its folder is synced, too (fsync(2)).
//
// Glossary: a cut ends a disk; a lie is a sync that says it was done.
package cutfs

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

const sector = 512 // bytes, which a disk writes as one

// Disk is a tree of files, some of which is only in memory. Its methods may be called at once.
type Disk struct {
	// Lie, if not nil, is asked at each sync of the file or folder of that name whether it is one
	// that does nothing, for tests that have to fail.
	Lie func(name string) bool
	// CutAt is the number of the change, or of the sync, at which the power is cut; 0 for never.
	// It must not change while the disk is mounted.
	CutAt int

	mu      sync.Mutex
	root    *node
	last    uint64 // the number of the newest node
	changes int    // writes, changes of names and syncs so far
	moves   []*move
	dead    bool
}

// node is a file or a folder.
type node struct {
	number  uint64
	mode    uint32 // with its type, as in stat(2)
	name    string // the newest that it has
	changed time.Time
	data    []byte // as programs see it
	synced  []byte
	writes  []write // since the sync, in their order
	names   map[string]*node
	kept    map[string]*node // as of the sync
}

// write is a change of a file: data at an offset, or, without any, a new size.
type write struct {
	at   int64
	data []byte
}

// move is a change of names that is not synced: the node loses one name, or gets another, or both.
type move struct {
	node     *node
	from, to *node // folders, or nil
	old, now string
}

// New returns an empty disk.
func New() *Disk {
	d := &Disk{}
	d.root = d.node(syscall.S_IFDIR|0o700, "")
	return d
}

func (d *Disk) node(mode uint32, name string) *node {
	d.last++
	n := &node{number: d.last, mode: mode, name: name, changed: time.Now()}
	if mode&syscall.S_IFMT == syscall.S_IFDIR {
		n.names, n.kept = map[string]*node{}, map[string]*node{}
	}
	return n
}

// Changes returns how many changes and syncs there were.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Dead says whether the power was cut.
func (d *Disk) Dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// Kill cuts the power: from now on each call of a program fails with EIO.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
}

// Load puts what is in a folder on the disk, synced.
func (d *Disk) Load(folder string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.load(d.root, folder)
}

func (d *Disk) load(into *node, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path, mode := filepath.Join(folder, entry.Name()), uint32(syscall.S_IFREG|0o600)
		if entry.IsDir() {
			mode = syscall.S_IFDIR | 0o700
		} else if !entry.Type().IsRegular() {
			continue // a socket
		}
		n := d.node(mode, entry.Name())
		into.names[n.name], into.kept[n.name] = n, n
		if entry.IsDir() {
			err = d.load(n, path)
		} else if n.data, err = os.ReadFile(path); err == nil {
			n.synced = slices.Clone(n.data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Cut ends the disk as Kill does, and writes what is left of it into a folder that is empty or
// missing.
func (d *Disk) Cut(random *rand.Rand, folder string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
	d.loseNames(random)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return errors.Join(save(d.root, tearing(random), folder))
}

// loseNames keeps of each folder's changes of names the first so many.
func (d *Disk) loseNames(random *rand.Rand) {
	total, left := map[*node]int{}, map[*node]int{}
	for _, m := range d.moves {
		total[m.folder()]++
	}
	all := random.IntN(4) // none, all, or some
	for _, m := range d.moves {
		folder := m.folder()
		n, seen := left[folder]
		if !seen {
			switch all {
			case 0:
				n = 0
			case 1:
				n = total[folder]
			default:
				n = random.IntN(total[folder] + 1)
			}
		}
		left[folder] = n - 1
		if n > 0 {
			m.keep()
		}
	}
	d.moves = nil
}

func (m *move) folder() *node {
	if m.to != nil {
		return m.to
	}
	return m.from
}

// keep does a change of names for good.
func (m *move) keep() {
	if m.from != nil && m.from.kept[m.old] == m.node {
		delete(m.from.kept, m.old)
	}
	if m.to != nil {
		m.to.kept[m.now] = m.node
	}
}

// tearing chooses how a cut treats what was written since the last sync: it returns what becomes
// of the writes of a file.
func tearing(random *rand.Rand) func(n *node) []byte {
	kind := random.IntN(5)
	share := []float64{0, 1, 0.5, 0.9, 0.1}[kind] // of the sectors that are kept
	first := kind > 1 && random.IntN(2) == 0      // the first so many writes are kept, and the next is torn
	torn := map[*node][]byte{}                    // a file may have several names
	return func(n *node) (data []byte) {
		if data, done := torn[n]; done {
			return data
		}
		defer func() { torn[n] = data }()
		whole := 0
		if first {
			whole = random.IntN(len(n.writes) + 1)
		}
		data = slices.Clone(n.synced)
		for i, w := range n.writes {
			switch {
			case first && i > whole:
				return data
			case first && i < whole:
				data = w.apply(data)
			case w.data == nil:
				if random.Float64() < share {
					data = w.apply(data)
				}
			default:
				for _, part := range w.sectors() {
					if random.Float64() < share {
						data = part.apply(data)
					}
				}
			}
		}
		return data
	}
}

// sectors splits a write as the disk does.
func (w write) sectors() (parts []write) {
	for data, at := w.data, w.at; len(data) > 0; {
		n := min(int(sector-at%sector), len(data))
		parts = append(parts, write{at, data[:n]})
		data, at = data[n:], at+int64(n)
	}
	return parts
}

// apply does a write.
func (w write) apply(data []byte) []byte {
	end := int(w.at) + len(w.data)
	if w.data == nil && end < len(data) {
		return data[:end:end]
	}
	if end > len(data) {
		if end > cap(data) {
			data = slices.Grow(data, max(end-len(data), len(data)/4))
		}
		clear(data[len(data):end])
		data = data[:end]
	}
	copy(data[w.at:], w.data)
	return data
}

func save(n *node, left func(*node) []byte, folder string) error {
	for _, name := range sorted(n.kept) {
		child, path := n.kept[name], filepath.Join(folder, name)
		mode := fs.FileMode(child.mode & 0o777)
		if child.names == nil {
			if err := os.WriteFile(path, left(child), mode); err != nil {
				return err
			}
			continue
		}
		if err := errors.Join(os.Mkdir(path, mode), save(child, left, path)); err != nil {
			return err
		}
	}
	return nil
}

// sorted returns names in their order, so that a seed always leaves the same.
func sorted(names map[string]*node) []string {
	all := make([]string, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
