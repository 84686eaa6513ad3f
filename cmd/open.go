package cmd

import (
	"fmt"

	"taskapi/app/sqlite"
)

// upgrading adds to options what tells how far an upgrade of the database has come, on a
// terminal as it goes on and else in a line; done must be called after the opening.
func (a *application) upgrading(options sqlite.Options) (_ sqlite.Options, done func()) {
	p := a.progress("Upgrading the database")
	said := a.screen()
	options.Progress = func(done, total int64) {
		if !said {
			said = true
			_, _ = fmt.Fprintf(a.err, "Upgrading the database: %d tasks.\n", total)
		}
		p.show(done, total)
	}
	return options, p.end
}

func (a *application) options(durability sqlite.Durability) sqlite.Options {
	return sqlite.Options{Schema: a.build.Schema, Durability: durability, Now: a.clock.Now, Elapsed: a.clock.Elapsed}
}
