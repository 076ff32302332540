-- Requests that are to be done once, and what was answered: a client that lost the answer asks again.
-- The answer is sealed by a key that only that client can make.
CREATE TABLE idempotent_requests (
    id             BYTEA PRIMARY KEY,
    caller         BYTEA NOT NULL,
    request_sha256 BYTEA NOT NULL,
    begun_at_ms    BIGINT NOT NULL,
    expires_at_ms  BIGINT NOT NULL,
    sealed_answer  BYTEA
);
CREATE INDEX idempotent_requests_of_caller ON idempotent_requests (caller);
CREATE INDEX idempotent_requests_that_expire ON idempotent_requests (expires_at_ms);
