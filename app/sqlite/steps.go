package sqlite

// stepAccounts brings version 1 to 2: links in mails, API tokens, the audit
// record, and where a session is.
const stepAccounts = `
ALTER TABLE users ADD COLUMN verified_at INTEGER;
ALTER TABLE users ADD COLUMN pending_email TEXT CHECK (length(pending_email) BETWEEN 3 AND 254);
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '' CHECK (length(address) <= 64);
ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT '' CHECK (length(user_agent) <= 256);

DROP INDEX sessions_user;
CREATE INDEX sessions_user ON sessions (user_id, created_at);

CREATE TABLE links (
    hash       TEXT    PRIMARY KEY CHECK (length(hash) = 43),
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    TEXT    NOT NULL CHECK (purpose IN ('reset', 'verify', 'change')),
    email      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX links_user ON links (user_id, purpose);
CREATE INDEX links_expiry ON links (expires_at);
CREATE TABLE api_tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    hash       TEXT    NOT NULL UNIQUE CHECK (length(hash) = 43),
    scopes     TEXT    NOT NULL CHECK (scopes <> ''),
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

CREATE INDEX api_tokens_user ON api_tokens (user_id);
CREATE TABLE events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    user_id  INTEGER,
    actor_id INTEGER,
    address  TEXT    NOT NULL DEFAULT '',
    detail   TEXT    NOT NULL DEFAULT '' CHECK (length(detail) <= 200)
) STRICT;

CREATE INDEX events_user ON events (user_id);
CREATE INDEX events_at ON events (at);

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
`

// stepTotals brings version 2 to 3: the lengths of lists are kept.
const stepTotals = `
CREATE TABLE totals (
    list  TEXT    NOT NULL CHECK (list IN ('tasks', 'users', 'events')),
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
CREATE TRIGGER users_count_fewer AFTER DELETE ON users
BEGIN
    UPDATE totals SET total = total - 1 WHERE list = 'users' AND owner = 0;
    DELETE FROM totals WHERE list = 'tasks' AND owner = OLD.id;
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

INSERT INTO totals (list, owner, total) SELECT 'tasks', user_id, count(*) FROM tasks GROUP BY user_id;
INSERT INTO totals (list, owner, total) SELECT 'users', 0, count(*) FROM users;
INSERT INTO totals (list, owner, total) SELECT 'events', user_id, count(*) FROM events WHERE user_id IS NOT NULL GROUP BY user_id;
`

// stepImportedHashes brings version 3 to 4: a stored hash may be one that an
// imported user came with. The new rule comes with a new column that takes the
// old one's name. Making the table anew instead would drop it while others
// refer to it, and with ON DELETE CASCADE that empties them; and a table of its
// own for imported hashes would need care in each query that replaces a hash.
const stepImportedHashes = `
ALTER TABLE users ADD COLUMN new_hash TEXT CHECK (new_hash LIKE '$argon2id$%' OR new_hash LIKE 'scrypt:%' OR new_hash LIKE 'pbkdf2:%');
UPDATE users SET new_hash = password_hash;
ALTER TABLE users ALTER COLUMN new_hash SET NOT NULL;
ALTER TABLE users DROP COLUMN password_hash;
ALTER TABLE users RENAME COLUMN new_hash TO password_hash;
`

// stepRetries brings version 5 to 6: answers are kept for requests that are sent again.
const stepRetries = `
CREATE TABLE answers (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key     INTEGER NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
    status  INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    change  INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX answers_key ON answers (user_id, key);
`

// stepLive brings version 6 to 7: webhooks, browsers that show reminders, and the lists that
// an answer shows; those of before name none, and are given again for a day.
const stepLive = `
ALTER TABLE answers DROP COLUMN change;
ALTER TABLE answers ADD COLUMN shows TEXT;

ALTER TABLE users ADD COLUMN reminder_channels TEXT CHECK (length(reminder_channels) <= 40);

CREATE TABLE webhooks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id       INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    list_id       INTEGER,
    url           TEXT    NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    events        INTEGER NOT NULL CHECK (events > 0),
    secret        BLOB    NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
    old_secret    BLOB    CHECK (length(old_secret) BETWEEN 24 AND 160),
    old_until     INTEGER CHECK ((old_until IS NULL) = (old_secret IS NULL)),
    created_at    INTEGER NOT NULL,
    cursor        INTEGER NOT NULL,
    state         TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'off')),
    tries         INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    last_error    TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX webhooks_user ON webhooks (user_id);

CREATE TABLE deliveries (
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    status     INTEGER,
    ms         INTEGER NOT NULL,
    error      TEXT    NOT NULL DEFAULT '' CHECK (length(error) <= 200),
    dead       INTEGER NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)),
    PRIMARY KEY (webhook_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_dead ON deliveries (at) WHERE dead = 1;

CREATE TABLE push_subscriptions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    endpoint   TEXT    NOT NULL UNIQUE CHECK (length(endpoint) BETWEEN 1 AND 2000),
    p256dh     BLOB    NOT NULL CHECK (length(p256dh) = 65),
    auth       BLOB    NOT NULL CHECK (length(auth) = 16),
    created_at INTEGER NOT NULL,
    cursor     INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);
CREATE INDEX push_subscriptions_due ON push_subscriptions (next_at) WHERE next_at > 0;
`

// stepCalendars brings version 7 to 8: what calendar clients put, and feeds.
const stepCalendars = `
CREATE TABLE task_ical (
    task_id    INTEGER PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    said       INTEGER NOT NULL DEFAULT 0,
    said_uid   TEXT    CHECK (length(said_uid) BETWEEN 1 AND 255),
    parent_uid TEXT    CHECK (length(parent_uid) BETWEEN 1 AND 255),
    parent_at  INTEGER CHECK ((parent_at IS NULL) = (parent_uid IS NULL)),
    body       BLOB    CHECK (length(body) <= 131072)
) STRICT;

CREATE INDEX task_ical_uid ON task_ical (said_uid) WHERE said_uid IS NOT NULL;
CREATE INDEX task_ical_parent ON task_ical (parent_uid) WHERE parent_uid IS NOT NULL;

CREATE TABLE task_alarms (
    task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    body    BLOB    NOT NULL CHECK (length(body) <= 131072),
    PRIMARY KEY (task_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_alarms_user ON task_alarms (user_id);

CREATE TABLE task_names (
    list_id INTEGER NOT NULL,
    task_id INTEGER NOT NULL,
    name    TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    gone    INTEGER
) STRICT;

CREATE UNIQUE INDEX task_names_name ON task_names (list_id, name) WHERE gone IS NULL;
CREATE INDEX task_names_task ON task_names (task_id);
CREATE INDEX task_names_gone ON task_names (gone) WHERE gone IS NOT NULL;

CREATE TRIGGER tasks_unnamed AFTER DELETE ON tasks
BEGIN
    UPDATE task_names SET gone = (SELECT coalesce(max(seq), 1) FROM changes) WHERE task_id = OLD.id AND gone IS NULL;
END;

CREATE TRIGGER tasks_moved_away AFTER UPDATE OF list_id ON tasks WHEN OLD.list_id <> NEW.list_id
BEGIN
    UPDATE task_names SET gone = (SELECT coalesce(max(seq), 1) FROM changes) WHERE task_id = OLD.id AND gone IS NULL;
END;

CREATE TABLE feeds (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    list_id    INTEGER,
    hash       TEXT    NOT NULL UNIQUE CHECK (length(hash) = 43),
    form       TEXT    NOT NULL CHECK (form IN ('todo', 'event', 'both')),
    created_at INTEGER NOT NULL,
    session_id TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX feeds_user ON feeds (user_id);
CREATE INDEX feeds_session ON feeds (session_id) WHERE session_id <> '';
`
