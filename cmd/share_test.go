package cmd

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"taskapi/app/storetest"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

// Where processes share a database, all of them sign with the key of the first one. A file is
// that of one process, whose key may change.
func TestProcessesHaveOneKey(t *testing.T) {
	db := storetest.Open(t, time.Now)
	s := settings.Settings{Database: "postgres://ann:secret@db.example.com/tasks"}
	check := func(secret string) error {
		return checkKey(context.Background(), s, &database{DB: db.DB}, []byte(strings.Repeat(secret, 32)))
	}
	if err := errors.Join(check("a"), check("a")); err != nil {
		t.Error(err)
	}
	err := check("b")
	if db.Shared() != errors.Is(err, datadir.ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
	if err != nil && (strings.Contains(err.Error(), "secret@") || !strings.Contains(err.Error(), "db.example.com")) {
		t.Errorf("it says %v", err)
	}
	if err := check("a"); err != nil {
		t.Errorf("the first key, after another one: %v", err)
	}
	if kept := db.Count(t, `SELECT count(*) FROM meta WHERE name = 'key_check'`); (kept == 1) != db.Shared() {
		t.Errorf("%d hashes of keys are kept", kept)
	}
}
