-- Channels: who is told of alarms, how far each is, and what could not be delivered.

-- What is secret in the settings is sealed by a key that does not lie in the database. A server that
-- delivers holds the lease; what it has delivered is behind the cursor.
CREATE TABLE channels (
    name            TEXT COLLATE "C" PRIMARY KEY,
    kind            TEXT NOT NULL,
    settings_json   TEXT NOT NULL,
    sealed          BYTEA NOT NULL,
    filter_json     TEXT NOT NULL,
    is_paused       BOOLEAN NOT NULL DEFAULT false,
    created_at_ms   BIGINT NOT NULL,
    cursor_seq      BIGINT NOT NULL,
    cursor_at_ms    BIGINT NOT NULL,
    due_at_ms       BIGINT NOT NULL DEFAULT 0,
    renew_at_ms     BIGINT,
    n_failed        BIGINT NOT NULL DEFAULT 0,
    last_error      TEXT,
    delivered_at_ms BIGINT,
    lease_holder    TEXT NOT NULL DEFAULT '',
    lease_until_ms  BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE dead_letters (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel    TEXT COLLATE "C" NOT NULL REFERENCES channels (name) ON DELETE CASCADE,
    event_json TEXT NOT NULL,
    error      TEXT NOT NULL,
    died_at_ms BIGINT NOT NULL,
    is_due     BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX dead_letters_by_channel ON dead_letters (channel, id);
CREATE INDEX dead_letters_due ON dead_letters (channel, id) WHERE is_due;
