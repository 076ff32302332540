-- Events: what changed, for who listens, in the order in which it was committed.

-- As in PostgreSQL, a change writes its event without a number, and numbers are given afterwards. Hosts may
-- be gone, so what is told of one lies beside it.
CREATE TABLE events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    seq         INTEGER UNIQUE,
    at_ms       INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    host_id     TEXT NOT NULL,
    host_name   TEXT NOT NULL,
    labels_json TEXT NOT NULL,
    severity    TEXT,
    is_muted    INTEGER NOT NULL,
    data_json   TEXT NOT NULL
) STRICT;
CREATE INDEX events_without_number ON events (id) WHERE seq IS NULL;
-- The last number given, and up to which events are forgotten.
INSERT INTO counters (name, value) VALUES ('events_numbered', 0), ('events_forgotten', 0);

-- Whether it was told to people: what is raised while somebody works on the host is told afterwards.
ALTER TABLE alarms ADD COLUMN is_told INTEGER NOT NULL DEFAULT 1;
-- What ends by time.
CREATE INDEX alarms_known_until ON alarms (ack_until_ms)
    WHERE cleared_at_ms IS NULL AND ack_until_ms IS NOT NULL;
CREATE INDEX hosts_maintained_until ON hosts (maintenance_until_ms)
    WHERE maintenance_until_ms IS NOT NULL;
