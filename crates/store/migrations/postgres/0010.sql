-- Events: what changed, for who listens, in the order in which it was committed.

-- A change writes its event without a number, so that changes do not wait for each other. Numbers are
-- given afterwards, to what is committed, by one server at a time: who has read up to a number has missed
-- nothing below it. Hosts may be gone, so what is told of one lies beside it.
CREATE TABLE events (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq         BIGINT UNIQUE,
    at_ms       BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    host_id     TEXT COLLATE "C" NOT NULL,
    host_name   TEXT NOT NULL,
    labels_json TEXT NOT NULL,
    severity    TEXT,
    is_muted    BOOLEAN NOT NULL,
    data_json   TEXT NOT NULL
);
CREATE INDEX events_without_number ON events (id) WHERE seq IS NULL;
-- The last number given, whose row is the lock of who gives them; and up to which events are forgotten.
INSERT INTO counters (name, value) VALUES ('events_numbered', 0), ('events_forgotten', 0);

-- Whether it was told to people: what is raised while somebody works on the host is told afterwards.
ALTER TABLE alarms ADD COLUMN is_told BOOLEAN NOT NULL DEFAULT true;
-- What ends by time.
CREATE INDEX alarms_known_until ON alarms (ack_until_ms)
    WHERE cleared_at_ms IS NULL AND ack_until_ms IS NOT NULL;
CREATE INDEX hosts_maintained_until ON hosts (maintenance_until_ms)
    WHERE maintenance_until_ms IS NOT NULL;
