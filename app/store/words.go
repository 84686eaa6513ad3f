package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"taskapi/app/todo"
)

// The search finds tasks by a table of their words. Words that a task does not have any more
// leave the table in the turn that changes the task; those that it has got come in later, by
// a worker that follows the log of changes. So the table never tells of a word that is not
// there, and what it does not have yet is looked for in the tasks themselves: those that
// changed after words_to, and up to words_back those from before an upgrade.

// dropWords removes words of a task.
func (t *tx) dropWords(list, task int64, words []string) error {
	if len(words) == 0 {
		return nil
	}
	raw, err := json.Marshal(words)
	if err != nil {
		return err
	}
	return t.exec(`DELETE FROM task_words WHERE list_id = ?1 AND word IN (SELECT value FROM json_each(?3)) AND task_id = ?2`, list, task, string(raw))
}

// forgetWords removes the words that a task does not have any more.
func (t *tx) forgetWords(before, after todo.Task) error {
	if before.ListID == after.ListID && before.Title == after.Title && before.Description == after.Description {
		// Those of the labels alone; what stands elsewhere, too, comes in again.
		return t.dropWords(before.ListID, before.ID, todo.Words(before.Labels...))
	}
	words := before.Words()
	if before.ListID == after.ListID {
		kept := after.Words()
		words = slices.DeleteFunc(words, func(word string) bool {
			_, found := slices.BinarySearch(kept, word)
			return found
		})
	}
	return t.dropWords(before.ListID, before.ID, words)
}

// wordsState is how far the words are collected: up to a change, and of the tasks from before
// an upgrade all but those up to an id.
const wordsState = `SELECT coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'words_to'), 0),
	coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'words_back'), 0)`

const (
	wordsChunk = 500
	// wordsDelay is how long the worker waits after a change, so that many are done
	// together.
	wordsDelay = 2 * time.Second
	// wordsAgain is how long it waits each time that others wait to write: a search reads what it
	// has not come to from the tasks themselves.
	wordsAgain = 200 * time.Millisecond
)

// IndexWords collects the words of tasks that have changed, or of some from before an upgrade,
// a chunk of them. More reports that there are others.
func (db *DB) IndexWords(ctx context.Context) (more bool, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return false, err
	}
	var to, back, newest int64
	if err := reader.one(wordsState, nil, &to, &back); err != nil {
		return false, translate(err)
	}
	if err := reader.one(`SELECT coalesce(max(seq), 0) FROM changes`, nil, &newest); err != nil {
		return false, translate(err)
	}
	switch {
	case newest > to:
		err = db.write(ctx, func(tx *tx) (err error) { more, err = tx.indexChanges(to); return err })
	case back > 0:
		err = db.write(ctx, func(tx *tx) (err error) { more, err = tx.indexOlder(back); return err })
	}
	return more || back > 0, err
}

// indexChanges collects the words of the tasks in the log after a change.
func (t *tx) indexChanges(to int64) (more bool, err error) {
	var seqs, ids []int64
	err = t.each(`SELECT seq, CASE WHEN kind = 1 AND op <> 7 THEN entity ELSE 0 END FROM changes WHERE seq > ? ORDER BY seq LIMIT ?`, []any{to, wordsChunk}, func(row Row) error {
		var seq, id int64
		err := row.Scan(&seq, &id)
		seqs, ids = append(seqs, seq), append(ids, id)
		return err
	})
	if err != nil || len(seqs) == 0 {
		return false, err
	}
	n, err := t.indexTasks(ids)
	if err != nil {
		return false, err
	}
	return n < len(seqs) || n == wordsChunk, t.exec(`INSERT INTO meta (name, value) VALUES ('words_to', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, fmt.Sprint(seqs[n-1]))
}

// indexOlder collects the words of tasks from before an upgrade, those with the highest ids
// first.
func (t *tx) indexOlder(back int64) (more bool, err error) {
	var ids []int64
	err = t.each(`SELECT id FROM tasks WHERE id <= ? ORDER BY id DESC LIMIT ?`, []any{back, wordsChunk}, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return false, err
	}
	n, err := t.indexTasks(ids)
	if err != nil {
		return false, err
	}
	if n == len(ids) && n < wordsChunk {
		return false, t.exec(`DELETE FROM meta WHERE name = 'words_back'`)
	}
	return true, t.exec(`UPDATE meta SET value = ? WHERE name = 'words_back'`, fmt.Sprint(ids[n-1]-1))
}

const (
	// wordsText is how much text is taken in one turn, in bytes, and wordsRead how many tasks are
	// read at a time for it.
	wordsText = 1 << 16
	wordsRead = 50
)

// indexTasks adds the words of tasks that are there, and returns how many of the ids it came to.
func (t *tx) indexTasks(ids []int64) (n int, err error) {
	done, size, rows := map[int64]bool{0: true}, 0, []any{}
	for n < len(ids) && size < wordsText {
		part := ids[n:min(n+wordsRead, len(ids))]
		found, err := t.textsOf(part)
		if err != nil {
			return n, err
		}
		for _, id := range part {
			if size >= wordsText {
				break
			}
			n++
			task, there := found[id]
			if !there || done[id] {
				continue
			}
			done[id] = true
			size += len(task.Title) + len(task.Description)
			for _, word := range task.Words() {
				rows = append(rows, []any{task.ListID, word, id})
			}
		}
	}
	t.changed = true
	raw, err := json.Marshal(rows)
	if err != nil || len(rows) == 0 {
		return n, err
	}
	return n, t.exec(`INSERT INTO task_words (list_id, word, task_id)
		SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT) FROM json_each(?1 /* rows */) WHERE true ON CONFLICT DO NOTHING`, string(raw))
}

// textsOf returns those of some tasks that are there, as far as they are searched.
func (t *tx) textsOf(ids []int64) (map[int64]todo.Task, error) {
	found := make(map[int64]todo.Task, len(ids))
	err := t.each(`SELECT id, list_id, title, description, labels FROM tasks WHERE id IN (SELECT value FROM json_each(?))`, []any{jsonOf(ids)}, func(row Row) error {
		var task todo.Task
		err := row.Scan(&task.ID, &task.ListID, &task.Title, &task.Description, (*jsonTexts)(&task.Labels))
		found[task.ID] = task
		return err
	})
	return found, err
}

// jsonTexts scans an array of texts, NULL as none.
type jsonTexts []string

// Scan implements sql.Scanner.
func (j *jsonTexts) Scan(value any) error {
	switch text := value.(type) {
	case nil:
		*j = nil
		return nil
	case string:
		return json.Unmarshal([]byte(text), (*[]string)(j))
	case []byte:
		return json.Unmarshal(text, (*[]string)(j))
	}
	return fmt.Errorf("%T is no array of texts", value)
}

// KeepIndexing collects words until the context ends: soon after changes, and without a pause
// but for others' turns while there are more. Failed is called with errors.
func (db *DB) KeepIndexing(ctx context.Context, failed func(error)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	// However many wait to write, they don't wait for ever.
	const patience = 3
	for gaveWay := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		wait := wordsAgain
		if gaveWay++; db.writer.waiting.Len() == 0 || gaveWay > patience {
			gaveWay, wait = 0, wordsDelay
			more, err := db.IndexWords(ctx)
			switch {
			case err != nil && ctx.Err() == nil:
				failed(err)
				wait = time.Minute
			case more:
				wait = time.Millisecond
			}
		}
		timer.Reset(wait)
	}
}
