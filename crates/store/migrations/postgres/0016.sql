-- Policies that are kept in the store, and which of them was made to count when.

CREATE TABLE policy_versions (
    number        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Over the text and the files that it names.
    sha256        BYTEA NOT NULL UNIQUE,
    text          TEXT NOT NULL,
    note          TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    created_by    TEXT NOT NULL
);

-- Files that policies name: allow lists, certificates, rules. Equal ones are kept once.
CREATE TABLE policy_files (
    sha256 BYTEA PRIMARY KEY,
    bytes  BYTEA NOT NULL
);

CREATE TABLE policy_version_files (
    number      BIGINT NOT NULL REFERENCES policy_versions (number) ON DELETE CASCADE,
    name        TEXT COLLATE "C" NOT NULL,
    file_sha256 BYTEA NOT NULL REFERENCES policy_files (sha256),
    PRIMARY KEY (number, name)
);
CREATE INDEX policy_version_files_by_file ON policy_version_files (file_sha256);

-- The one that counts, where the configuration names no file.
CREATE TABLE active_policy (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL REFERENCES policy_versions (number),
    at_ms  BIGINT NOT NULL,
    actor  TEXT NOT NULL,
    reason TEXT NOT NULL
);

-- How the fleet stood at the end of each hour, for the plot.
CREATE TABLE standing_hours (
    hour_ms          BIGINT PRIMARY KEY,
    n_accepted       BIGINT NOT NULL,
    n_not_accepted   BIGINT NOT NULL,
    n_not_appraised  BIGINT NOT NULL,
    n_not_responding BIGINT NOT NULL
);
