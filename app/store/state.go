package store

// State returns a number that is another one whenever the database contains something else, and
// whether it is quiet: while a commit is under way, readers may see what it changes or not. What
// a reader sees between two calls with the same number, quiet both times, is what every reader
// sees. Changes of a command beside the server count from the first request after SeenWithin; where
// several servers share the database, it is never quiet.
func (db *DB) State() (number uint64, quiet bool) {
	// Both only grow, so the sum does not come back to what it was.
	commits := db.writer.commits.Load()
	return commits + db.callers.changes(), commits%2 == 0 && !db.engine.Shared()
}
