package store

import (
	"slices"
	"strings"
)

// Table is a table of the schema as far as a copy carries it. Columns that are computed are not
// among its columns, and "turn", which only PostgreSQL has, is not among the tables.
type Table struct {
	Name    string
	Columns []Column
	// Key is how many of the first columns give the rows their order.
	Key int
	// Numbered tables give each id once, also when its row has gone.
	Numbered bool
	// Where is the condition of the rows that are carried, in the SQL of both engines; empty for all.
	Where string
}

// Column is a column of a table. Kind is "INTEGER", "TEXT" or "BLOB".
type Column struct{ Name, Kind string }

// List returns the names of the columns as SQL has them.
func (t Table) List() string { return quoted(t.Columns) }

// Order returns the columns of the order as SQL has them.
func (t Table) Order() string { return quoted(t.Columns[:t.Key]) }

// Condition returns the WHERE clause of the rows that are carried, or nothing.
func (t Table) Condition() string {
	if t.Where == "" {
		return ""
	}
	return " WHERE " + t.Where
}

func quoted(columns []Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = `"` + c.Name + `"`
	}
	return strings.Join(names, ", ")
}

// Tables returns what a copy carries. Tests of both engines compare it with their schemas.
func Tables() []Table {
	return slices.Concat(peopleTables(), taskTables(), reachedTables())
}

// notCarried are the rows of meta that belong to a database and not to what is in it: the number of
// its schema, and what its engine tells it from another one by.
const notCarried = `name NOT IN ('identity', 'schema', 'timeline')`

func table(name string, key int, columns string) Table {
	t := Table{Name: name, Key: key}
	for _, column := range strings.Split(columns, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(column), " ")
		t.Columns = append(t.Columns, Column{name, kind})
	}
	return t
}

func numbered(name, columns string) Table {
	t := table(name, 1, "id INTEGER, "+columns)
	t.Numbered = true
	return t
}

func peopleTables() []Table {
	meta := table("meta", 1, "name TEXT, value TEXT")
	meta.Where = notCarried
	return []Table{
		meta,
		numbered("users", "username TEXT, email TEXT, email_key TEXT, password_hash TEXT, role TEXT, created_at INTEGER, verified_at INTEGER, pending_email TEXT, time_zone TEXT, reminder_channels TEXT, deleted_at INTEGER"),
		numbered("lists", "owner_id INTEGER, uid TEXT, name TEXT, color TEXT, inbox INTEGER, created_at INTEGER, updated_at INTEGER, version INTEGER"),
		table("members", 2, "user_id INTEGER, list_id INTEGER, role INTEGER, position INTEGER, archived INTEGER, joined_at INTEGER, version INTEGER"),
		numbered("invitations", "list_id INTEGER, role INTEGER, email TEXT, hash TEXT, created_by INTEGER, created_at INTEGER, expires_at INTEGER"),
		table("sessions", 1, "id TEXT, user_id INTEGER, generation INTEGER, created_at INTEGER, last_used_at INTEGER, expires_at INTEGER, address TEXT, user_agent TEXT"),
		table("retired_tokens", 2, "session_id TEXT, generation INTEGER, retired_at INTEGER"),
		table("links", 1, "hash TEXT, user_id INTEGER, purpose TEXT, email TEXT, expires_at INTEGER"),
		numbered("api_tokens", "user_id INTEGER, name TEXT, hash TEXT, scopes TEXT, created_at INTEGER, expires_at INTEGER, session_id TEXT"),
		numbered("events", "at INTEGER, name TEXT, user_id INTEGER, actor_id INTEGER, address TEXT, detail TEXT"),
	}
}

func taskTables() []Table {
	return []Table{
		numbered("tasks", `user_id INTEGER, list_id INTEGER, title TEXT, description TEXT, created_at INTEGER, completed_at INTEGER, updated_at INTEGER, version INTEGER,
			created_by INTEGER, priority INTEGER, position INTEGER, uid TEXT, parent_id INTEGER, assignee_id INTEGER, due TEXT, due_wall INTEGER, due_zone TEXT, due_utc INTEGER,
			start TEXT, recurrence TEXT, recurrence_from INTEGER, recurrence_start TEXT, recurrence_of INTEGER, labels TEXT`),
		table("task_labels", 3, "list_id INTEGER, key TEXT, task_id INTEGER"),
		table("task_words", 3, "list_id INTEGER, word TEXT, task_id INTEGER"),
		numbered("reminders", "user_id INTEGER, task_id INTEGER, at INTEGER, before INTEGER, fires_at INTEGER, version INTEGER"),
		table("changes", 1, "seq INTEGER, scope INTEGER, grp INTEGER, at INTEGER, actor INTEGER, kind INTEGER, op INTEGER, entity INTEGER, fields INTEGER, uid TEXT, undo TEXT"),
		table("task_ical", 1, "task_id INTEGER, said INTEGER, said_uid TEXT, parent_uid TEXT, parent_at INTEGER, body BLOB"),
		table("task_alarms", 2, "task_id INTEGER, user_id INTEGER, body BLOB"),
		table("task_names", 3, "list_id INTEGER, task_id INTEGER, name TEXT, gone INTEGER"),
		table("trash", 1, "id INTEGER, user_id INTEGER, list_id INTEGER, grp INTEGER, at INTEGER, actor INTEGER, uid TEXT, data TEXT"),
		table("totals", 2, "list TEXT, owner INTEGER, total INTEGER"),
	}
}

func reachedTables() []Table {
	return []Table{
		numbered("mails", "user_id INTEGER, template TEXT, recipient TEXT, data TEXT, message_id TEXT, status TEXT, attempts INTEGER, created_at INTEGER, next_at INTEGER, sent_at INTEGER, last_error TEXT"),
		table("answers", 1, "id INTEGER, user_id INTEGER, key INTEGER, fingerprint BLOB, status INTEGER, body BLOB, at INTEGER, shows TEXT"),
		numbered("webhooks", "user_id INTEGER, list_id INTEGER, url TEXT, events INTEGER, secret BLOB, old_secret BLOB, old_until INTEGER, created_at INTEGER, cursor INTEGER, state TEXT, tries INTEGER, next_at INTEGER, failing_since INTEGER, last_error TEXT"),
		table("deliveries", 2, "webhook_id INTEGER, seq INTEGER, event TEXT, at INTEGER, tries INTEGER, status INTEGER, ms INTEGER, error TEXT, dead INTEGER"),
		numbered("feeds", "user_id INTEGER, list_id INTEGER, hash TEXT, form TEXT, created_at INTEGER, session_id TEXT"),
		numbered("push_subscriptions", "user_id INTEGER, session_id TEXT, endpoint TEXT, p256dh BLOB, auth BLOB, created_at INTEGER, cursor INTEGER, tries INTEGER, next_at INTEGER"),
	}
}
