package cmd

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taskapi/app/account"
	"taskapi/app/sqlite"
	"taskapi/app/sqlite/sqlitetest"
	"taskapi/cmd/machine"
)

func TestAClockBeforeThisProgram(t *testing.T) {
	d := data{filepath.Join(t.TempDir(), "data")}
	if f := checkClock(t.Context(), d, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), machine.ClockFree); f.grade != bad {
		t.Error(f)
	}
	if f := checkClock(t.Context(), d, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1970, 1, 1, 0, 1, 0, 0, time.UTC), machine.ClockFree); f.grade != bad || !strings.Contains(f.sentence, "the clock shows 1970-01-01; set it") {
		t.Error(f)
	}
}

// What was written under a clock that was ahead is told from a clock that is
// behind by who keeps the clock.
func TestAClockBehindTheNewestRow(t *testing.T) {
	d := data{t.TempDir()}
	now := time.Now()
	db := sqlitetest.OpenAt(t, d.database(), time.Now)
	note := func(at time.Time) {
		if err := db.AddEvent(t.Context(), account.Event{At: at, Name: account.EventLogin}); err != nil {
			t.Fatal(err)
		}
	}
	note(now.Add(time.Minute))
	if f := checkClock(t.Context(), d, time.Time{}, now, machine.ClockUnknown); f.grade != good {
		t.Error(f)
	}
	note(now.AddDate(20, 0, 0))
	for state, want := range map[machine.ClockSync]grade{machine.ClockUnknown: warn, machine.ClockFree: warn, machine.ClockSynced: good} {
		if f := checkClock(t.Context(), d, time.Time{}, now, state); f.grade != want {
			t.Error(state, f)
		}
	}
}

// A certificate is held against the clock and against who asks for it.
func TestCertificate(t *testing.T) {
	t.Chdir(t.TempDir())
	tlsFiles(t)
	for _, c := range []struct {
		year int
		url  string
		want string
	}{
		{2026, "https://example.com", "is good until 2084"}, {2090, "https://example.com", "has expired on 2084"},
		{1960, "https://example.com", "counts only from 1970"}, {2026, "https://other.example", "is not for other.example"},
	} {
		s := Settings{TLSCert: "cert.pem", TLSKey: "key.pem", PublicURL: c.url, Addr: "127.0.0.1:443"}
		if f := checkCertificate(s, time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC)); !strings.Contains(f.sentence, c.want) || (f.grade == good) != strings.Contains(c.want, "good") {
			t.Errorf("%v: %v", c, f)
		}
	}
}

// Without any backup, only the server knows since when one is owed.
func TestOverdueBackups(t *testing.T) {
	dir := t.TempDir()
	db := sqlitetest.OpenAt(t, filepath.Join(dir, "taskapi.db"), time.Now)
	now := time.Now()
	backups := &sqlite.Backups{Path: db.Path(), Dir: filepath.Join(dir, "backups"), Every: time.Hour, Now: func() time.Time { return now }}
	try := func(served bool, want grade) {
		t.Helper()
		if f := checkBackups(backups, served, now); f.grade != want {
			t.Errorf("the doctor says %v, want %v", f, want)
		}
	}
	now = now.Add(3 * time.Hour)
	try(true, good)
	try(false, good)
	if _, err := backups.Make(t.Context(), true, nil); err != nil {
		t.Fatal(err)
	}
	try(true, good)
	now = now.Add(3 * time.Hour)
	try(true, bad)
	try(false, warn)
}
