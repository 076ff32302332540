-- Reports that are sent by themselves: which of their times was served last, and who is at the next one.

CREATE TABLE report_runs (
    name            TEXT PRIMARY KEY,
    served_ms       INTEGER NOT NULL,
    sent_at_ms      INTEGER,
    n_failed        INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT,
    try_at_ms       INTEGER NOT NULL DEFAULT 0,
    lease_holder    TEXT NOT NULL DEFAULT '',
    lease_until_ms  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
