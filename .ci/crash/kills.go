package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// writer creates, changes and deletes tasks of its own, and remembers what was
// answered and what it asked for last.
type writer struct {
	name  string
	count int
	known map[int64]string // title by id, as answered
	last  int64            // the task it works on
	// Asked and not answered when the server died: it may have happened or not.
	pending struct {
		create, title string
		id            int64 // changed or deleted
		deleted       bool
	}
	// resend is the create that was not answered, which is sent again with its key, and made
	// the task that it had made all the same; 0 for none. sent counts those that were, done those
	// of them that had been done.
	resend     string
	made       int64
	sent, done int
}

// write goes on until the server is gone. Any refusal is an error.
func (w *writer) write(s *server) error {
	w.pending.create, w.pending.title, w.pending.id, w.pending.deleted = "", "", 0, false
	if w.resend != "" {
		w.sent++
		if w.made != 0 {
			w.done++
		}
		if gone, err := w.create(s, w.resend); gone || err != nil {
			return err
		}
		w.resend, w.made = "", 0
	}
	for {
		w.count++
		title := fmt.Sprintf("%s-%d", w.name, w.count)
		var gone bool
		var err error
		switch {
		case w.count%3 == 1 || w.last == 0:
			gone, err = w.create(s, title)
		case w.count%15 == 0:
			gone, err = w.remove(s)
		default:
			gone, err = w.change(s, title)
		}
		if gone || err != nil {
			return err
		}
	}
}

func (w *writer) create(s *server, title string) (gone bool, err error) {
	w.pending.create = title
	id, status, err := s.createOnce(title, title, title)
	if err != nil {
		return true, nil
	}
	w.pending.create = ""
	if w.made != 0 && w.made != id {
		return false, fmt.Errorf("a retry made task %d, and task %d is there already", id, w.made)
	}
	if status != http.StatusCreated {
		return false, fmt.Errorf("create: %d", status)
	}
	w.known[id], w.last = title, id
	return false, nil
}

func (w *writer) change(s *server, title string) (gone bool, err error) {
	w.pending.id, w.pending.title = w.last, title
	status, body, err := s.call("PATCH", fmt.Sprint("/tasks/", w.last), fmt.Sprintf(`{"title":%[1]q,"description":%[1]q}`, title))
	if err != nil {
		return true, nil
	}
	w.pending.id = 0
	if status != http.StatusOK {
		return false, fmt.Errorf("change: %d %s", status, body)
	}
	w.known[w.last] = title
	return false, nil
}

func (w *writer) remove(s *server) (gone bool, err error) {
	w.pending.id, w.pending.deleted = w.last, true
	status, body, err := s.call("DELETE", fmt.Sprint("/tasks/", w.last), "")
	if err != nil {
		return true, nil
	}
	w.pending.id, w.pending.deleted = 0, false
	if status != http.StatusOK {
		return false, fmt.Errorf("delete: %d %s", status, body)
	}
	delete(w.known, w.last)
	w.last = 0
	return false, nil
}

// settle compares what was answered with what is stored, and takes over what
// became of the request that was under way. It returns how many it lost.
func (w *writer) settle(found map[int64]string) (lost int, report string) {
	for id, title := range w.known {
		got, there := found[id]
		maybe := id == w.pending.id
		switch {
		case there && got == title, maybe && there && got == w.pending.title, maybe && !there && w.pending.deleted:
		default:
			lost++
			report += fmt.Sprintf("task %d: answered as %q, stored as %q\n", id, title, got)
		}
		if there {
			w.known[id] = got
		} else {
			delete(w.known, id)
		}
		delete(found, id)
	}
	w.resend, w.made = w.pending.create, 0
	for id, title := range found {
		if title == w.pending.create && w.made == 0 {
			w.known[id], w.made = title, id
			delete(found, id)
		}
	}
	for id, title := range w.known { // one that was sent again, and cut off again
		if title == w.resend {
			w.made = id
		}
	}
	if _, there := w.known[w.last]; !there {
		w.last = 0
	}
	return lost, report
}

func tryKills(program, dir string, kills int, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 0))
	all := make([]*writer, writers)
	for i := range all {
		all[i] = &writer{name: fmt.Sprintf("w%d", i), known: map[int64]string{}}
	}
	began, answered := time.Now(), 0
	for round := range kills {
		s, err := start(program, dir)
		if err != nil {
			return err
		}
		var group sync.WaitGroup
		errs := make(chan error, writers)
		for _, w := range all {
			group.Go(func() {
				if err := w.write(s); err != nil {
					errs <- err
				}
			})
		}
		time.Sleep(time.Duration(50+random.IntN(950)) * time.Millisecond)
		killErr := s.kill()
		group.Wait()
		close(errs)
		if err := <-errs; err != nil || killErr != nil {
			return fmt.Errorf("round %d: %v %v", round, err, killErr)
		}
		found, err := stored(s.database())
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		answered = 0
		for _, w := range all {
			if lost, report := w.settle(found); lost > 0 {
				return fmt.Errorf("round %d: %d answered writes are lost:\n%s", round, lost, report)
			}
			answered += w.count
		}
		if len(found) > 0 {
			return fmt.Errorf("round %d: %d tasks that nobody asked for: %v", round, len(found), found)
		}
	}
	fmt.Printf("%d kills in %s under %d writers: %d writes, none that was answered lost, nothing half done, every file sound\n",
		kills, time.Since(began).Round(time.Second), writers, answered)
	sent, done := 0, 0
	for _, w := range all {
		sent, done = sent+w.sent, done+w.done
	}
	fmt.Printf("%d creates without an answer were sent again with their key, %d of which had been done: none was done twice\n", sent, done)
	return nil
}
