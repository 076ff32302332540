-- What a judgement rests on: what is new with each lies in its row, all else in a list, which the judgements of a
-- host have in common as long as they rest on the same.

CREATE TABLE evidence_lists (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host_id TEXT COLLATE "C" NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    -- Over the names and digests of its parts; NULL: no further judgement uses it.
    sha256  BYTEA
);
INSERT INTO evidence_lists (id, host_id) OVERRIDING SYSTEM VALUE SELECT id, host_id FROM appraisals;
SELECT setval(pg_get_serial_sequence('evidence_lists', 'id'), coalesce(max(id), 0) + 1, false)
    FROM evidence_lists;
CREATE INDEX evidence_lists_by_host ON evidence_lists (host_id);
CREATE TABLE listed_evidence (
    list_id     BIGINT NOT NULL REFERENCES evidence_lists (id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    name        TEXT NOT NULL,
    evidence_id BIGINT NOT NULL REFERENCES evidence (id),
    PRIMARY KEY (list_id, position)
);
INSERT INTO listed_evidence
    SELECT appraisal_id, position, name, evidence_id FROM appraisal_evidence;
DROP TABLE appraisal_evidence;
CREATE INDEX listed_evidence_by_evidence ON listed_evidence (evidence_id);

ALTER TABLE appraisals ADD COLUMN answer BYTEA;
ALTER TABLE appraisals ADD COLUMN list_id BIGINT;
UPDATE appraisals SET list_id = id;
DROP INDEX appraisals_by_host;
CREATE INDEX appraisals_by_host ON appraisals (host_id, id, list_id);

-- A part that is lost comes back with the next judgement that brings its bytes, which then looks for each.
CREATE FUNCTION evidence_is_lost() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE evidence_lists SET sha256 = NULL
        WHERE id IN (SELECT list_id FROM listed_evidence WHERE evidence_id = NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER evidence_is_lost AFTER UPDATE OF object_lost ON evidence FOR EACH ROW
    WHEN (NEW.object_lost <> 0) EXECUTE FUNCTION evidence_is_lost();

-- Room for the new version of a host beside the old one: then no index is written for it.
ALTER TABLE hosts SET (fillfactor = 70);
