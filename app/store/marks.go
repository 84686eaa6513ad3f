package store

import (
	"database/sql"
	"errors"
	"sync"
)

const (
	// markEvery is how many tasks of an owner lie between two marks.
	markEvery = 1024
	// maxMarked bounds the owners whose marks are kept: with a million tasks each, 64 KiB.
	maxMarked = 8
)

// marks are the ids of every so many tasks of an owner, so that a page from the middle of a very
// long list walks over no more than that. They hold while nothing changes. Whoever asks for such
// a page once, or while others write, waits for no marks to be made.
type marks struct {
	mu     sync.Mutex
	number uint64 // of the state that all of them are of
	asked  map[int64]bool
	ids    map[int64][]int64
}

// of returns the marks of an owner in a state, if there are any; worth says that they ought to
// be made: it is the second time that they are wanted.
func (m *marks) of(number uint64, owner int64) (ids []int64, worth bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.number != number || len(m.asked) > maxMarked {
		m.number, m.asked, m.ids = number, map[int64]bool{}, map[int64][]int64{}
	}
	worth = m.asked[owner]
	m.asked[owner] = true
	return m.ids[owner], worth
}

func (m *marks) keep(number uint64, owner int64, ids []int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.number == number {
		m.ids[owner] = ids
	}
}

const nextMark = `SELECT id FROM tasks WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT 1 OFFSET ?3`

// mark returns the marks of an owner, or none: then the offset is walked. What is read with them
// is right only if the state is the same afterwards.
func (db *DB) mark(tx *tx, number uint64, owner int64) ([]int64, error) {
	ids, worth := db.marks.of(number, owner)
	if ids != nil || !worth {
		return ids, nil
	}
	for last, skip := int64(0), 0; ; skip = markEvery - 1 {
		err := tx.one(nextMark, []any{owner, last, skip}, &last)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, last)
	}
	db.marks.keep(number, owner, ids)
	return ids, nil
}

// stateOfTasks is State as far as tasks go: where several servers share the database, all that
// comes to them has a line in the log.
func (db *DB) stateOfTasks(tx *tx) (number uint64, quiet bool, err error) {
	if !db.Shared() {
		number, quiet = db.State()
		return number, quiet, nil
	}
	newest, err := tx.newestSeq()
	return uint64(newest), true, err //nolint:gosec // from 1
}
