package doctor

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taskapi/app/account"
	"taskapi/app/sqlite"
	"taskapi/app/sqlite/sqlitetest"
	"taskapi/cmd/datadir"
	"taskapi/cmd/machine"
)

func TestAClockBeforeThisProgram(t *testing.T) {
	d := datadir.Dir{Path: filepath.Join(t.TempDir(), "data")}
	if f := checkClock(t.Context(), d, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), machine.ClockFree); f.Grade != Fail {
		t.Error(f)
	}
	if f := checkClock(t.Context(), d, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1970, 1, 1, 0, 1, 0, 0, time.UTC), machine.ClockFree); f.Grade != Fail || !strings.Contains(f.Sentence, "the clock shows 1970-01-01; set it") {
		t.Error(f)
	}
}

// What was written under a clock that was ahead is told from a clock that is
// behind by who keeps the clock.
func TestAClockBehindTheNewestRow(t *testing.T) {
	d := datadir.Dir{Path: t.TempDir()}
	now := time.Now()
	db := sqlitetest.OpenAt(t, d.Database(), time.Now)
	note := func(at time.Time) {
		if err := db.AddEvent(t.Context(), account.Event{At: at, Name: account.EventLogin}); err != nil {
			t.Fatal(err)
		}
	}
	note(now.Add(time.Minute))
	if f := checkClock(t.Context(), d, time.Time{}, now, machine.ClockUnknown); f.Grade != OK {
		t.Error(f)
	}
	note(now.AddDate(20, 0, 0))
	for state, want := range map[machine.ClockSync]Grade{machine.ClockUnknown: Warn, machine.ClockFree: Warn, machine.ClockSynced: OK} {
		if f := checkClock(t.Context(), d, time.Time{}, now, state); f.Grade != want {
			t.Error(state, f)
		}
	}
}

// Without any backup, only the server knows since when one is owed.
func TestOverdueBackups(t *testing.T) {
	dir := t.TempDir()
	db := sqlitetest.OpenAt(t, filepath.Join(dir, "taskapi.db"), time.Now)
	now := time.Now()
	backups := &sqlite.Backups{Path: db.Path(), Dir: filepath.Join(dir, "backups"), Every: time.Hour, Now: func() time.Time { return now }}
	try := func(served bool, want Grade) {
		t.Helper()
		if f := checkBackups(backups, served, now); f.Grade != want {
			t.Errorf("the doctor says %v, want %v", f, want)
		}
	}
	now = now.Add(3 * time.Hour)
	try(true, OK)
	try(false, OK)
	if _, err := backups.Make(t.Context(), true, nil); err != nil {
		t.Fatal(err)
	}
	try(true, OK)
	now = now.Add(3 * time.Hour)
	try(true, Fail)
	try(false, Warn)
}
