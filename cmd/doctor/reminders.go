package doctor

import (
	"context"
	"os"
	"time"

	"taskapi/app/push"
	"taskapi/app/sqlite"
	"taskapi/cmd/datadir"
)

// lateReminder is how late a reminder may be while a server runs.
const lateReminder = 10 * time.Minute

// checkReminders looks whether reminders go out, and whether browsers know the server by its key.
// What else is wrong with the database, another check says.
func checkReminders(ctx context.Context, d datadir.Dir, now time.Time) Finding {
	path := d.Database()
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return okay("there are none yet")
	}
	found, err := sqlite.RemindersIn(ctx, path, now)
	if err != nil {
		return okay("not looked at: the database has none that this version can read")
	}
	if found.PushKey != "" {
		if _, err := push.ReadKey(found.PushKey); err != nil {
			return failure("%s holds a broken key, so browsers get no reminders (%v); restore a backup", path, cause(err))
		}
	}
	switch late := found.Overdue.Round(time.Second); {
	case late > lateReminder && d.Served():
		return failure("one has been due for %s; the server's log says why", late)
	case late > lateReminder:
		return okay("one has been due for %s; \"taskapi serve\" sends what is not older than a day", late)
	}
	if found.PushKey != "" {
		return okay("none is late; the key by which browsers know the server is good")
	}
	return okay("none is late")
}
