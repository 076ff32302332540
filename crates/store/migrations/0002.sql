-- What hosts are held to boot like, and how many hosts boot alike.

-- Equal documents are stored once: hosts of one model have equal ones.
CREATE TABLE reference_documents (
    id     INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE boot_references (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    host_id       TEXT REFERENCES hosts (id) ON DELETE CASCADE,
    cohort        TEXT,
    name          TEXT NOT NULL,
    origin        TEXT NOT NULL,
    state         TEXT NOT NULL,
    uses          TEXT NOT NULL,
    until_ms      INTEGER,
    document_id   INTEGER NOT NULL REFERENCES reference_documents (id),
    created_at_ms INTEGER NOT NULL,
    created_by    TEXT NOT NULL,
    reason        TEXT NOT NULL,
    CHECK ((host_id IS NULL) <> (cohort IS NULL))
) STRICT;
CREATE INDEX references_by_host ON boot_references (host_id) WHERE host_id IS NOT NULL;
CREATE INDEX references_by_cohort ON boot_references (cohort) WHERE cohort IS NOT NULL;
CREATE INDEX references_by_document ON boot_references (document_id);
CREATE TRIGGER reference_documents_go AFTER DELETE ON boot_references
BEGIN
    DELETE FROM reference_documents WHERE id = OLD.document_id
    AND NOT EXISTS (SELECT 1 FROM boot_references WHERE document_id = OLD.document_id);
END;

-- Position 0 is the state that a reference began in.
CREATE TABLE reference_changes (
    reference_seq INTEGER NOT NULL REFERENCES boot_references (seq) ON DELETE CASCADE,
    position      INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    actor         TEXT NOT NULL,
    state         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    PRIMARY KEY (reference_seq, position)
) STRICT, WITHOUT ROWID;

-- The boot of each host for which a reference of one boot counts.
CREATE TABLE reference_boots (
    reference_seq INTEGER NOT NULL REFERENCES boot_references (seq) ON DELETE CASCADE,
    host_id       TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    reset_count   INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    PRIMARY KEY (reference_seq, host_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_boots_by_host ON reference_boots (host_id);

INSERT INTO counters (name, value) VALUES ('reference_generation', 1);

-- The cohort that the host named last, and the SHA-256 over what it has in quoted_values.
ALTER TABLE hosts ADD COLUMN cohort TEXT;
ALTER TABLE hosts ADD COLUMN quoted_sha256 BLOB;
CREATE INDEX hosts_by_cohort ON hosts (cohort, id) WHERE cohort IS NOT NULL;

-- PCR values of the last verified quote of each host that names a cohort, written where they
-- changed. Triggers keep the counts, so that asking costs the same for ten hosts and 100,000.
CREATE TABLE quoted_values (
    host_id   TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    pcr_index INTEGER NOT NULL,
    cohort    TEXT NOT NULL,
    bank      TEXT NOT NULL,
    value     BLOB NOT NULL,
    PRIMARY KEY (host_id, pcr_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE quoted_counts (
    cohort    TEXT NOT NULL,
    bank      TEXT NOT NULL,
    pcr_index INTEGER NOT NULL,
    value     BLOB NOT NULL,
    n         INTEGER NOT NULL,
    PRIMARY KEY (cohort, bank, pcr_index, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX quoted_counts_by_n ON quoted_counts (cohort, bank, pcr_index, n);

CREATE TABLE quoted_totals (
    cohort    TEXT NOT NULL,
    bank      TEXT NOT NULL,
    pcr_index INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    PRIMARY KEY (cohort, bank, pcr_index)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER quoted_values_come AFTER INSERT ON quoted_values
BEGIN
    INSERT INTO quoted_counts VALUES (NEW.cohort, NEW.bank, NEW.pcr_index, NEW.value, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO quoted_totals VALUES (NEW.cohort, NEW.bank, NEW.pcr_index, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER quoted_values_go AFTER DELETE ON quoted_values
BEGIN
    UPDATE quoted_counts SET n = n - 1 WHERE cohort = OLD.cohort AND bank = OLD.bank
    AND pcr_index = OLD.pcr_index AND value = OLD.value;
    DELETE FROM quoted_counts WHERE cohort = OLD.cohort AND bank = OLD.bank
    AND pcr_index = OLD.pcr_index AND value = OLD.value AND n <= 0;
    UPDATE quoted_totals SET n = n - 1 WHERE cohort = OLD.cohort AND bank = OLD.bank
    AND pcr_index = OLD.pcr_index;
    DELETE FROM quoted_totals WHERE cohort = OLD.cohort AND bank = OLD.bank
    AND pcr_index = OLD.pcr_index AND n <= 0;
END;
