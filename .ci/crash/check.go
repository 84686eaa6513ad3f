package main

import (
	"database/sql"
	"errors"
	"fmt"

	_ "modernc.org/sqlite"
)

// stored returns the tasks in a database that nobody serves, by id, after
// looking for damage: in the file, between its tables, in the kept totals, and
// in tasks that were changed by half.
func stored(path string) (tasks map[int64]string, err error) {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for query, want := range map[string]string{
		`PRAGMA integrity_check`:                        "ok",
		`SELECT count(*) FROM pragma_foreign_key_check`: "0",
		`SELECT count(*) FROM tasks`:                    "",
		`SELECT coalesce((SELECT total FROM totals WHERE list = 'tasks' AND owner = 1), 0) - (SELECT count(*) FROM tasks)`: "0",
		`SELECT count(*) FROM tasks WHERE description NOT LIKE title || '%'`:                                               "0",
	} {
		var got string
		if err := db.QueryRow(query).Scan(&got); err != nil || want != "" && got != want {
			return nil, fmt.Errorf("%s: %s, want %s (%w)", query, got, want, err)
		}
	}
	rows, err := db.Query(`SELECT id, title FROM tasks`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	tasks = map[int64]string{}
	for rows.Next() {
		var id int64
		var title string
		if err := rows.Scan(&id, &title); err != nil {
			return nil, err
		}
		tasks[id] = title
	}
	return tasks, rows.Err()
}

func checkpoint(path string) (err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}
