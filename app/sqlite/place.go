package sqlite

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// place knows which files are open. SQLite goes on with a file that has lost
// its name, and all that is written to it ends with the process.
type place struct {
	path          string
	database, log os.FileInfo
	checked       time.Time    // by checkAgain, which has one caller at a time
	longest       atomic.Int64 // that the file was seen to be, in bytes
	rewound       atomic.Bool  // the file may become shorter, at any later checkpoint
}

// shorter reports whether the file is shorter than it was, and its length.
func (p *place) shorter() (short bool, size int64, err error) {
	info, err := os.Stat(p.path)
	if err != nil {
		return false, 0, fmt.Errorf("%w (%w)", ErrGone, err)
	}
	size = info.Size()
	if longest := p.longest.Load(); size < longest && !p.rewound.Load() {
		return true, size, nil
	} else if size > longest {
		p.longest.Store(size)
	}
	return false, size, nil
}

// checkEvery is how long writes rely on the last look: what was written in the
// moment before a loss is lost with all the rest.
const checkEvery = 100 * time.Millisecond

// checkAgain is check, unless that was just done; looked says whether it was.
func (p *place) checkAgain(now time.Time) (looked bool, err error) {
	if age := now.Sub(p.checked); age >= 0 && age < checkEvery {
		return false, nil
	}
	if err := p.check(); err != nil {
		return true, err
	}
	p.checked = now
	return true, nil
}

// find remembers the files of a database that has been written or read.
func (p *place) find(path string) (err error) {
	p.path = path
	if p.database, err = os.Stat(path); err != nil {
		return err
	}
	p.longest.Store(p.database.Size())
	p.log, err = os.Stat(path + "-wal")
	return err
}

// check returns ErrGone unless the files still stand under their names.
func (p *place) check() error {
	if err := same(p.path, p.database); err != nil {
		return err
	}
	return same(p.path+"-wal", p.log)
}

func same(name string, open os.FileInfo) error {
	switch present, err := os.Stat(name); {
	case err != nil:
		return fmt.Errorf("%w (%w)", ErrGone, err)
	case !os.SameFile(present, open):
		return fmt.Errorf("%w (%s is another file now)", ErrGone, name)
	}
	return nil
}
