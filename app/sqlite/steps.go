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
