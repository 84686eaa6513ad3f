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
    -- By whose clock "today" and "overdue" are told, an IANA name.
    time_zone     TEXT    NOT NULL DEFAULT 'UTC' CHECK (length(time_zone) BETWEEN 1 AND 64),
    -- Where reminders go, names separated by spaces; NULL for the usual: to the browsers
    -- that are subscribed, or by mail if there are none.
    reminder_channels TEXT CHECK (length(reminder_channels) <= 40),
    -- When the user was deleted. The row stays, with nothing of the person in
    -- it, until all that is theirs has gone, a little at a time.
    deleted_at    INTEGER
) STRICT;

-- "Whose things are still to be removed?"
CREATE INDEX users_deleted ON users (id) WHERE deleted_at IS NOT NULL;

-- "Is this the only admin?"
CREATE INDEX users_admins ON users (role) WHERE role = 'admin';

-- A list of tasks. Every user has one Inbox.
CREATE TABLE lists (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Who leaves hands a list over or deletes it first: no cascade by accident.
    owner_id   INTEGER NOT NULL REFERENCES users (id),
    -- NULL: derived from the seed in meta and the id (app/todo/uid.go).
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

-- Who may do what in a list: 1 reads, 2 edits, 3 owns. Order and archiving are each
-- member's own.
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

-- Only a hash of what stands in the link is kept.
CREATE TABLE invitations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    list_id    INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    role       INTEGER NOT NULL CHECK (role IN (1, 2)),
    -- To which it was mailed; NULL if it was not.
    email      TEXT    CHECK (length(email) BETWEEN 3 AND 254),
    hash       TEXT    NOT NULL UNIQUE CHECK (length(hash) = 43),
    -- Nothing refers to the inviter, whose link ends with the list's ownership.
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX invitations_list ON invitations (list_id);
CREATE INDEX invitations_expiry ON invitations (expires_at);

CREATE TABLE tasks (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Whose list it is in.
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    list_id      INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
    description  TEXT    NOT NULL CHECK (length(description) <= 10000),
    created_at   INTEGER NOT NULL,
    -- NULL while the task is open.
    completed_at INTEGER,
    updated_at   INTEGER NOT NULL,
    -- The number of the last change.
    version      INTEGER NOT NULL CHECK (version >= 1),
    -- NULL for nobody who is known. A reference would need an index, and ids are
    -- never used twice.
    created_by   INTEGER,
    -- From 0, none, to 3, high.
    priority     INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 3),
    -- Among its siblings, the least first. NULL: -1024 * id, so new ones come first.
    position     INTEGER CHECK (abs(position) < 9007199254740992),
    -- NULL: derived from the seed in meta and the id (app/todo/uid.go).
    uid          TEXT    CHECK (length(uid) BETWEEN 1 AND 255),
    parent_id    INTEGER REFERENCES tasks (id) ON DELETE CASCADE,
    assignee_id  INTEGER REFERENCES users (id) ON DELETE SET NULL,
    -- A day (2026-11-30) or a local time (2026-11-30T09:00, with seconds unless 0).
    due          TEXT    CHECK (length(due) IN (10, 16, 19)),
    -- What is sorted by: due on a clock of UTC, a day as its last millisecond.
    due_wall     INTEGER CHECK ((due IS NULL) = (due_wall IS NULL)),
    -- The zone that makes a moment of a local time, which is kept beside it.
    due_zone     TEXT    CHECK (due_zone IS NULL OR length(due_zone) BETWEEN 1 AND 64 AND length(due) > 10),
    due_utc      INTEGER CHECK (due_utc IS NULL OR due_zone IS NOT NULL),
    -- In the same form as due, in the same zone.
    start        TEXT    CHECK (start IS NULL OR length(start) IN (10, 16, 19) AND (due IS NULL OR (length(due) = 10) = (length(start) = 10))),
    -- A rule of RFC 5545 without DTSTART, whose dates are counted from
    -- recurrence_start; from 1: from the day of completion.
    recurrence       TEXT    CHECK (recurrence IS NULL OR length(recurrence) <= 300 AND due IS NOT NULL),
    recurrence_from  INTEGER CHECK (recurrence_from IS NULL OR recurrence_from IN (0, 1) AND recurrence IS NOT NULL),
    recurrence_start TEXT    CHECK (recurrence_start IS NULL OR recurrence IS NOT NULL),
    -- The task of which this is a completed copy.
    recurrence_of    INTEGER,
    -- Names in order; task_labels is their index.
    labels       TEXT    CHECK (labels IS NULL OR json_valid(labels)),
    done INTEGER GENERATED ALWAYS AS (completed_at IS NOT NULL) VIRTUAL,
    rank INTEGER GENERATED ALWAYS AS (coalesce(-completed_at, position, -1024 * id)) VIRTUAL
) STRICT;

-- A user's list in the order of ids; the id is the index's hidden last column.
CREATE INDEX tasks_user ON tasks (user_id);
-- The open tasks of a list by position, the done ones by completion.
CREATE INDEX tasks_list ON tasks (list_id, done, rank);
CREATE INDEX tasks_due ON tasks (list_id, due_wall) WHERE due_wall IS NOT NULL AND completed_at IS NULL;
CREATE INDEX tasks_parent ON tasks (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tasks_assignee ON tasks (assignee_id) WHERE assignee_id IS NOT NULL;
CREATE INDEX tasks_copies ON tasks (recurrence_of) WHERE recurrence_of IS NOT NULL;
CREATE UNIQUE INDEX tasks_uid ON tasks (uid, user_id) WHERE uid IS NOT NULL;

-- The tasks of a list by label, without regard to case and accents.
CREATE TABLE task_labels (
    list_id INTEGER NOT NULL,
    key     TEXT    NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    PRIMARY KEY (list_id, key, task_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_labels_task ON task_labels (task_id);

-- The words of each task, for the search: at most those it has, and all of them once
-- app/store/words.go has come by.
CREATE TABLE task_words (
    list_id INTEGER NOT NULL,
    word    TEXT    NOT NULL,
    task_id INTEGER NOT NULL,
    PRIMARY KEY (list_id, word, task_id)
) STRICT, WITHOUT ROWID;

-- When a member wants to be reminded of a task: at a moment, or so many milliseconds
-- before it is due.
CREATE TABLE reminders (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    task_id  INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    at       INTEGER,
    before   INTEGER CHECK (before BETWEEN 0 AND 2592000000),
    -- NULL while there is nothing to remind of.
    fires_at INTEGER,
    version  INTEGER NOT NULL CHECK (version >= 1),
    CHECK ((at IS NULL) <> (before IS NULL))
) STRICT;

CREATE INDEX reminders_task ON reminders (task_id, user_id);
CREATE INDEX reminders_user ON reminders (user_id);
CREATE INDEX reminders_due ON reminders (fires_at) WHERE fires_at IS NOT NULL;

-- What was done, in the order of the commits. The newest line is never removed: the
-- next number follows it.
CREATE TABLE changes (
    seq    INTEGER PRIMARY KEY,
    -- The list it was done in, or minus the user whom alone it concerns.
    scope  INTEGER NOT NULL,
    -- The first number of the same request.
    grp    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    -- Who did it; NULL for the server.
    actor  INTEGER,
    -- The numbers of app/todo/change.go.
    kind   INTEGER NOT NULL,
    op     INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    -- Bits of what changed.
    fields INTEGER NOT NULL DEFAULT 0,
    uid    TEXT,
    -- The values from before, as JSON; NULL for what was made.
    undo   TEXT
) STRICT;

-- "What is new in this list?"; seq is the hidden last column.
CREATE INDEX changes_scope ON changes (scope);

CREATE TRIGGER tasks_made AFTER INSERT ON tasks
BEGIN
    INSERT INTO changes (seq, scope, grp, at, actor, kind, op, entity)
    VALUES (NEW.version, NEW.list_id, NEW.version, NEW.updated_at, NEW.created_by, 1, 1, NEW.id);
END;

-- What a calendar client has put of a task (RFC 4791), as far as that is more than the task.
CREATE TABLE task_ical (
    task_id    INTEGER PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    -- The version of the task of which the body says all; 0 for none.
    said       INTEGER NOT NULL DEFAULT 0,
    -- The UID in the body, if the task has another one.
    said_uid   TEXT    CHECK (length(said_uid) BETWEEN 1 AND 255),
    -- The parent that the client names and that is not the task's, which was parent_at then,
    -- 0 for none: it has not come yet, or is too deep.
    parent_uid TEXT    CHECK (length(parent_uid) BETWEEN 1 AND 255),
    parent_at  INTEGER CHECK ((parent_at IS NULL) = (parent_uid IS NULL)),
    -- The object without alarms; NULL where only a parent is waited for.
    body       BLOB    CHECK (length(body) <= 131072)
) STRICT;

CREATE INDEX task_ical_uid ON task_ical (said_uid) WHERE said_uid IS NOT NULL;
CREATE INDEX task_ical_parent ON task_ical (parent_uid) WHERE parent_uid IS NOT NULL;

-- The alarms in it, which are each person's own.
CREATE TABLE task_alarms (
    task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    body    BLOB    NOT NULL CHECK (length(body) <= 131072),
    PRIMARY KEY (task_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_alarms_user ON task_alarms (user_id);

-- The names of objects that are not derived from a uid. Those of what is gone from the list
-- stay as long as the log of changes, so that clients learn what to remove. No reference:
-- they outlive both.
CREATE TABLE task_names (
    list_id INTEGER NOT NULL,
    task_id INTEGER NOT NULL,
    name    TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    -- The number of the newest change then; NULL for what is there.
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

-- What was deleted and can come back: tasks under their id, lists under minus theirs.
CREATE TABLE trash (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    list_id INTEGER NOT NULL,
    -- What was deleted in one request comes back in one.
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
    list  TEXT    NOT NULL CHECK (list IN ('tasks', 'users', 'events', 'trash')),
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

-- Runs after the user's tasks have gone.
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

-- The answers of requests with an Idempotency-Key, so that one that is sent again does
-- nothing twice (app/store/answers.go). They are appended: the old ones are one range.
CREATE TABLE answers (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- A hash of the key, and one of the whole request.
    key     INTEGER NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
    status  INTEGER NOT NULL,
    -- Encrypted with the key.
    body    BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    -- The lists that it shows something of, as an array in JSON; NULL for none.
    shows   TEXT
) STRICT;

CREATE UNIQUE INDEX answers_key ON answers (user_id, key);

-- Whom to tell of changes by HTTP. Nothing is queued: each webhook is a place in the log
-- of changes, and its events are the lines behind it (app/outbox/webhook.go).
CREATE TABLE webhooks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id       INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- NULL: all lists that its user sees. No reference: a list comes back from the trash.
    list_id       INTEGER,
    url           TEXT    NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    -- Bits of the kinds of events.
    events        INTEGER NOT NULL CHECK (events > 0),
    -- What signs, and what signs beside it for a while after it was replaced.
    secret        BLOB    NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
    old_secret    BLOB    CHECK (length(old_secret) BETWEEN 24 AND 160),
    old_until     INTEGER CHECK ((old_until IS NULL) = (old_secret IS NULL)),
    created_at    INTEGER NOT NULL,
    -- The change that was told, or given up, last.
    cursor        INTEGER NOT NULL,
    state         TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'off')),
    -- How often the change after the cursor was tried, and when it is tried again.
    tries         INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER NOT NULL DEFAULT 0,
    -- Since when nothing has arrived; NULL while all does.
    failing_since INTEGER,
    last_error    TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX webhooks_user ON webhooks (user_id);

-- How the last events of each webhook went, and those that were given up.
CREATE TABLE deliveries (
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    -- The status of the last answer; NULL without one.
    status     INTEGER,
    ms         INTEGER NOT NULL,
    error      TEXT    NOT NULL DEFAULT '' CHECK (length(error) <= 200),
    dead       INTEGER NOT NULL DEFAULT 0 CHECK (dead IN (0, 1)),
    PRIMARY KEY (webhook_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_dead ON deliveries (at) WHERE dead = 1;

-- Addresses at which a calendar is read without signing in. Only a hash of what is secret in
-- them is kept.
CREATE TABLE feeds (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- NULL: all lists of its user. No reference: a list comes back from the trash.
    list_id    INTEGER,
    hash       TEXT    NOT NULL UNIQUE CHECK (length(hash) = 43),
    -- What its tasks are told as.
    form       TEXT    NOT NULL CHECK (form IN ('todo', 'event', 'both')),
    created_at INTEGER NOT NULL,
    -- The session that made it, or made the API token that did, whose theft ends it; empty if
    -- none is known.
    session_id TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX feeds_user ON feeds (user_id);
CREATE INDEX feeds_session ON feeds (session_id) WHERE session_id <> '';

-- The browsers that show reminders (Web Push). Each is a place in the log, too, and goes
-- with its session.
CREATE TABLE push_subscriptions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    endpoint   TEXT    NOT NULL UNIQUE CHECK (length(endpoint) BETWEEN 1 AND 2000),
    -- The browser's public key and its secret (RFC 8291).
    p256dh     BLOB    NOT NULL CHECK (length(p256dh) = 65),
    auth       BLOB    NOT NULL CHECK (length(auth) = 16),
    created_at INTEGER NOT NULL,
    -- The change that was sent, or given up, last.
    cursor     INTEGER NOT NULL,
    -- How often the reminder after the cursor was tried, and when it is tried again; 0 with
    -- nothing to send.
    tries      INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);
CREATE INDEX push_subscriptions_due ON push_subscriptions (next_at) WHERE next_at > 0;

-- What is to be known of the whole. The timeline tells this file's log from that
-- of another (app/sqlite/timeline.go), the lineage its versions from those of another
-- (app/store/lineage.go), uid_seed is what derived uids are made of, words_to is
-- the change up to which all words are in task_words.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- "tapi": this file is taskapi's.
PRAGMA application_id = 1952542825;
PRAGMA user_version = 8;
