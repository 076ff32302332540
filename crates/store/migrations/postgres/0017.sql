-- Reports that are sent by themselves: which of their times was served last, and who is at the next one.

CREATE TABLE report_runs (
    name            TEXT COLLATE "C" PRIMARY KEY,
    served_ms       BIGINT NOT NULL,
    sent_at_ms      BIGINT,
    n_failed        BIGINT NOT NULL DEFAULT 0,
    last_error      TEXT,
    try_at_ms       BIGINT NOT NULL DEFAULT 0,
    lease_holder    TEXT NOT NULL DEFAULT '',
    lease_until_ms  BIGINT NOT NULL DEFAULT 0
);
