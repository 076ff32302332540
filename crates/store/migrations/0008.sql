-- Which policy the servers on this store judge by: one row, once a server has begun.
CREATE TABLE policy_in_force (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sha256 BLOB NOT NULL,
    at_ms  INTEGER NOT NULL,
    actor  TEXT NOT NULL
) STRICT;
