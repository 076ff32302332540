-- The life of a host's TPM: another one in its place, and keys that were made anew.

-- Made anew: what is in it lasts minutes, and a join may be for a host that is known.
DROP TABLE pending_enrolments;
CREATE TABLE pending_enrolments (
    id             TEXT PRIMARY KEY,
    join_token_id  TEXT REFERENCES join_tokens (id) ON DELETE CASCADE,
    host_id        TEXT REFERENCES hosts (id) ON DELETE CASCADE,
    ek_spki_sha256 BLOB NOT NULL,
    ak_name        BLOB NOT NULL,
    host_name      TEXT NOT NULL,
    documents_json TEXT NOT NULL,
    proof_sha256   BLOB NOT NULL,
    expires_at_ms  INTEGER NOT NULL,
    completed_host TEXT,
    CHECK (join_token_id IS NOT NULL OR host_id IS NOT NULL)
) STRICT;
CREATE INDEX pending_by_token ON pending_enrolments (join_token_id) WHERE completed_host IS NULL;
CREATE INDEX pending_by_host ON pending_enrolments (host_id) WHERE host_id IS NOT NULL;
CREATE INDEX pending_by_expiry ON pending_enrolments (expires_at_ms);

-- Another TPM that was shown for a host: one a host, until a person decides or it expires.
CREATE TABLE candidates (
    host_id                  TEXT PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
    candidate_ek_sha256      BLOB NOT NULL,
    candidate_judgement_json TEXT NOT NULL,
    candidate_first_at_ms    INTEGER NOT NULL,
    candidate_seen_at_ms     INTEGER NOT NULL,
    candidate_expires_at_ms  INTEGER NOT NULL,
    candidate_approved_at_ms INTEGER
) STRICT;

-- Identities of before: what evidence that was judged by them is judged by again.
CREATE TABLE past_identities (
    host_id        TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    version        INTEGER NOT NULL,
    ek_public      BLOB NOT NULL,
    ek_cert_der    BLOB,
    ek_chain_json  TEXT NOT NULL,
    ek_spki_sha256 BLOB NOT NULL,
    ak_public      BLOB NOT NULL,
    ak_name        BLOB NOT NULL,
    judgement_json TEXT NOT NULL,
    enrolled_at_ms INTEGER NOT NULL,
    PRIMARY KEY (host_id, version)
) STRICT, WITHOUT ROWID;

ALTER TABLE hosts ADD COLUMN rotation_wanted INTEGER NOT NULL DEFAULT 0;
-- The identity that the last judgement was made by: up to now always the present one.
ALTER TABLE hosts ADD COLUMN last_identity_version INTEGER;
UPDATE hosts SET last_identity_version = identity_version WHERE last_appraisal_id IS NOT NULL;
