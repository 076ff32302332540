-- Which policy the servers on this store judge by: one row, once a server has begun.
CREATE TABLE policy_in_force (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    sha256 BYTEA NOT NULL,
    at_ms  BIGINT NOT NULL,
    actor  TEXT NOT NULL
);
