-- Evidence is packed where that makes it smaller, and history is thinned.

-- How bytes are packed: 0 not, 1 by zstd; and how many they are unpacked, where that was noted.
ALTER TABLE evidence ADD COLUMN packing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE evidence ADD COLUMN n_bytes INTEGER;

-- One row: how far the thinning is. host_after is NULL between two runs.
CREATE TABLE thinning (
    is_one            INTEGER PRIMARY KEY CHECK (is_one = 1),
    host_after        TEXT,
    thin_before_ms    INTEGER NOT NULL,
    end_before_ms     INTEGER NOT NULL,
    n_gone            INTEGER NOT NULL,
    ended_at_ms       INTEGER NOT NULL,
    thinned_before_ms INTEGER NOT NULL
) STRICT;
INSERT INTO thinning VALUES (1, NULL, 0, 0, 0, 0, 0);
