package sqlite

import (
	"context"
	"database/sql"
)

// Version 4 becomes 5: there are lists, what is shared in them, the log of changes, the
// trash, and all that a task can have beside its title, its text and its tick. A deleted
// user's row outlives the user until all that is theirs has gone, and an API token knows
// the session that made it.
//
// The tables of tasks and of totals are made anew: nothing refers to them, and so their
// columns stand as in a fresh file. The words of the search are not here, since they would
// take longer than all the rest: they are made while the server serves.

const stepListsBefore = `
ALTER TABLE users ADD COLUMN deleted_at INTEGER;
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC' CHECK (length(time_zone) BETWEEN 1 AND 64);
CREATE INDEX users_deleted ON users (id) WHERE deleted_at IS NOT NULL;

ALTER TABLE api_tokens ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
CREATE INDEX api_tokens_session ON api_tokens (session_id) WHERE session_id <> '';
CREATE INDEX api_tokens_expiry ON api_tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX mails_sent ON mails (sent_at) WHERE status = 'sent';

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lists (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id   INTEGER NOT NULL REFERENCES users (id),
    uid        TEXT    CHECK (length(uid) BETWEEN 1 AND 255),
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    color      TEXT    CHECK (color GLOB '#[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]'),
    inbox      INTEGER NOT NULL DEFAULT 0 CHECK (inbox IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version    INTEGER NOT NULL CHECK (version >= 1)
) STRICT;

CREATE INDEX lists_owner ON lists (owner_id);
CREATE UNIQUE INDEX lists_inbox ON lists (owner_id) WHERE inbox = 1;
CREATE UNIQUE INDEX lists_uid ON lists (uid, owner_id) WHERE uid IS NOT NULL;

CREATE TABLE members (
    user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    list_id   INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    role      INTEGER NOT NULL CHECK (role BETWEEN 1 AND 3),
    position  INTEGER NOT NULL CHECK (abs(position) < 9007199254740992),
    archived  INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    joined_at INTEGER NOT NULL,
    version   INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (user_id, list_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_list ON members (list_id);
CREATE UNIQUE INDEX members_owner ON members (list_id) WHERE role = 3;

CREATE TABLE invitations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    list_id    INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    role       INTEGER NOT NULL CHECK (role IN (1, 2)),
    email      TEXT    CHECK (length(email) BETWEEN 3 AND 254),
    hash       TEXT    NOT NULL UNIQUE CHECK (length(hash) = 43),
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX invitations_list ON invitations (list_id);
CREATE INDEX invitations_expiry ON invitations (expires_at);

INSERT INTO lists (owner_id, name, inbox, created_at, updated_at, version)
    SELECT id, 'Inbox', 1, created_at, created_at, 1 FROM users ORDER BY id;
INSERT INTO members (user_id, list_id, role, position, joined_at, version)
    SELECT owner_id, id, 3, 0, created_at, 1 FROM lists ORDER BY owner_id;

DROP TRIGGER tasks_count_more;
DROP TRIGGER tasks_count_fewer;
DROP TRIGGER tasks_change_owner;
DROP TRIGGER users_count_more;
DROP TRIGGER users_count_fewer;
DROP TRIGGER events_count_more;
DROP TRIGGER events_count_fewer;

DROP INDEX tasks_user;
ALTER TABLE tasks RENAME TO old_tasks;
CREATE TABLE tasks (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    list_id      INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
    description  TEXT    NOT NULL CHECK (length(description) <= 10000),
    created_at   INTEGER NOT NULL,
    completed_at INTEGER,
    updated_at   INTEGER NOT NULL,
    version      INTEGER NOT NULL CHECK (version >= 1),
    created_by   INTEGER,
    priority     INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 3),
    position     INTEGER CHECK (abs(position) < 9007199254740992),
    uid          TEXT    CHECK (length(uid) BETWEEN 1 AND 255),
    parent_id    INTEGER REFERENCES tasks (id) ON DELETE CASCADE,
    assignee_id  INTEGER REFERENCES users (id) ON DELETE SET NULL,
    due          TEXT    CHECK (length(due) IN (10, 16, 19)),
    due_wall     INTEGER CHECK ((due IS NULL) = (due_wall IS NULL)),
    due_zone     TEXT    CHECK (due_zone IS NULL OR length(due_zone) BETWEEN 1 AND 64 AND length(due) > 10),
    due_utc      INTEGER CHECK (due_utc IS NULL OR due_zone IS NOT NULL),
    start        TEXT    CHECK (start IS NULL OR length(start) IN (10, 16, 19) AND (due IS NULL OR (length(due) = 10) = (length(start) = 10))),
    recurrence       TEXT    CHECK (recurrence IS NULL OR length(recurrence) <= 300 AND due IS NOT NULL),
    recurrence_from  INTEGER CHECK (recurrence_from IS NULL OR recurrence_from IN (0, 1) AND recurrence IS NOT NULL),
    recurrence_start TEXT    CHECK (recurrence_start IS NULL OR recurrence IS NOT NULL),
    recurrence_of    INTEGER,
    labels       TEXT    CHECK (labels IS NULL OR json_valid(labels)),
    done INTEGER GENERATED ALWAYS AS (completed_at IS NOT NULL) VIRTUAL,
    rank INTEGER GENERATED ALWAYS AS (coalesce(-completed_at, position, -1024 * id)) VIRTUAL
) STRICT;
`

// stepListsCopy takes the tasks with ids above ?1, at most ?2 of them.
const stepListsCopy = `
INSERT INTO tasks (id, user_id, list_id, title, description, created_at, completed_at, updated_at, version, created_by)
    SELECT t.id, t.user_id, l.id, t.title, t.description, t.created_at, t.completed_at, coalesce(t.completed_at, t.created_at), 1, t.user_id
    FROM (SELECT * FROM old_tasks WHERE id > ?1 ORDER BY id LIMIT ?2) t
    JOIN lists l ON l.owner_id = t.user_id AND l.inbox = 1 ORDER BY t.id`

const stepListsAfter = `
DELETE FROM sqlite_sequence WHERE name = 'tasks';
INSERT INTO sqlite_sequence (name, seq) SELECT 'tasks', seq FROM sqlite_sequence WHERE name = 'old_tasks';
DROP TABLE old_tasks;

CREATE INDEX tasks_user ON tasks (user_id);
CREATE INDEX tasks_list ON tasks (list_id, done, rank);
CREATE INDEX tasks_due ON tasks (list_id, due_wall) WHERE due_wall IS NOT NULL AND completed_at IS NULL;
CREATE INDEX tasks_parent ON tasks (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tasks_assignee ON tasks (assignee_id) WHERE assignee_id IS NOT NULL;
CREATE INDEX tasks_copies ON tasks (recurrence_of) WHERE recurrence_of IS NOT NULL;
CREATE UNIQUE INDEX tasks_uid ON tasks (uid, user_id) WHERE uid IS NOT NULL;

CREATE TABLE task_labels (
    list_id INTEGER NOT NULL,
    key     TEXT    NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    PRIMARY KEY (list_id, key, task_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_labels_task ON task_labels (task_id);

CREATE TABLE task_words (
    list_id INTEGER NOT NULL,
    word    TEXT    NOT NULL,
    task_id INTEGER NOT NULL,
    PRIMARY KEY (list_id, word, task_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE reminders (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    task_id  INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    at       INTEGER,
    before   INTEGER CHECK (before BETWEEN 0 AND 2592000000),
    fires_at INTEGER,
    version  INTEGER NOT NULL CHECK (version >= 1),
    CHECK ((at IS NULL) <> (before IS NULL))
) STRICT;

CREATE INDEX reminders_task ON reminders (task_id, user_id);
CREATE INDEX reminders_user ON reminders (user_id);
CREATE INDEX reminders_due ON reminders (fires_at) WHERE fires_at IS NOT NULL;

CREATE TABLE changes (
    seq    INTEGER PRIMARY KEY,
    scope  INTEGER NOT NULL,
    grp    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    actor  INTEGER,
    kind   INTEGER NOT NULL,
    op     INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    fields INTEGER NOT NULL DEFAULT 0,
    uid    TEXT,
    undo   TEXT
) STRICT;

CREATE INDEX changes_scope ON changes (scope);

CREATE TABLE trash (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    list_id INTEGER NOT NULL,
    grp     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    actor   INTEGER,
    uid     TEXT,
    data    TEXT    NOT NULL CHECK (json_valid(data))
) STRICT;

CREATE INDEX trash_user ON trash (user_id, at);
CREATE INDEX trash_group ON trash (grp);
CREATE INDEX trash_list ON trash (list_id);
CREATE INDEX trash_at ON trash (at);
CREATE INDEX trash_uid ON trash (uid, user_id) WHERE uid IS NOT NULL;

CREATE TRIGGER tasks_made AFTER INSERT ON tasks
BEGIN
    INSERT INTO changes (seq, scope, grp, at, actor, kind, op, entity)
    VALUES (NEW.version, NEW.list_id, NEW.version, NEW.updated_at, NEW.created_by, 1, 1, NEW.id);
END;

ALTER TABLE totals RENAME TO old_totals;
CREATE TABLE totals (
    list  TEXT    NOT NULL CHECK (list IN ('tasks', 'users', 'events', 'trash')),
    owner INTEGER NOT NULL,
    total INTEGER NOT NULL CHECK (total >= 0),
    PRIMARY KEY (list, owner)
) STRICT, WITHOUT ROWID;

INSERT INTO totals (list, owner, total) SELECT list, owner, total FROM old_totals;
DROP TABLE old_totals;

CREATE TRIGGER tasks_count_more AFTER INSERT ON tasks
BEGIN
    INSERT INTO totals (list, owner, total) VALUES ('tasks', NEW.user_id, 1)
    ON CONFLICT DO UPDATE SET total = total + 1;
END;

CREATE TRIGGER tasks_count_fewer AFTER DELETE ON tasks
BEGIN
    UPDATE totals SET total = total - 1 WHERE list = 'tasks' AND owner = OLD.user_id;
END;

CREATE TRIGGER tasks_change_owner AFTER UPDATE OF user_id ON tasks WHEN OLD.user_id <> NEW.user_id
BEGIN
    UPDATE totals SET total = total - 1 WHERE list = 'tasks' AND owner = OLD.user_id;
    INSERT INTO totals (list, owner, total) VALUES ('tasks', NEW.user_id, 1)
    ON CONFLICT DO UPDATE SET total = total + 1;
END;

CREATE TRIGGER trash_count_more AFTER INSERT ON trash
BEGIN
    INSERT INTO totals (list, owner, total) VALUES ('trash', NEW.user_id, 1)
    ON CONFLICT DO UPDATE SET total = total + 1;
END;

CREATE TRIGGER trash_count_fewer AFTER DELETE ON trash
BEGIN
    UPDATE totals SET total = total - 1 WHERE list = 'trash' AND owner = OLD.user_id;
END;

CREATE TRIGGER users_count_more AFTER INSERT ON users
BEGIN
    INSERT INTO totals (list, owner, total) VALUES ('users', 0, 1)
    ON CONFLICT DO UPDATE SET total = total + 1;
END;

CREATE TRIGGER users_count_fewer AFTER DELETE ON users
BEGIN
    UPDATE totals SET total = total - (OLD.deleted_at IS NULL) WHERE list = 'users' AND owner = 0;
    DELETE FROM totals WHERE list IN ('tasks', 'trash') AND owner = OLD.id;
END;

CREATE TRIGGER users_count_deleted AFTER UPDATE OF deleted_at ON users
WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL
BEGIN
    UPDATE totals SET total = total - 1 WHERE list = 'users' AND owner = 0;
END;

CREATE TRIGGER events_count_more AFTER INSERT ON events WHEN NEW.user_id IS NOT NULL
BEGIN
    INSERT INTO totals (list, owner, total) VALUES ('events', NEW.user_id, 1)
    ON CONFLICT DO UPDATE SET total = total + 1;
END;

CREATE TRIGGER events_count_fewer AFTER DELETE ON events WHEN OLD.user_id IS NOT NULL
BEGIN
    UPDATE totals SET total = total - 1 WHERE list = 'events' AND owner = OLD.user_id;
    DELETE FROM totals WHERE list = 'events' AND owner = OLD.user_id AND total = 0;
END;

INSERT INTO meta (name, value) SELECT 'words_back', max(id) FROM tasks HAVING max(id) IS NOT NULL;
`

// upgradeChunk is how many tasks are taken before the next sign of progress.
const upgradeChunk = 50_000

// stepLists brings version 4 to 5.
func stepLists(ctx context.Context, conn *sql.Conn, progress Progress) error {
	if _, err := conn.ExecContext(ctx, stepListsBefore); err != nil {
		return err
	}
	var total int64
	if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM old_tasks`).Scan(&total); err != nil {
		return err
	}
	for done, last := int64(0), int64(0); done < total; {
		result, err := conn.ExecContext(ctx, stepListsCopy, last, upgradeChunk)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		if err := conn.QueryRowContext(ctx, `SELECT max(id) FROM tasks`).Scan(&last); err != nil {
			return err
		}
		done += n
		if progress != nil {
			progress(done, total)
		}
	}
	_, err := conn.ExecContext(ctx, stepListsAfter)
	return err
}
