-- Times are Unix milliseconds. Digests are 32 bytes. Words are those of the row types.

CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_tokens (
    name          TEXT PRIMARY KEY,
    secret_sha256 BLOB NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER
) STRICT;

CREATE TABLE join_tokens (
    id            TEXT PRIMARY KEY,
    secret_sha256 BLOB NOT NULL UNIQUE,
    expires_at_ms INTEGER NOT NULL,
    n_uses_max    INTEGER,
    n_uses        INTEGER NOT NULL DEFAULT 0,
    approval      TEXT NOT NULL,
    note          TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
) STRICT;

CREATE TABLE trust_roots (
    id          INTEGER PRIMARY KEY,
    sha256      BLOB NOT NULL UNIQUE,
    der         BLOB NOT NULL,
    name        TEXT NOT NULL,
    source      TEXT NOT NULL,
    added_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('trust_generation', 1);

-- Rewritten at every appraisal, so the long documents of an identity lie in a table of their own.
CREATE TABLE hosts (
    id                      TEXT PRIMARY KEY,
    name                    TEXT NOT NULL,
    created_at_ms           INTEGER NOT NULL,
    api_token_sha256        BLOB NOT NULL UNIQUE,
    connection              TEXT NOT NULL,
    approval                TEXT NOT NULL,
    tpm                     TEXT NOT NULL,
    reenrol_wanted          INTEGER NOT NULL DEFAULT 0,
    identity_version        INTEGER NOT NULL DEFAULT 0,
    enrolment_problem_json  TEXT,
    last_seen_at_ms         INTEGER,
    attest_requested_at_ms  INTEGER,
    next_due_at_ms          INTEGER,
    last_nonce_at_ms        INTEGER,
    clock_ms                INTEGER,
    clock_reset_count       INTEGER,
    clock_restart_count     INTEGER,
    clock_safe              INTEGER,
    clock_firmware_version  INTEGER,
    last_appraisal_id       INTEGER,
    last_at_ms              INTEGER,
    last_verdict            TEXT,
    last_findings_json      TEXT
) STRICT;
CREATE INDEX hosts_by_name ON hosts (name, id);

CREATE TABLE identities (
    host_id        TEXT PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
    ek_public      BLOB NOT NULL,
    ek_cert_der    BLOB,
    ek_chain_json  TEXT NOT NULL, -- array of hexadecimal DER
    ek_spki_sha256 BLOB NOT NULL UNIQUE,
    ak_public      BLOB NOT NULL,
    ak_name        BLOB NOT NULL,
    judgement_json TEXT NOT NULL,
    enrolled_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE pending_enrolments (
    id             TEXT PRIMARY KEY,
    join_token_id  TEXT REFERENCES join_tokens (id) ON DELETE CASCADE,
    host_id        TEXT REFERENCES hosts (id) ON DELETE CASCADE,
    host_name      TEXT NOT NULL,
    documents_json TEXT NOT NULL,
    proof_sha256   BLOB NOT NULL,
    expires_at_ms  INTEGER NOT NULL,
    completed_host TEXT,
    CHECK ((join_token_id IS NULL) <> (host_id IS NULL))
) STRICT;
CREATE INDEX pending_by_token ON pending_enrolments (join_token_id) WHERE completed_host IS NULL;
CREATE INDEX pending_by_host ON pending_enrolments (host_id) WHERE host_id IS NOT NULL;
CREATE INDEX pending_by_expiry ON pending_enrolments (expires_at_ms);

-- AUTOINCREMENT: a number is never given twice, also after the newest rows were removed.
CREATE TABLE appraisals (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    host_id       TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    at_ms         INTEGER NOT NULL,
    verdict       TEXT NOT NULL,
    document_json TEXT NOT NULL
) STRICT;
CREATE INDEX appraisals_by_host ON appraisals (host_id, id);
CREATE INDEX appraisals_by_time ON appraisals (at_ms);

CREATE TABLE evidence (
    id     INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE appraisal_evidence (
    appraisal_id INTEGER NOT NULL REFERENCES appraisals (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    name         TEXT NOT NULL,
    evidence_id  INTEGER NOT NULL REFERENCES evidence (id),
    PRIMARY KEY (appraisal_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX appraisal_evidence_by_evidence ON appraisal_evidence (evidence_id);

CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    detail_json TEXT NOT NULL,
    sha256      BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
