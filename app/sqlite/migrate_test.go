package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// freshSchema is the text of schema.sql.
func freshSchema(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// build makes a database file of any schema without our own Open.
func build(t *testing.T, schema string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "old.db")
	pool, err := openPool(dsn(path, Full, false), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	if _, err := pool.Exec(schema); err != nil {
		t.Fatal(err)
	}
	return path
}

// shape returns what a schema consists of, without comments and layout.
func shape(t *testing.T, path string) []string {
	t.Helper()
	pool, err := openPool(dsn(path, Full, true), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	var out []string
	for _, query := range shapeQueries() {
		out = append(out, lines(t, pool, query)...)
	}
	return out
}

// shapeQueries ask the schema about itself, one text a row.
func shapeQueries() []string {
	return []string{
		`SELECT 'version ' || user_version FROM pragma_user_version`,
		`SELECT 'application ' || application_id FROM pragma_application_id`,
		`SELECT 'table ' || name || ' ' || type || ' strict ' || strict || ' without rowid ' || wr
			FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
		`SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || ' ' || c.[notnull] || ' ' || coalesce(c.dflt_value, '-') || ' ' || c.pk
			FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c
			WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.name`,
		`SELECT 'reference ' || t.name || '.' || f.[from] || ' ' || f.[table] || ' ' || f.on_delete
			FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f ORDER BY 1`,
		`SELECT type || ' ' || tbl_name || ' ' || name || ' ' || coalesce(sql, 'automatic') FROM sqlite_schema
			WHERE type IN ('index', 'trigger', 'view') ORDER BY 1`,
		`SELECT 'checks ' || name || ' ' || sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
	}
}

func lines(t *testing.T, pool *sql.DB, query string) []string {
	t.Helper()
	rows, err := pool.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "checks ") {
			line = checks(line)
		}
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// checks keeps of a CREATE TABLE only its CHECK clauses, sorted; a column that
// was added later stands elsewhere in the text.
func checks(line string) string {
	head, text, _ := strings.Cut(line, " CREATE ")
	var found []string
	for {
		i := strings.Index(text, "CHECK (")
		if i < 0 {
			slices.Sort(found)
			return head + " " + strings.Join(found, " ")
		}
		text = text[i:]
		end, depth := 0, 0
		for j, r := range text {
			if r == '(' {
				depth++
			}
			if r == ')' {
				if depth--; depth == 0 {
					end = j + 1
					break
				}
			}
		}
		found = append(found, text[:end])
		text = text[end:]
	}
}

func TestEverySchemaSoFarBecomesTheFreshOne(t *testing.T) {
	want := shape(t, build(t, freshSchema(t)))
	files, err := filepath.Glob("testdata/schema-*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(steps())+1 {
		t.Fatalf("%d schemas are kept in testdata, but there are %d steps: keep a copy of schema.sql for each version", len(files), len(steps()))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			old, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := build(t, string(old))
			db, err := Open(context.Background(), Options{Path: path, Schema: freshSchema(t)})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			got := shape(t, path)
			if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
				t.Errorf("migrated:\n%s\n\nfresh:\n%s", a, b)
			}
		})
	}
}

// What stands in an older file is the same afterwards, the references to it
// and the ids that were used included.
func TestAStepKeepsWhatIsThere(t *testing.T) {
	old, err := os.ReadFile("testdata/schema-3.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := build(t, string(old)+`
		INSERT INTO users (id, username, email, email_key, password_hash, role, created_at, verified_at) VALUES
			(7, 'ann', 'Ann@example.com', 'ann@example.com', '`+testHash+`', 'admin', 5, 6),
			(9, 'bob', 'bob@example.com', 'bob@example.com', '`+testHash+`', 'user', 5, NULL);
		INSERT INTO tasks (user_id, title, description, created_at) VALUES (7, 'hers', '', 5), (9, 'his', '', 5);
		DELETE FROM users WHERE id = 9;`)
	db, err := Open(context.Background(), Options{Path: path, Schema: freshSchema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	got := strings.Join(lines(t, db.engine.readPool, `
		SELECT concat_ws(' ', id, username, email, email_key, password_hash = '`+testHash+`', role, created_at, verified_at) FROM users
		UNION ALL SELECT title || user_id FROM tasks
		UNION ALL SELECT name || ' ' || seq FROM sqlite_sequence WHERE name = 'users'
		UNION ALL SELECT list || ' ' || owner || ' ' || total FROM totals`), ", ")
	want := "7 ann Ann@example.com ann@example.com 1 admin 5 6, hers7, users 9, tasks 7 1, users 0 1"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if rest := lines(t, db.engine.readPool, `SELECT 'broken ' || [table] FROM pragma_foreign_key_check`); len(rest) > 0 {
		t.Error(rest)
	}
}

// conn opens a file as the writer does, without migrating it.
func connect(t *testing.T, path string) *sql.Conn {
	t.Helper()
	pool, err := openPool(dsn(path, Full, false), 1)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(conn.Close(), pool.Close()) })
	return conn
}

const firstSchema = `CREATE TABLE things (id INTEGER PRIMARY KEY) STRICT;
	PRAGMA application_id = 1952542825; PRAGMA user_version = 1;`

func TestStepsRunInOrderAndOnlyOnce(t *testing.T) {
	ctx := context.Background()
	conn := connect(t, build(t, firstSchema))
	forward := []step{
		statementsOf(`ALTER TABLE things ADD COLUMN a TEXT; INSERT INTO things (a) VALUES ('first');`),
		statementsOf(`UPDATE things SET a = a || ' second';`),
	}
	for range 2 {
		if err := migrate(ctx, conn, "", forward, nil); err != nil {
			t.Fatal(err)
		}
	}
	var a string
	var version int
	if err := conn.QueryRowContext(ctx, `SELECT a, (SELECT user_version FROM pragma_user_version) FROM things`).Scan(&a, &version); err != nil {
		t.Fatal(err)
	}
	if a != "first second" || version != 3 {
		t.Errorf("got %q at version %d", a, version)
	}
}

// An upgrade is done as a whole or not at all: nothing knows a schema between
// two versions.
func TestAnUpgradeThatIsCutLeavesTheVersionBefore(t *testing.T) {
	ctx := context.Background()
	broken := statementsOf(`INSERT INTO things (id) VALUES (1); INSERT INTO nowhere VALUES (1);`)
	good := []step{statementsOf(`ALTER TABLE things ADD COLUMN a TEXT;`), statementsOf(`ALTER TABLE things ADD COLUMN b TEXT;`), statementsOf(`ALTER TABLE things ADD COLUMN c TEXT;`)}
	for from := 1; from <= len(good); from++ {
		for at := from - 1; at < len(good); at++ {
			conn := connect(t, build(t, firstSchema))
			if err := migrate(ctx, conn, "", good[:from-1], nil); err != nil {
				t.Fatal(err)
			}
			forward := slices.Clone(good)
			forward[at] = broken
			if err := migrate(ctx, conn, "", forward, nil); err == nil {
				t.Fatal("a broken step passed")
			}
			var rows, version, columns int
			if err := conn.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM things), (SELECT user_version FROM pragma_user_version),
				(SELECT count(*) FROM pragma_table_info('things'))`).Scan(&rows, &version, &columns); err != nil {
				t.Fatal(err)
			}
			if rows != 0 || version != from || columns != from {
				t.Errorf("from %d, broken at %d: version %d, %d columns, %d rows", from, at+1, version, columns, rows)
			}
			if err := migrate(ctx, conn, "", good, nil); err != nil {
				t.Errorf("from %d, tried again: %v", from, err)
			}
		}
	}
}

func TestOpenRefusesFilesThatAreNotOurs(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		want error
	}{
		"not a database":    {garbage, ErrNotDatabase},
		"another program's": {build(t, `CREATE TABLE notes (x); PRAGMA user_version = 1;`), ErrForeign},
		"a newer version's": {build(t, firstSchema+fmt.Sprintf(`PRAGMA user_version = %d`, len(steps())+2)), ErrNewer},
		"no such folder":    {filepath.Join(t.TempDir(), "no", "such", "folder.db"), ErrReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(context.Background(), Options{Path: c.path, Schema: freshSchema(t)})
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestManyMayOpenAFreshFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taskapi.db")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			db, err := Open(context.Background(), Options{Path: path, Schema: freshSchema(t)})
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestPathsWithOddCharacters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%20ä.db")
	db, err := Open(context.Background(), Options{Path: path, Schema: freshSchema(t), Durability: Normal})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is elsewhere: %v", err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	path := build(t, freshSchema(t))
	pool, err := openPool(dsn(path, Full, true), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	if _, err := pool.Exec(`DELETE FROM users`); code(err)&0xff != 8 {
		t.Errorf("got %v, want SQLITE_READONLY", err)
	}
}

func TestVersionIsSQLites(t *testing.T) {
	version, err := Version()
	if err != nil || !strings.HasPrefix(version, "3.") {
		t.Errorf("got %q, %v", version, err)
	}
}
