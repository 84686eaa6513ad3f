-- The whole schema of a fresh taskapi database.
--
-- Times are milliseconds since 1970-01-01 UTC. Ids are never used twice
-- (AUTOINCREMENT), so an old link can't come to mean another person's thing.
-- Limits stand here as well as in the program: the last line of defence.
-- Whoever changes this file adds a numbered step for older files in
-- app/sqlite/migrate.go; a test compares the two.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL CHECK (length(username) BETWEEN 1 AND 50),
    email         TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    -- The address in lower case: two that differ in case only are one.
    email_key     TEXT    NOT NULL UNIQUE,
    -- The two others came with imported users; a sign-in replaces them.
    password_hash TEXT    NOT NULL CHECK (password_hash LIKE '$argon2id$%' OR password_hash LIKE 'scrypt:%' OR password_hash LIKE 'pbkdf2:%'),
    role          TEXT    NOT NULL CHECK (role IN ('user', 'admin')),
    created_at    INTEGER NOT NULL,
    -- When a link in a mail to the address was followed; NULL before that.
    verified_at   INTEGER,
    -- The address that becomes the user's when its link is followed.
    pending_email TEXT CHECK (length(pending_email) BETWEEN 3 AND 254),
    -- When the user was deleted. The row stays, with nothing of the person in
    -- it, until all that is theirs has gone, a little at a time.
    deleted_at    INTEGER
) STRICT;

-- "Whose things are still to be removed?"
CREATE INDEX users_deleted ON users (id) WHERE deleted_at IS NOT NULL;

-- "Is this the only admin?"
CREATE INDEX users_admins ON users (role) WHERE role = 'admin';

CREATE TABLE tasks (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
    description  TEXT    NOT NULL CHECK (length(description) <= 10000),
    created_at   INTEGER NOT NULL,
    -- NULL while the task is open.
    completed_at INTEGER,
    -- From 0, none, to 3, high.
    priority     INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 3),
    -- A day (2026-11-30) or a local time (2026-11-30T09:00, with seconds unless 0).
    due          TEXT CHECK (length(due) IN (10, 16, 19)),
    -- The zone that makes a moment of a local time, which is kept beside it.
    due_zone     TEXT CHECK (due_zone IS NULL OR length(due_zone) BETWEEN 1 AND 64 AND length(due) > 10),
    due_utc      INTEGER CHECK (due_utc IS NULL OR due_zone IS NOT NULL),
    -- In the same form as due, in the same zone.
    start        TEXT CHECK (start IS NULL OR length(start) IN (10, 16, 19) AND (due IS NULL OR (length(due) = 10) = (length(start) = 10))),
    -- The number of the last change; 0 for one of before there were any.
    version      INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0)
) STRICT;

-- A user's list in the order of ids; the id is the index's hidden last column.
CREATE INDEX tasks_user ON tasks (user_id);

-- One row a sign-in. A session that has ended has no row.
CREATE TABLE sessions (
    -- Part of a hash of what only the client holds; see app/token.
    id           TEXT    PRIMARY KEY CHECK (length(id) = 22),
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    generation   INTEGER NOT NULL CHECK (generation >= 1),
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    -- From where it was last used, and with what.
    address      TEXT    NOT NULL DEFAULT '' CHECK (length(address) <= 64),
    user_agent   TEXT    NOT NULL DEFAULT '' CHECK (length(user_agent) <= 256)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- When a refresh token of a session was retired, for as long as its grace.
CREATE TABLE retired_tokens (
    session_id TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    retired_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, generation)
) STRICT, WITHOUT ROWID;

-- The outbox. A mail goes with its user.
CREATE TABLE mails (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    template   TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    data       TEXT    NOT NULL CHECK (json_valid(data)),
    -- Stable over all attempts, so that a receiver can tell a repetition.
    message_id TEXT    NOT NULL UNIQUE,
    status     TEXT    NOT NULL CHECK (status IN ('queued', 'sent', 'dead')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    sent_at    INTEGER,
    last_error TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX mails_user ON mails (user_id);
CREATE INDEX mails_due ON mails (next_at) WHERE status = 'queued';
CREATE INDEX mails_sent ON mails (sent_at) WHERE status = 'sent';

-- What a link in a mail is good for, once. The hash is of what stands in the
-- link, so that nobody who reads this can follow it.
CREATE TABLE links (
    hash       TEXT    PRIMARY KEY CHECK (length(hash) = 43),
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    TEXT    NOT NULL CHECK (purpose IN ('reset', 'verify', 'change')),
    -- The address it was sent to, which following it proves.
    email      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX links_user ON links (user_id, purpose);
CREATE INDEX links_expiry ON links (expires_at);

-- Personal API tokens, for scripts. Only a hash is kept.
CREATE TABLE api_tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    hash       TEXT    NOT NULL UNIQUE CHECK (length(hash) = 43),
    -- Names separated by spaces, as in OAuth (RFC 6749 section 3.3).
    scopes     TEXT    NOT NULL CHECK (scopes <> ''),
    created_at INTEGER NOT NULL,
    -- NULL for one that is good until it is revoked.
    expires_at INTEGER,
    -- The session that made it, whose theft ends it; empty if none is known.
    session_id TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX api_tokens_user ON api_tokens (user_id);
CREATE INDEX api_tokens_expiry ON api_tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX api_tokens_session ON api_tokens (session_id) WHERE session_id <> '';

-- The audit record: lines are added, never changed, and go when they are old.
-- Nothing here refers to another table, since a line outlives what it tells of.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    -- Whose account it is about; NULL if nobody's.
    user_id  INTEGER,
    -- Who did it; NULL for somebody not signed in, and for the operator.
    actor_id INTEGER,
    address  TEXT    NOT NULL DEFAULT '',
    detail   TEXT    NOT NULL DEFAULT '' CHECK (length(detail) <= 200)
) STRICT;

CREATE INDEX events_user ON events (user_id);
CREATE INDEX events_at ON events (at);

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;

-- How long each list is, kept by the triggers below in the transaction of each
-- change, so that a page costs the same however long its list is.
CREATE TABLE totals (
    list  TEXT    NOT NULL CHECK (list IN ('tasks', 'users', 'events')),
    -- The user whose list it is; 0 for the list of users.
    owner INTEGER NOT NULL,
    total INTEGER NOT NULL CHECK (total >= 0),
    PRIMARY KEY (list, owner)
) STRICT, WITHOUT ROWID;

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

CREATE TRIGGER users_count_more AFTER INSERT ON users
BEGIN
    INSERT INTO totals (list, owner, total) VALUES ('users', 0, 1)
    ON CONFLICT DO UPDATE SET total = total + 1;
END;

-- Runs after the user's tasks have gone.
CREATE TRIGGER users_count_fewer AFTER DELETE ON users
BEGIN
    UPDATE totals SET total = total - (OLD.deleted_at IS NULL) WHERE list = 'users' AND owner = 0;
    DELETE FROM totals WHERE list = 'tasks' AND owner = OLD.id;
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

-- What is to be known of the whole. The timeline tells this file's log from that
-- of another (app/sqlite/timeline.go), the lineage its versions from those of another
-- (app/sqlite/lineage.go), and seq is the number of the last change.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- "tapi": this file is taskapi's.
PRAGMA application_id = 1952542825;
PRAGMA user_version = 5;
