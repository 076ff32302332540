-- Whom a provider logged out, for as long as a login may still be on its way: it vouched for the person before, and
-- the session that would begin is one of those that it ended.
CREATE TABLE vouched_ends (
    issuer  TEXT NOT NULL,
    subject TEXT,
    sid     TEXT,
    at_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX vouched_ends_by_time ON vouched_ends (at_ms);
