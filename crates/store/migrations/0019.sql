-- What a judgement rests on: what is new with each lies in its row, all else in a list, which the judgements of a
-- host have in common as long as they rest on the same.
CREATE TABLE evidence_lists (
    id      INTEGER PRIMARY KEY,
    host_id TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    -- Over the names and digests of its parts; NULL: no further judgement uses it.
    sha256  BLOB
) STRICT;
CREATE INDEX evidence_lists_by_host ON evidence_lists (host_id);
CREATE TABLE listed_evidence (
    list_id     INTEGER NOT NULL REFERENCES evidence_lists (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    name        TEXT NOT NULL,
    evidence_id INTEGER NOT NULL REFERENCES evidence (id),
    PRIMARY KEY (list_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO evidence_lists (id, host_id) SELECT id, host_id FROM appraisals;
INSERT INTO listed_evidence SELECT appraisal_id, position, name, evidence_id FROM appraisal_evidence;
DROP TABLE appraisal_evidence;
CREATE INDEX listed_evidence_by_evidence ON listed_evidence (evidence_id);

ALTER TABLE appraisals ADD COLUMN answer BLOB;
ALTER TABLE appraisals ADD COLUMN list_id INTEGER;
UPDATE appraisals SET list_id = id;
-- With the list: which of them are used is asked of the index alone.
DROP INDEX appraisals_by_host;
CREATE INDEX appraisals_by_host ON appraisals (host_id, id, list_id);

-- A part that is lost comes back with the next judgement that brings its bytes, which then looks for each.
CREATE TRIGGER evidence_is_lost AFTER UPDATE OF object_lost ON evidence WHEN NEW.object_lost <> 0
BEGIN
    UPDATE evidence_lists SET sha256 = NULL
    WHERE id IN (SELECT list_id FROM listed_evidence WHERE evidence_id = NEW.id);
END;
