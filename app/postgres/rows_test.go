package postgres

import "testing"

func TestRowsOfOneStatement(t *testing.T) {
	for query, want := range map[string]string{
		"INSERT INTO totals (list, owner, total) VALUES ($1, $2, 1)":                             "($1, $2, 1)",
		"INSERT INTO tasks (id, a)\n\tVALUES (coalesce(nullif($1, 0), nextval('x_id_seq')), $2)": "(coalesce(nullif($1, 0), nextval('x_id_seq')), $2)",
		"INSERT INTO lists (a, b) VALUES ($1, $2) RETURNING id":                                  "",
		"INSERT INTO lists (a, b) VALUES ($1, $2) ON CONFLICT (a) DO NOTHING":                    "",
		"INSERT INTO lists (a, b) VALUES ($1, (SELECT max(b) + 1 FROM lists))":                   "",
		"INSERT INTO lists (a, b) VALUES ($1, $2), ($3, $4)":                                     "",
		"INSERT INTO lists (a, b) SELECT $1, b FROM lists":                                       "",
		"UPDATE lists SET a = $1":                                                                "",
	} {
		if got := rowOf(query); got != want {
			t.Errorf("%s adds the row %q, want %q", query, got, want)
		}
	}
	if got := withRows("INSERT INTO x (a, b) VALUES ($1, $2 + $1)", "($1, $2 + $1)", 2, 3); got != "INSERT INTO x (a, b) VALUES ($1, $2 + $1), ($3, $4 + $3), ($5, $6 + $5)" {
		t.Error(got)
	}
}
