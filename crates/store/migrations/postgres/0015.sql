-- Client certificates for keys in TPMs of hosts. Without a reference to the host: what was issued to one
-- that is removed stays revoked until it expires by itself.

CREATE TABLE client_certificates (
    serial          BYTEA PRIMARY KEY,
    host_id         TEXT COLLATE "C" NOT NULL,
    host_name       TEXT NOT NULL,
    ek_spki_sha256  BYTEA NOT NULL,
    key_name        BYTEA NOT NULL,
    challenge_at_ms BIGINT NOT NULL,
    issued_at_ms    BIGINT NOT NULL,
    not_after_ms    BIGINT NOT NULL,
    revoked_at_ms   BIGINT,
    revoked_for     TEXT,
    revoked_reason  TEXT,
    revoked_by      TEXT
);
CREATE INDEX client_certificates_of_host ON client_certificates (host_id, issued_at_ms);
CREATE INDEX client_certificates_in_order ON client_certificates (issued_at_ms, serial);
CREATE INDEX client_certificates_that_end ON client_certificates (not_after_ms);
CREATE INDEX client_certificates_revoked ON client_certificates (revoked_at_ms)
    WHERE revoked_at_ms IS NOT NULL;

-- How many changes the list of revoked ones had, and the number of the last list that was signed.
INSERT INTO counters (name, value) VALUES ('client_revocations', 0), ('client_crl', 0);
