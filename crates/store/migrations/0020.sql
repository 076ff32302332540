-- Authorities of client certificates are replaced by newer ones, and identity providers end sessions.

-- Those of a trust domain have one name, and are numbered from 1. One issues from its begin on until the next begins,
-- and is known until the last certificate that it issued has ended.
CREATE TABLE client_authorities (
    name          TEXT    NOT NULL,
    number        INTEGER NOT NULL,
    begins_at_ms  INTEGER NOT NULL,
    -- Certificate, and the key as it is sealed; empty when it was retired.
    material      BLOB    NOT NULL,
    retired_at_ms INTEGER,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
INSERT INTO client_authorities (name, number, begins_at_ms, material)
    SELECT name, 1, 0, value FROM secrets WHERE name LIKE 'client-authority:%';
DELETE FROM secrets WHERE name LIKE 'client-authority:%';

-- Which authority issued it; without a name the first of any.
ALTER TABLE client_certificates ADD COLUMN authority_name TEXT NOT NULL DEFAULT '';
ALTER TABLE client_certificates ADD COLUMN authority_number INTEGER NOT NULL DEFAULT 1;

-- Who vouched for the person of a session, what the person is called there, and what that calls its own session, where it
-- says so.
ALTER TABLE sessions ADD COLUMN issuer TEXT;
ALTER TABLE sessions ADD COLUMN subject TEXT;
ALTER TABLE sessions ADD COLUMN provider_sid TEXT;
