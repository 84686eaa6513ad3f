package postgres

import "testing"

// A password that taskapi was given counts before one that lies about for other programs.
func TestWhichPasswordCounts(t *testing.T) {
	t.Setenv("PGPASSWORD", "of psql")
	for _, c := range []struct{ url, given, want string }{
		{"postgres://ann@localhost/tasks", "given", "given"},
		{"postgres://ann:inside@localhost/tasks", "given", "inside"},
		{"postgres://ann@localhost/tasks", "", "of psql"},
		{"postgres://ann:inside@localhost/tasks", "", "inside"},
	} {
		config, err := configOf(Options{URL: c.url, Password: c.given})
		if err != nil || config.Password != c.want {
			t.Errorf("%+v: %q, %v", c, config.Password, err)
		}
	}
}

func TestAddressesInMessages(t *testing.T) {
	const address = "postgres://ann:secret@localhost/tasks?search_path=mine&sslmode=require"
	if got := Redact(address); got != "postgres://ann:xxxxx@localhost/tasks" {
		t.Error(got)
	}
	if a, b := Schema(address), Schema("postgres://localhost/tasks"); a != "mine" || b != "public" {
		t.Error(a, b)
	}
}

// What PostgreSQL writes otherwise than SQLite is rewritten, and parameters get its names.
func TestTheDialect(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT ?, '?', ?`: `SELECT $1, '?', $2`,
		`SELECT ?2, ?1`:    `SELECT $2, $1`,
		`INSERT INTO tasks (id) VALUES (nullif(?1, 0 /* next of tasks */))`: `INSERT INTO tasks (id) VALUES (coalesce(nullif($1, 0), nextval('tasks_id_seq')))`,
		`SELECT value FROM json_each(?1)`:                                   `SELECT value FROM numbers_of($1)`,
		`SELECT value ->> 0 FROM json_each(?1 /* rows */)`:                  `SELECT value ->> 0 FROM json_array_elements(CAST($1 AS json)) AS rows (value)`,
		`SELECT 'it''s ?' || ?`:                                             `SELECT 'it''s ?' || $1`,
		`FROM own JOIN changes c ON c.seq IN (SELECT seq FROM changes WHERE scope = own.scope AND kind IN (1, 4) ORDER BY seq LIMIT ?4) ORDER BY c.seq`: `FROM own JOIN LATERAL (SELECT * FROM changes WHERE scope = own.scope AND kind IN (1, 4) ORDER BY seq LIMIT $4) AS c ON true ORDER BY c.seq`,
		`SELECT 'open`: `SELECT 'open`,
	} {
		if got := rewrite(query); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
}
