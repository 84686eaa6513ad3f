package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	_ "modernc.org/sqlite"
)

// older selects what housekeeping has to remove with --trash-days=1 and --sync-days=1.
const older = "at < (unixepoch() - 86400) * 1000"

// yesterday lets people live for a moment, makes what they have left three days old, and starts
// the server again, which has to tidy up while it serves.
func (r *run) yesterday() error {
	r.live(3 * time.Second)
	if _, missing := r.arrived(time.Minute); len(missing) > 0 {
		return fmt.Errorf("webhooks were not told of %v", missing)
	}
	if err := r.collected(time.Minute); err != nil {
		return err
	}
	if err := r.server.stop(); err != nil {
		return fmt.Errorf("the server did not stop in order: %w", err)
	}
	if err := r.age(); err != nil {
		return err
	}
	var err error
	r.server, err = serve(r.plan, r.mails.port)
	return err
}

// collected waits for some time until the search has collected all words: the log of what it has
// not come to stays, however old, and busy writers put the search off.
func (r *run) collected(wait time.Duration) error {
	for end := time.Now().Add(wait); ; time.Sleep(100 * time.Millisecond) {
		var behind int
		err := r.database(func(db *sql.DB) error {
			return db.QueryRow(`SELECT (SELECT max(seq) FROM changes) - (SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM meta WHERE name = 'words_to')`).Scan(&behind)
		})
		switch {
		case err != nil:
			return err
		case behind == 0:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("the search had not come to %d changes after %s of rest", behind, wait)
		}
	}
}

// live lets all people do something for a time.
func (r *run) live(length time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	var group sync.WaitGroup
	for _, p := range r.people {
		group.Go(func() { p.live(ctx) })
	}
	group.Wait()
	r.leave()
}

// age makes the trash and the log of changes three days old.
func (r *run) age() error {
	return r.database(func(db *sql.DB) error {
		for _, table := range []string{"trash", "changes"} {
			if _, err := db.Exec(`UPDATE ` + table + ` SET at = at - 3 * 86400000`); err != nil {
				return err
			}
		}
		return r.countOld(db, &r.oldTrash, &r.oldChanges)
	})
}

func (r *run) countOld(db *sql.DB, trash, changes *int) error {
	return errors.Join(
		db.QueryRow(`SELECT count(*) FROM trash WHERE `+older).Scan(trash), db.QueryRow(`SELECT count(*) FROM changes WHERE `+older).Scan(changes))
}

// judgeHousekeeping finds fault if what is old is still there: the newest change stays, and so do
// the few that reminders made after the words were collected.
func (r *run) judgeHousekeeping() {
	var trash, changes int
	if err := r.database(func(db *sql.DB) error { return r.countOld(db, &trash, &changes) }); err != nil {
		r.faults.add("%v", err)
	}
	fmt.Printf("housekeeping: %d of %d old entries of the trash are left, and %d of %d changes\n", trash, r.oldTrash, changes, r.oldChanges)
	if trash > 0 || changes > r.oldChanges/20 || r.oldTrash == 0 {
		r.faults.add("housekeeping has left %d of %d old entries in the trash, and %d of %d changes", trash, r.oldTrash, changes, r.oldChanges)
	}
}

// database opens the database beside the server, which may be stopped.
func (r *run) database(do func(*sql.DB) error) error {
	db, err := sql.Open("sqlite", "file:"+r.server.database())
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}
