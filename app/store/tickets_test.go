package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taskapi/app/storetest"
)

// A ticket is used once, whichever process is asked, and not remembered for ever.
func TestTicketsAreUsedOnce(t *testing.T) {
	db := storetest.Open(t, time.Now)
	other := db.Another(t, storetest.Options{})
	now := time.Now()
	use := func(db *storetest.DB, id string, expires time.Time) bool {
		first, err := db.UseTicket(context.Background(), id, expires, now)
		if err != nil {
			t.Error(err)
		}
		return first
	}
	var first atomic.Int64
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			one := db
			if i%2 == 1 {
				one = other
			}
			if use(one, "a", now.Add(time.Minute)) {
				first.Add(1)
			}
		})
	}
	all.Wait()
	if first.Load() != 1 {
		t.Errorf("it was used first %d times", first.Load())
	}
	if !use(db, "b", now.Add(-time.Second)) || !use(other, "c", now.Add(time.Minute)) {
		t.Error("others can't be used")
	}
	var kept []string
	for _, name := range db.Lines(t, `SELECT name FROM meta WHERE name > 'ticket ' AND name < 'ticket!' ORDER BY name`) {
		kept = append(kept, name[strings.LastIndexByte(name, ' ')+1:])
	}
	if strings.Join(kept, " ") != "a c" {
		t.Errorf("%v", kept)
	}
}

// The first process of those that share a database says what all of them are to know.
func TestMetaOnce(t *testing.T) {
	db := storetest.Open(t, time.Now)
	other := db.Another(t, storetest.Options{})
	for _, one := range []*storetest.DB{db, other, db} {
		if stored, err := one.MetaOnce(context.Background(), "key_check", fmt.Sprintf("of %p", one)); err != nil || stored != fmt.Sprintf("of %p", db) {
			t.Errorf("%q, %v", stored, err)
		}
	}
}
