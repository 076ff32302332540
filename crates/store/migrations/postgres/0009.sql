-- Accounts of people, their sessions, and the code for the first administrator.

CREATE TABLE users (
    name           TEXT COLLATE "C" PRIMARY KEY,
    role           TEXT NOT NULL,
    password_phc   TEXT NOT NULL,
    must_change    BOOLEAN NOT NULL,
    disabled       BOOLEAN NOT NULL,
    created_at_ms  BIGINT NOT NULL,
    created_by     TEXT NOT NULL,
    password_at_ms BIGINT NOT NULL
);

-- Of a person with an account, whose role counts then; or of one of whom somebody else vouches.
CREATE TABLE sessions (
    id            TEXT COLLATE "C" PRIMARY KEY,
    secret_sha256 BYTEA NOT NULL UNIQUE,
    user_name     TEXT COLLATE "C" REFERENCES users (name) ON DELETE CASCADE,
    actor         TEXT NOT NULL,
    role          TEXT,
    hosts_json    TEXT NOT NULL,
    address       TEXT NOT NULL,
    begun_at_ms   BIGINT NOT NULL,
    used_at_ms    BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    CHECK ((user_name IS NULL) = (role IS NOT NULL))
);
CREATE INDEX sessions_by_user ON sessions (user_name);

-- One code at most, until the first account is made.
CREATE TABLE setup_code (
    only_one    BIGINT PRIMARY KEY CHECK (only_one = 1),
    code_sha256 BYTEA NOT NULL,
    made_at_ms  BIGINT NOT NULL
);
