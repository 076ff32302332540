-- Channels: who is told of alarms, how far each is, and what could not be delivered.

-- What is secret in the settings is sealed by a key that does not lie in the database. A server that
-- delivers holds the lease; what it has delivered is behind the cursor.
CREATE TABLE channels (
    name            TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    settings_json   TEXT NOT NULL,
    sealed          BLOB NOT NULL,
    filter_json     TEXT NOT NULL,
    is_paused       INTEGER NOT NULL DEFAULT 0,
    created_at_ms   INTEGER NOT NULL,
    cursor_seq      INTEGER NOT NULL,
    cursor_at_ms    INTEGER NOT NULL,
    due_at_ms       INTEGER NOT NULL DEFAULT 0,
    renew_at_ms     INTEGER,
    n_failed        INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT,
    delivered_at_ms INTEGER,
    lease_holder    TEXT NOT NULL DEFAULT '',
    lease_until_ms  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE dead_letters (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    TEXT NOT NULL REFERENCES channels (name) ON DELETE CASCADE,
    event_json TEXT NOT NULL,
    error      TEXT NOT NULL,
    died_at_ms INTEGER NOT NULL,
    is_due     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX dead_letters_by_channel ON dead_letters (channel, id);
CREATE INDEX dead_letters_due ON dead_letters (channel, id) WHERE is_due;
