package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// copyTo copies a database, and may come between the copy and its ends.
func copyTo(from, to storetest.Place, between func(*store.Copy)) ([]store.Copied, error) {
	ctx := context.Background()
	source, err := from.Source(ctx)
	if err != nil {
		return nil, err
	}
	target, err := to.Target(ctx)
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	c := &store.Copy{From: source, To: target}
	if between != nil {
		between(c)
	}
	copied, err := c.Run(ctx)
	return copied, errors.Join(err, target.Close(), source.Close())
}

func mustCopy(t storetest.TB, from, to storetest.Place) []store.Copied {
	t.Helper()
	copied, err := copyTo(from, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

func openCopy(t testing.TB, place storetest.Place) *storetest.DB {
	t.Helper()
	return place.Open(t, storetest.Options{Now: func() time.Time { return testNow }})
}

// TestACopyCarriesEveryColumn: what is written down of the tables is what they are, in both engines.
func TestACopyCarriesEveryColumn(t *testing.T) {
	db, want := openTest(t), map[string]string{}
	for _, table := range store.Tables() {
		for i, column := range table.Columns {
			key := ""
			if i < table.Key && table.Name != "task_names" { // has none, but an order
				key = fmt.Sprint(" key ", i+1)
			}
			want[table.Name+"."+column.Name] = column.Kind + key
		}
	}
	query := `SELECT t.name || '.' || c.name, c.type || CASE WHEN c.pk > 0 THEN ' key ' || c.pk ELSE '' END
		FROM sqlite_schema AS t JOIN pragma_table_xinfo(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND c.hidden = 0`
	if !storetest.IsSQLite() {
		query = `SELECT c.table_name || '.' || c.column_name, CASE data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' ELSE data_type END || coalesce(' key ' || k.ordinal_position, '')
			FROM information_schema.columns AS c LEFT JOIN information_schema.table_constraints AS p ON p.table_schema = c.table_schema AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY'
			LEFT JOIN information_schema.key_column_usage AS k ON k.constraint_schema = p.constraint_schema AND k.constraint_name = p.constraint_name AND k.column_name = c.column_name
			WHERE c.table_schema = current_schema() AND c.table_name <> 'turn' AND c.is_generated = 'NEVER'`
	}
	got := map[string]string{}
	db.Each(t, query, nil, func(row store.Row) error {
		var name, kind string
		err := row.Scan(&name, &kind)
		got[name] = kind
		return err
	})
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			t.Errorf("%s is %q, and is copied as %q", name, got[name], want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("copied, but not there: %v", want)
	}
}

// TestACopyKnowsWhichIdsAreNotUsedTwice: which tables never give an id twice is what the schema says.
func TestACopyKnowsWhichIdsAreNotUsedTwice(t *testing.T) {
	db := openTest(t)
	db.SQLite(t, "PostgreSQL numbers the answers as well")
	var got, want []string
	got = db.Lines(t, `SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%' ORDER BY name`)
	for _, table := range store.Tables() {
		if table.Numbered {
			want = append(want, table.Name)
		}
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("numbered are %v, and %v are known", got, want)
	}
}

// hostile are texts that a format of lines and columns may break.
func hostile() []string {
	return []string{
		"a\tb\nc\rd\\e", `\N`, `\.`, `\\.`, "\\", `\t`, "'\"`;--$1?", "\b\f\v\x01\x1f\x7f", "emoji 👩‍👩‍👧 é e\u0301", "\u2028\u2029\u00a0\ufeff", " ", strings.Repeat("ß\\\n", 3333),
	}
}

// first returns the first characters of a text.
func first(text string, n int) string {
	characters := []rune(text)
	return string(characters[:min(n, len(characters))])
}

// fillTables puts rows into every table, beside what the store's methods leave in some.
func fillTables(t *testing.T, db *storetest.DB) {
	t.Helper()
	useEverything(t, db)
	ann := addUser(t, db, "zoe@example.com", app.RoleUser)
	caller := app.Caller{UserID: ann.ID, Role: app.RoleUser, SessionID: addSession(t, db, "session-of-zoe-0000001", ann).ID}
	var ids []int64
	for i, text := range hostile() {
		task, err := db.CreateTask(context.Background(), caller, todo.NewTask{UserID: ann.ID, Title: fmt.Sprint(i), Description: text, CreatedAt: testNow, Labels: []string{fmt.Sprint("a", i)}})
		if err != nil {
			t.Fatal(err)
		}
		db.Exec(t, `UPDATE tasks SET title = ?, uid = ? WHERE id = ?`, first(text, 100), fmt.Sprint(i, "\\", i), task.ID)
		db.Exec(t, `INSERT INTO events (at, name, user_id, detail) VALUES (?, 'x', ?, ?)`, i, ann.ID, first(text, 200))
		ids = append(ids, task.ID)
	}
	if _, err := db.DeleteTask(context.Background(), caller, todo.ByID(ids[0]), todo.Removal{At: testNow}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := db.IndexWords(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	blob, text := []byte("\x00\x01\\x\n\t\xff"), hostile()[0]
	for _, row := range []struct {
		into string
		args []any
	}{
		{`reminders (user_id, task_id, before, version)`, []any{ann.ID, ids[1], 1, 1}},
		{`invitations (list_id, role, hash, created_by, created_at, expires_at)`, []any{db.Count(t, `SELECT max(id) FROM lists`), 1, linkHash("copy"), ann.ID, 1, 2}},
		{`task_ical (task_id, said, body)`, []any{ids[1], 1, blob}},
		{`task_ical (task_id, said, body)`, []any{ids[2], 1, []byte{}}},
		{`task_ical (task_id, said, parent_uid, parent_at)`, []any{ids[3], 0, text, 0}},
		{`task_alarms (task_id, user_id, body)`, []any{ids[1], ann.ID, bytes.Repeat([]byte{0, 255}, 60_000)}},
		{`task_names (list_id, task_id, name)`, []any{1, ids[1], text}},
		{`task_names (list_id, task_id, name, gone)`, []any{1, ids[1], text, 5}},
		{`task_names (list_id, task_id, name, gone)`, []any{1, ids[1], text, 5}},
		{`retired_tokens (session_id, generation, retired_at)`, []any{caller.SessionID, 1, 1}},
		{`links (hash, user_id, purpose, email, expires_at)`, []any{linkHash("\\N"), ann.ID, "reset", "a@b", 9}},
		{`api_tokens (user_id, name, hash, scopes, created_at)`, []any{ann.ID, text, linkHash("token"), "tasks:read", 1}},
		{`answers (id, user_id, key, fingerprint, status, body, at, shows)`, []any{70, ann.ID, int64(-1 << 63), bytes.Repeat([]byte("\\"), 16), 200, blob, int64(1<<63 - 1), "[]"}},
		{`webhooks (user_id, url, events, secret, created_at, cursor)`, []any{ann.ID, "https://x", 1, bytes.Repeat([]byte{9}, 24), 1, 1}},
		{`feeds (user_id, hash, form, created_at)`, []any{ann.ID, linkHash("feed"), "todo", 1}},
		{`push_subscriptions (user_id, session_id, endpoint, p256dh, auth, created_at, cursor)`, []any{ann.ID, caller.SessionID, "https://y", make([]byte, 65), make([]byte, 16), 1, 1}},
		{`meta (name, value)`, []any{"odd\\", text}},
	} {
		db.Exec(t, `INSERT INTO `+row.into+` VALUES (?`+strings.Repeat(`, ?`, len(row.args)-1)+`)`, row.args...)
	}
	db.Exec(t, `INSERT INTO deliveries (webhook_id, seq, event, at, tries, ms) SELECT max(id), 1, 'task.created', 1, 1, 1 FROM webhooks`)
}

// TestACopyIsTheSame copies a database with something in every table from engine to engine, around.
func TestACopyIsTheSame(t *testing.T) {
	db := openTest(t)
	fillTables(t, db)
	places := []storetest.Place{db.Place(), storetest.NewFile(t), storetest.NewFile(t)}
	if !storetest.IsSQLite() {
		places = []storetest.Place{db.Place(), storetest.NewFile(t), storetest.NewServer(t), storetest.NewServer(t), storetest.NewFile(t)}
	}
	var first []store.Copied
	for i := range places[1:] {
		copied := mustCopy(t, places[i], places[i+1])
		if i == 0 {
			first = copied
		}
		if !slices.Equal(copied, first) {
			t.Errorf("copy %d is\n%v\nand not\n%v", i, copied, first)
		}
	}
	for _, table := range first {
		if table.Rows == 0 {
			t.Errorf("nothing is in %s, so nothing was shown of it", table.Table)
		}
	}
	again := openCopy(t, places[len(places)-1])
	if err := again.Consistent(); err != nil {
		t.Error(err)
	}
}

// TestACopyGoesOn: what clients know of versions, ids and sessions is good in the copy, and nothing
// that was removed before gives its id to something new.
func TestACopyGoesOn(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	caller := app.Caller{UserID: ann.ID, Role: app.RoleUser, SessionID: addSession(t, db, testSession, ann).ID}
	kept, err := db.CreateTask(ctx, caller, todo.NewTask{UserID: ann.ID, Title: "kept", CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := db.CreateTask(ctx, caller, todo.NewTask{UserID: ann.ID, Title: "gone", CreatedAt: testNow})
	if err == nil {
		_, err = db.DeleteTask(ctx, caller, todo.ByID(gone.ID), todo.Removal{Permanent: true, At: testNow})
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string]storetest.Place{"a file": storetest.NewFile(t), "the same engine": storetest.NewPlace(t)} {
		mustCopy(t, db.Place(), place)
		another := openCopy(t, place)
		if another.Lineage() != db.Lineage() || another.Seed() != db.Seed() {
			t.Errorf("%s: lineage %q, seed %x, not %q, %x", name, another.Lineage(), another.Seed(), db.Lineage(), db.Seed())
		}
		if _, err := another.Caller(ctx, testSession, ann.ID, testNow); err != nil {
			t.Errorf("%s: the session: %v", name, err)
		}
		if same, err := another.Task(ctx, caller, todo.ByID(kept.ID)); err != nil || !reflect.DeepEqual(same, kept) {
			t.Errorf("%s: got %+v, %v, want %+v", name, same, err, kept)
		}
		next, err := another.CreateTask(ctx, caller, todo.NewTask{UserID: ann.ID, Title: "next", CreatedAt: testNow})
		if err != nil || next.ID != gone.ID+1 || next.Version <= gone.Version {
			t.Errorf("%s: got %+v, %v, after id %d and version %d", name, next, err, gone.ID, gone.Version)
		}
		page, err := another.Tasks(ctx, caller, ann.ID, app.PageRequest{Page: 1, PerPage: 10})
		if err != nil || page.Total != 2 || len(page.Items) != 2 {
			t.Errorf("%s: got %d of %d tasks, %v", name, len(page.Items), page.Total, err)
		}
		// Once more opened, as after a restart.
		if err := another.Close(); err != nil {
			t.Fatal(err)
		}
		if lineage := openCopy(t, place).Lineage(); lineage != db.Lineage() {
			t.Errorf("%s: the lineage is %q after a restart", name, lineage)
		}
	}
}

// TestHistoriesGoOnInACopy moves a database in the middle of what people do.
func TestHistoriesGoOnInACopy(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := newHistory(t, r, 3)
		h.family()
		acts := []func(){h.createTask, h.createTask, h.changeTask, h.moveTask, h.place, h.deleteTask, h.restoreTask, h.createList, h.invite, h.changeMember, h.deleteList, h.restoreList}
		for moves := range 2 {
			for range rapid.IntRange(1, 20).Draw(r, "acts") {
				h.now = h.now.Add(time.Second)
				acts[rapid.IntRange(0, len(acts)-1).Draw(r, "act")]()
			}
			h.check()
			if moves > 0 {
				break
			}
			place := storetest.NewFile(t)
			mustCopy(h, h.db.Place(), place)
			h.db = place.Open(t, storetest.Options{Now: func() time.Time { return testNow }, Cleanup: r.Cleanup})
			h.check()
		}
	})
}

// TestACopyNeedsRoom: nothing is ever copied over something.
func TestACopyNeedsRoom(t *testing.T) {
	db, place := openTest(t), storetest.NewPlace(t)
	addUser(t, db, "ann@example.com", app.RoleUser)
	mustCopy(t, db.Place(), place)
	for name, to := range map[string]storetest.Place{"itself": db.Place(), "a copy": place} {
		before := openCopy(t, to).Count(t, `SELECT count(*) FROM users`)
		if target, err := to.Target(context.Background()); err == nil {
			t.Errorf("%s: copied over it", name)
			_ = target.Close()
		}
		if after := openCopy(t, to).Count(t, `SELECT count(*) FROM users`); before != 1 || after != 1 {
			t.Errorf("%s: %d users, then %d", name, before, after)
		}
	}
}

// failing is a source that fails in the middle of a table.
type failing struct {
	store.CopySource
	table string
	fail  func() error
}

func (f failing) ReadTable(ctx context.Context, t store.Table, lines io.Writer) error {
	if t.Name != f.table {
		return f.CopySource.ReadTable(ctx, t, lines)
	}
	var all bytes.Buffer
	if err := f.CopySource.ReadTable(ctx, t, &all); err != nil {
		return err
	}
	if _, err := lines.Write(all.Bytes()[:all.Len()/2]); err != nil {
		return err
	}
	return f.fail()
}

// altering is a target that gives back something else than was put into it.
type altering struct {
	store.CopyTarget
	table    string
	old, new string
}

func (a altering) ReadTable(ctx context.Context, t store.Table, lines io.Writer) error {
	if t.Name != a.table {
		return a.CopyTarget.ReadTable(ctx, t, lines)
	}
	var all bytes.Buffer
	if err := a.CopyTarget.ReadTable(ctx, t, &all); err != nil {
		return err
	}
	_, err := lines.Write(bytes.Replace(all.Bytes(), []byte(a.old), []byte(a.new), 1))
	return err
}

// TestACopyThatEndsEarlyLeavesRoom: whatever ends it, nothing is left that could be taken for a copy,
// and the next one succeeds.
func TestACopyThatEndsEarlyLeavesRoom(t *testing.T) {
	db := openTest(t)
	fillTables(t, db)
	places := map[string]storetest.Place{"file": storetest.NewFile(t)}
	if !storetest.IsSQLite() {
		places["server"] = storetest.NewServer(t)
	}
	broken := errors.New("broken")
	for name, place := range places {
		for what, c := range map[string]struct {
			between func(*store.Copy)
			want    error
		}{
			"the source fails at the first table": {func(c *store.Copy) { c.From = failing{c.From, "meta", func() error { return broken }} }, broken},
			"the source fails later":              {func(c *store.Copy) { c.From = failing{c.From, "changes", func() error { return broken }} }, broken},
			"half a row":                          {func(c *store.Copy) { c.From = failing{c.From, "changes", func() error { return nil }} }, nil},
			"another row":                         {func(c *store.Copy) { c.To = altering{c.To, "users", "zoe@", "zoo@"} }, store.ErrNotSame},
			"a row less":                          {func(c *store.Copy) { c.To = altering{c.To, "totals", "users\t0\t", "users\t1\t"} }, store.ErrNotSame},
			"a row that refers to nothing":        {func(c *store.Copy) { c.From = failing{c.From, "lists", func() error { return nil }} }, nil},
		} {
			_, err := copyTo(db.Place(), place, c.between)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: %s: got %v", name, what, err)
			}
		}
		mustCopy(t, db.Place(), place)
		if err := openCopy(t, place).Consistent(); err != nil {
			t.Error(err)
		}
	}
}

// TestACopyIsCancelled in the middle of a table.
func TestACopyIsCancelled(t *testing.T) {
	db := openTest(t)
	fillTables(t, db)
	ctx := context.Background()
	for _, place := range []storetest.Place{storetest.NewFile(t), storetest.NewPlace(t)} {
		source, err := db.Place().Source(ctx)
		if err != nil {
			t.Fatal(err)
		}
		target, err := place.Target(ctx)
		if err != nil {
			t.Fatal(err)
		}
		during, stop := context.WithCancel(ctx)
		c := store.Copy{To: target, From: failing{source, "tasks", func() error { stop(); <-during.Done(); return during.Err() }}}
		if _, err := c.Run(during); err == nil {
			t.Error("a copy that was cancelled succeeded")
		}
		_, _ = target.Close(), source.Close() // what is left of them
		mustCopy(t, db.Place(), place)
	}
}

// TestAConnectionOfACopyIsLost: the server ends the connection that writes, or the one that reads.
func TestAConnectionOfACopyIsLost(t *testing.T) {
	from, to := storetest.NewServer(t), storetest.NewServer(t)
	db := openTest(t)
	fillTables(t, db)
	mustCopy(t, db.Place(), from)
	for name, place := range map[string]storetest.Place{"source": from, "target": to} {
		kill := func() error {
			return place.Exec(context.Background(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		}
		if copied, err := copyTo(from, to, func(c *store.Copy) { c.From = failing{c.From, "tasks", kill} }); err == nil {
			t.Errorf("%s: copied %v", name, copied)
		}
	}
	mustCopy(t, from, to)
}

// TestACopyIsOfOneMoment: what is written while it is made is not in it.
func TestACopyIsOfOneMoment(t *testing.T) {
	db, place := openTest(t), storetest.NewPlace(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	copied, err := copyTo(db.Place(), place, func(c *store.Copy) {
		addUser(t, db, "ben@example.com", app.RoleUser)
	})
	if err != nil {
		t.Fatal(err)
	}
	another := openCopy(t, place)
	if n := another.Count(t, `SELECT count(*) FROM users`); n != 1 {
		t.Errorf("%d users in %v", n, copied)
	}
	if _, err := another.User(context.Background(), ann.ID); err != nil {
		t.Error(err)
	}
	if _, err := another.UserByEmail(context.Background(), "ben@example.com"); !errors.Is(err, account.ErrUserNotFound) {
		t.Errorf("who came later: %v", err)
	}
}

// TestACopyHasTheSchemaOfAFreshDatabase: indexes, triggers and references are those that a fresh one has.
func TestACopyHasTheSchemaOfAFreshDatabase(t *testing.T) {
	db, place := openTest(t), storetest.NewPlace(t)
	addUser(t, db, "ann@example.com", app.RoleUser)
	mustCopy(t, db.Place(), place)
	query := `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY 1`
	if !storetest.IsSQLite() {
		query = `SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
			UNION ALL SELECT concat(conrelid::regclass, ' ', conname, ' ', pg_get_constraintdef(oid), convalidated) FROM pg_constraint WHERE connamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
			UNION ALL SELECT concat(pg_get_triggerdef(t.oid), tgenabled) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid JOIN pg_namespace AS n ON n.oid = relnamespace AND nspname = current_schema() WHERE NOT tgisinternal
			UNION ALL SELECT concat(table_name, column_name, data_type, column_default, is_nullable, is_identity, generation_expression) FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1`
	}
	want, got := db.Lines(t, query), openCopy(t, place).Lines(t, query)
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], storetest.OddSchema+".", "public.")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(want) < 60 {
		t.Errorf("only %d things were compared", len(want))
	}
}

// TestLinesOfRows: a row is the same after it was a line.
func TestLinesOfRows(t *testing.T) {
	table := store.Table{Name: "t", Columns: []store.Column{{Name: "a", Kind: "TEXT"}, {Name: "b", Kind: "INTEGER"}, {Name: "c", Kind: "BLOB"}, {Name: "d", Kind: "TEXT"}}}
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\\\t\n\r\x08\x0b\x0cNbtn.x]*`), rapid.SampledFrom(hostile()))
		want := []any{text.Draw(r, "a"), rapid.Int64().Draw(r, "b"), rapid.SliceOf(rapid.Byte()).Draw(r, "c"), nil}
		line, err := store.AppendLine(nil, want)
		if err != nil || bytes.Count(line, []byte("\n")) != 1 || bytes.Count(line, []byte("\t")) != 3 {
			r.Fatalf("%q, %v", line, err)
		}
		got := make([]any, 4)
		if err := table.ReadLine(line[:len(line)-1], got); err != nil || !reflect.DeepEqual(got, want) {
			r.Fatalf("%q is %q, %v, want %q", line, got, err, want)
		}
	})
	for _, line := range []string{"", "a", "a\t1\t\\\\x", "a\t1\t\\\\x\tb\tc", "a\tx\t\\\\x\tb", "a\t1\tx\tb", "a\t1\t\\\\x0\tb", "a\\\t1\t\\\\x\tb", "a\\q\t1\t\\\\x\tb"} {
		if err := table.ReadLine([]byte(line), make([]any, 4)); err == nil {
			t.Errorf("%q is a row", line)
		}
	}
}
