-- What the schema of SQLite is at its version 4; from here on both go by the same numbers.
-- Times are Unix milliseconds. Digests are 32 bytes. Words are those of the row types. Texts that
-- lists are ordered by compare by their bytes, whatever language the database speaks.

CREATE TABLE secrets (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE api_tokens (
    name          TEXT COLLATE "C" PRIMARY KEY,
    secret_sha256 BYTEA NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT
);

CREATE TABLE join_tokens (
    id            TEXT COLLATE "C" PRIMARY KEY,
    secret_sha256 BYTEA NOT NULL UNIQUE,
    expires_at_ms BIGINT NOT NULL,
    n_uses_max    BIGINT,
    n_uses        BIGINT NOT NULL DEFAULT 0,
    approval      TEXT NOT NULL,
    labels_json   TEXT NOT NULL DEFAULT '{}',
    note          TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);

CREATE TABLE trust_roots (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256      BYTEA NOT NULL UNIQUE,
    der         BYTEA NOT NULL,
    name        TEXT NOT NULL,
    source      TEXT NOT NULL,
    added_at_ms BIGINT NOT NULL
);

CREATE TABLE counters (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('trust_generation', 1), ('reference_generation', 1);

-- Rewritten at every appraisal, so the long documents of an identity lie in a table of their own,
-- and pages keep room in which a row can be rewritten without touching its indexes.
CREATE TABLE hosts (
    id                      TEXT COLLATE "C" PRIMARY KEY,
    name                    TEXT COLLATE "C" NOT NULL,
    created_at_ms           BIGINT NOT NULL,
    api_token_sha256        BYTEA NOT NULL UNIQUE,
    connection              TEXT NOT NULL,
    approval                TEXT NOT NULL,
    tpm                     TEXT NOT NULL,
    reenrol_wanted          BOOLEAN NOT NULL DEFAULT false,
    rotation_wanted         BOOLEAN NOT NULL DEFAULT false,
    identity_version        BIGINT NOT NULL DEFAULT 0,
    enrolment_problem_json  TEXT,
    last_seen_at_ms         BIGINT,
    attest_requested_at_ms  BIGINT,
    next_due_at_ms          BIGINT,
    last_nonce_at_ms        BIGINT,
    clock_ms                BIGINT,
    clock_reset_count       BIGINT,
    clock_restart_count     BIGINT,
    clock_safe              BOOLEAN,
    clock_firmware_version  BIGINT,
    last_appraisal_id       BIGINT,
    last_at_ms              BIGINT,
    last_verdict            TEXT COLLATE "C",
    last_findings_json      TEXT,
    -- The identity that the last judgement was made by.
    last_identity_version   BIGINT,
    -- The cohort that the host named last, and the SHA-256 over what it has in quoted_values.
    cohort                  TEXT COLLATE "C",
    quoted_sha256           BYTEA,
    -- A JSON object of texts.
    labels_json             TEXT NOT NULL DEFAULT '{}',
    maintenance_since_ms    BIGINT,
    maintenance_until_ms    BIGINT,
    maintenance_reason      TEXT,
    maintenance_by          TEXT
) WITH (fillfactor = 70);
CREATE INDEX hosts_by_name ON hosts (name, id);
CREATE INDEX hosts_by_cohort ON hosts (cohort, id) WHERE cohort IS NOT NULL;
CREATE INDEX hosts_by_verdict ON hosts (last_verdict, name, id);

-- PostgreSQL says so by itself from 16 on.
CREATE FUNCTION is_json(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN $1::json IS NOT NULL;
EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN
    RETURN false;
END $$;

-- Which hosts have a label: kept by triggers out of labels_json, which is what counts.
CREATE TABLE host_labels (
    key     TEXT COLLATE "C" NOT NULL,
    value   TEXT COLLATE "C" NOT NULL,
    host_id TEXT COLLATE "C" NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    PRIMARY KEY (key, value, host_id)
);
CREATE INDEX host_labels_by_host ON host_labels (host_id);
CREATE FUNCTION host_labels_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM host_labels WHERE host_id = NEW.id;
    INSERT INTO host_labels SELECT key, value, NEW.id FROM json_each_text(NEW.labels_json::json);
    RETURN NULL;
END $$;
CREATE TRIGGER host_labels_come AFTER INSERT ON hosts
    FOR EACH ROW WHEN (NEW.labels_json <> '{}') EXECUTE FUNCTION host_labels_keep();
CREATE TRIGGER host_labels_change AFTER UPDATE OF labels_json ON hosts
    FOR EACH ROW WHEN (NEW.labels_json <> OLD.labels_json) EXECUTE FUNCTION host_labels_keep();

CREATE TABLE identities (
    host_id        TEXT COLLATE "C" PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
    ek_public      BYTEA NOT NULL,
    ek_cert_der    BYTEA,
    ek_chain_json  TEXT NOT NULL, -- array of hexadecimal DER
    ek_spki_sha256 BYTEA NOT NULL UNIQUE,
    ak_public      BYTEA NOT NULL,
    ak_name        BYTEA NOT NULL,
    judgement_json TEXT NOT NULL,
    enrolled_at_ms BIGINT NOT NULL
);

-- Identities of before: what evidence that was judged by them is judged by again.
CREATE TABLE past_identities (
    host_id        TEXT COLLATE "C" NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    version        BIGINT NOT NULL,
    ek_public      BYTEA NOT NULL,
    ek_cert_der    BYTEA,
    ek_chain_json  TEXT NOT NULL,
    ek_spki_sha256 BYTEA NOT NULL,
    ak_public      BYTEA NOT NULL,
    ak_name        BYTEA NOT NULL,
    judgement_json TEXT NOT NULL,
    enrolled_at_ms BIGINT NOT NULL,
    PRIMARY KEY (host_id, version)
);

-- Another TPM that was shown for a host: one a host, until a person decides or it expires.
CREATE TABLE candidates (
    host_id                  TEXT COLLATE "C" PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
    candidate_ek_sha256      BYTEA NOT NULL,
    candidate_judgement_json TEXT NOT NULL,
    candidate_first_at_ms    BIGINT NOT NULL,
    candidate_seen_at_ms     BIGINT NOT NULL,
    candidate_expires_at_ms  BIGINT NOT NULL,
    candidate_approved_at_ms BIGINT
);

CREATE TABLE pending_enrolments (
    id             TEXT COLLATE "C" PRIMARY KEY,
    join_token_id  TEXT COLLATE "C" REFERENCES join_tokens (id) ON DELETE CASCADE,
    host_id        TEXT COLLATE "C" REFERENCES hosts (id) ON DELETE CASCADE,
    ek_spki_sha256 BYTEA NOT NULL,
    ak_name        BYTEA NOT NULL,
    host_name      TEXT NOT NULL,
    documents_json TEXT NOT NULL,
    proof_sha256   BYTEA NOT NULL,
    expires_at_ms  BIGINT NOT NULL,
    completed_host TEXT,
    CHECK (join_token_id IS NOT NULL OR host_id IS NOT NULL)
);
CREATE INDEX pending_by_token ON pending_enrolments (join_token_id) WHERE completed_host IS NULL;
CREATE INDEX pending_by_host ON pending_enrolments (host_id) WHERE host_id IS NOT NULL;
CREATE INDEX pending_by_expiry ON pending_enrolments (expires_at_ms);

CREATE TABLE appraisals (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host_id       TEXT COLLATE "C" NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    at_ms         BIGINT NOT NULL,
    verdict       TEXT NOT NULL,
    document_json TEXT NOT NULL
);
CREATE INDEX appraisals_by_host ON appraisals (host_id, id);
CREATE INDEX appraisals_by_time ON appraisals (at_ms);

CREATE TABLE evidence (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 BYTEA NOT NULL UNIQUE,
    bytes  BYTEA NOT NULL
);

CREATE TABLE appraisal_evidence (
    appraisal_id BIGINT NOT NULL REFERENCES appraisals (id) ON DELETE CASCADE,
    position     BIGINT NOT NULL,
    name         TEXT NOT NULL,
    evidence_id  BIGINT NOT NULL REFERENCES evidence (id),
    PRIMARY KEY (appraisal_id, position)
);
CREATE INDEX appraisal_evidence_by_evidence ON appraisal_evidence (evidence_id);

-- What hosts are held to boot like. Equal documents are stored once.
CREATE TABLE reference_documents (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 BYTEA NOT NULL UNIQUE,
    bytes  BYTEA NOT NULL
);

CREATE TABLE boot_references (
    seq           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            TEXT COLLATE "C" NOT NULL UNIQUE,
    host_id       TEXT COLLATE "C" REFERENCES hosts (id) ON DELETE CASCADE,
    cohort        TEXT COLLATE "C",
    name          TEXT NOT NULL,
    origin        TEXT NOT NULL,
    state         TEXT NOT NULL,
    uses          TEXT NOT NULL,
    until_ms      BIGINT,
    document_id   BIGINT NOT NULL REFERENCES reference_documents (id),
    created_at_ms BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    reason        TEXT NOT NULL,
    CHECK ((host_id IS NULL) <> (cohort IS NULL))
);
CREATE INDEX references_by_host ON boot_references (host_id) WHERE host_id IS NOT NULL;
CREATE INDEX references_by_cohort ON boot_references (cohort) WHERE cohort IS NOT NULL;
CREATE INDEX references_by_document ON boot_references (document_id);
CREATE FUNCTION reference_documents_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM reference_documents WHERE id = OLD.document_id
    AND NOT EXISTS (SELECT 1 FROM boot_references WHERE document_id = OLD.document_id);
    RETURN NULL;
END $$;
CREATE TRIGGER reference_documents_go AFTER DELETE ON boot_references
    FOR EACH ROW EXECUTE FUNCTION reference_documents_go();

-- Position 0 is the state that a reference began in.
CREATE TABLE reference_changes (
    reference_seq BIGINT NOT NULL REFERENCES boot_references (seq) ON DELETE CASCADE,
    position      BIGINT NOT NULL,
    at_ms         BIGINT NOT NULL,
    actor         TEXT NOT NULL,
    state         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    PRIMARY KEY (reference_seq, position)
);

-- The boot of each host for which a reference of one boot counts.
CREATE TABLE reference_boots (
    reference_seq BIGINT NOT NULL REFERENCES boot_references (seq) ON DELETE CASCADE,
    host_id       TEXT COLLATE "C" NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    reset_count   BIGINT NOT NULL,
    at_ms         BIGINT NOT NULL,
    PRIMARY KEY (reference_seq, host_id)
);
CREATE INDEX reference_boots_by_host ON reference_boots (host_id);

-- PCR values of the last verified quote of each host that names a cohort, written where they
-- changed. Triggers keep the counts, so that asking costs the same for ten hosts and 100,000. Who
-- writes here holds the lock of each cohort that is concerned: the counts are rows of many hosts.
CREATE TABLE quoted_values (
    host_id   TEXT COLLATE "C" NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    pcr_index BIGINT NOT NULL,
    cohort    TEXT COLLATE "C" NOT NULL,
    bank      TEXT COLLATE "C" NOT NULL,
    value     BYTEA NOT NULL,
    PRIMARY KEY (host_id, pcr_index)
);

CREATE TABLE quoted_counts (
    cohort    TEXT COLLATE "C" NOT NULL,
    bank      TEXT COLLATE "C" NOT NULL,
    pcr_index BIGINT NOT NULL,
    value     BYTEA NOT NULL,
    n         BIGINT NOT NULL,
    PRIMARY KEY (cohort, bank, pcr_index, value)
);
CREATE INDEX quoted_counts_by_n ON quoted_counts (cohort, bank, pcr_index, n);

CREATE TABLE quoted_totals (
    cohort    TEXT COLLATE "C" NOT NULL,
    bank      TEXT COLLATE "C" NOT NULL,
    pcr_index BIGINT NOT NULL,
    n         BIGINT NOT NULL,
    PRIMARY KEY (cohort, bank, pcr_index)
);

CREATE FUNCTION quoted_values_come() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quoted_counts AS known
        SELECT cohort, bank, pcr_index, value, count(*) FROM come GROUP BY 1, 2, 3, 4
        ON CONFLICT (cohort, bank, pcr_index, value) DO UPDATE SET n = known.n + excluded.n;
    INSERT INTO quoted_totals AS known
        SELECT cohort, bank, pcr_index, count(*) FROM come GROUP BY 1, 2, 3
        ON CONFLICT (cohort, bank, pcr_index) DO UPDATE SET n = known.n + excluded.n;
    RETURN NULL;
END $$;
CREATE TRIGGER quoted_values_come AFTER INSERT ON quoted_values
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION quoted_values_come();

CREATE FUNCTION quoted_values_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE quoted_counts AS known SET n = known.n - 1 FROM gone
        WHERE known.cohort = gone.cohort AND known.bank = gone.bank
        AND known.pcr_index = gone.pcr_index AND known.value = gone.value;
    DELETE FROM quoted_counts AS known USING gone
        WHERE known.cohort = gone.cohort AND known.bank = gone.bank
        AND known.pcr_index = gone.pcr_index AND known.value = gone.value AND known.n <= 0;
    UPDATE quoted_totals AS known SET n = known.n - 1 FROM gone
        WHERE known.cohort = gone.cohort AND known.bank = gone.bank
        AND known.pcr_index = gone.pcr_index;
    DELETE FROM quoted_totals AS known USING gone
        WHERE known.cohort = gone.cohort AND known.bank = gone.bank
        AND known.pcr_index = gone.pcr_index AND known.n <= 0;
    RETURN NULL;
END $$;
-- Values go host by host, each PCR once, so that a statement takes one from a count at most.
CREATE TRIGGER quoted_values_go AFTER DELETE ON quoted_values
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION quoted_values_go();

CREATE TABLE audit (
    seq         BIGINT PRIMARY KEY,
    at_ms       BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    detail_json TEXT NOT NULL,
    sha256      BYTEA NOT NULL
);
-- The end of the chain, and the lock of who makes it longer.
CREATE TABLE audit_head (
    is_one BOOLEAN PRIMARY KEY DEFAULT true CHECK (is_one),
    seq    BIGINT NOT NULL,
    sha256 BYTEA NOT NULL
);
INSERT INTO audit_head (seq, sha256) VALUES (0, decode(repeat('00', 32), 'hex'));
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
