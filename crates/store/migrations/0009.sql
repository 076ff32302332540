-- Accounts of people, their sessions, and the code for the first administrator.

CREATE TABLE users (
    name           TEXT PRIMARY KEY,
    role           TEXT NOT NULL,
    password_phc   TEXT NOT NULL,
    must_change    INTEGER NOT NULL,
    disabled       INTEGER NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    created_by     TEXT NOT NULL,
    password_at_ms INTEGER NOT NULL
) STRICT;

-- Of a person with an account, whose role counts then; or of one of whom somebody else vouches.
CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    secret_sha256 BLOB NOT NULL UNIQUE,
    user_name     TEXT REFERENCES users (name) ON DELETE CASCADE,
    actor         TEXT NOT NULL,
    role          TEXT,
    hosts_json    TEXT NOT NULL,
    address       TEXT NOT NULL,
    begun_at_ms   INTEGER NOT NULL,
    used_at_ms    INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    CHECK ((user_name IS NULL) = (role IS NOT NULL))
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_name);

-- One code at most, until the first account is made.
CREATE TABLE setup_code (
    only_one    INTEGER PRIMARY KEY CHECK (only_one = 1),
    code_sha256 BLOB NOT NULL,
    made_at_ms  INTEGER NOT NULL
) STRICT;
