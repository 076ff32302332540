-- Policies that are kept in the store, and which of them was made to count when.

CREATE TABLE policy_versions (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Over the text and the files that it names.
    sha256        BLOB NOT NULL UNIQUE,
    text          TEXT NOT NULL,
    note          TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    created_by    TEXT NOT NULL
) STRICT;

-- Files that policies name: allow lists, certificates, rules. Equal ones are kept once.
CREATE TABLE policy_files (
    sha256 BLOB PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE policy_version_files (
    number      INTEGER NOT NULL REFERENCES policy_versions (number) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    file_sha256 BLOB NOT NULL REFERENCES policy_files (sha256),
    PRIMARY KEY (number, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX policy_version_files_by_file ON policy_version_files (file_sha256);

-- The one that counts, where the configuration names no file.
CREATE TABLE active_policy (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL REFERENCES policy_versions (number),
    at_ms  INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- How the fleet stood at the end of each hour, for the plot.
CREATE TABLE standing_hours (
    hour_ms          INTEGER PRIMARY KEY,
    n_accepted       INTEGER NOT NULL,
    n_not_accepted   INTEGER NOT NULL,
    n_not_appraised  INTEGER NOT NULL,
    n_not_responding INTEGER NOT NULL
) STRICT;
