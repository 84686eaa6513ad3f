package postgres

import (
	"regexp"
	"strconv"
	"strings"
)

// The store writes SQL as SQLite understands it, and nearly all of it is PostgreSQL's as well. What
// is not is rewritten once for each text, before it is prepared.

// replacements are what PostgreSQL has other words for. Longer ones come before what they contain.
var replacements = strings.NewReplacer(
	"char(31)", "chr(31)",
	"CROSS JOIN", "JOIN", // SQLite's way to fix the order of two tables
	"LIMIT -1", "LIMIT ALL",

	"coalesce(position, uid, parent_id, assignee_id, due, start, recurrence_of, labels) IS NOT NULL", "num_nonnulls(position, uid, parent_id, assignee_id, due, start, recurrence_of, labels) > 0",

	// JSON; see the end of schema.sql.
	"DELETE FROM task_words WHERE list_id = ?1 AND word IN (SELECT value FROM json_each(?3)) AND task_id = ?2", "SELECT drop_words(?1, ?2, ?3)",
	"json_each(?1 /* rows */)", "json_array_elements(CAST(?1 AS json)) AS rows (value)",
	"(SELECT group_concat(key) FROM json_each(c.undo))", "(SELECT string_agg(key, ',') FROM json_each(CAST(c.undo AS json)))",
	"group_concat(", "string_agg(",
	"json_each(", "numbers_of(",
	"json_group_array(json_array(at, before))", "json_agg(json_build_array(at, before) ORDER BY id)", // SQLite's order is that of its index
	"json_group_array(json_array(", "json_agg(json_build_array(",
	"json_array_length(t.labels)", "json_array_length(CAST(t.labels AS json))",
	"json_extract(data, '$.parent_id')", "CAST(CAST(data AS json) ->> 'parent_id' AS BIGINT)",
	"json_extract(data, '$.with_list')", "coalesce(CAST(CAST(data AS json) ->> 'with_list' AS BOOLEAN), false)",
	"trash.data ->> 'created_by'", "CAST(CAST(trash.data AS json) ->> 'created_by' AS BIGINT)",
	"trash.data ->> 'assignee_id'", "CAST(CAST(trash.data AS json) ->> 'assignee_id' AS BIGINT)",
	"json_set(coalesce(undo, '{}'), '$.' || ?, json('true'))", "CAST(jsonb_set(CAST(coalesce(undo, '{}') AS jsonb), ARRAY[?], 'true') AS TEXT)",

	// Ids: AUTOINCREMENT keeps the last ones in a table, identity columns in sequences.
	"SELECT 1 FROM sqlite_sequence WHERE name IN ('users', 'lists', 'tasks') AND seq > 0",
	"SELECT 1 FROM changes", // which never become none again, while what was rolled back has used up ids
	"UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?",
	"SELECT reserve(?, ?)",
)

// given is an id that is given, or the next one of a table.
var given = regexp.MustCompile(`nullif\((\?\d*), 0 /\* next of (\w+) \*/\)`)

// lateral is how SQLite is asked for some lines of each scope. PostgreSQL would go through all lines
// for each scope; what it does by an index is a lateral join.
var lateral = regexp.MustCompile(`JOIN changes c ON c\.seq IN (\(SELECT )seq( FROM changes WHERE [^()]*(?:\([^()]*\)[^()]*)*\))`)

// rewrite returns a query of the store as PostgreSQL understands it: ?1 is $1, and each ? the next
// number.
func rewrite(query string) string {
	query = given.ReplaceAllString(replacements.Replace(query), "coalesce(nullif($1, 0), nextval('${2}_id_seq'))")
	query = lateral.ReplaceAllString(query, "JOIN LATERAL ${1}*${2} AS c ON true")
	var out strings.Builder
	out.Grow(len(query) + 8)
	next := 1
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c == '\'': // a text, in which a quotation mark is written twice
			end := strings.IndexByte(query[i+1:], '\'')
			if end < 0 {
				end = len(query) - i - 2
			}
			out.WriteString(query[i : i+end+2])
			i += end + 1
		case c != '?':
			out.WriteByte(c)
		default:
			digits := 0
			for i+1+digits < len(query) && query[i+1+digits] >= '0' && query[i+1+digits] <= '9' {
				digits++
			}
			out.WriteByte('$')
			if digits > 0 {
				out.WriteString(query[i+1 : i+1+digits])
			} else {
				out.WriteString(strconv.Itoa(next))
				next++
			}
			i += digits
		}
	}
	return out.String()
}

// returning makes an INSERT return the id of its row.
func returning(query string) string {
	if strings.HasPrefix(query, "INSERT INTO changes") {
		return rewrite(query) + " RETURNING seq"
	}
	return rewrite(query) + " RETURNING id"
}
