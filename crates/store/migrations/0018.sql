-- Parts of evidence may lie outside of the database, as objects.

-- The name of the object that has the bytes; NULL: they are here. And whether it was found to be missing, or to be
-- something else than was written (1).
ALTER TABLE evidence ADD COLUMN object TEXT;
ALTER TABLE evidence ADD COLUMN object_lost INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX evidence_by_object ON evidence (object) WHERE object IS NOT NULL;

-- Objects that nothing refers to any more, and since when, by the machine's clock. Their names are never used again.
CREATE TABLE removed_objects (
    object        TEXT PRIMARY KEY,
    removed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX removed_objects_by_time ON removed_objects (removed_at_ms);

CREATE TRIGGER evidence_goes AFTER DELETE ON evidence WHEN OLD.object IS NOT NULL
BEGIN
    INSERT INTO removed_objects VALUES (OLD.object, CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
CREATE TRIGGER evidence_leaves_its_object AFTER UPDATE OF object ON evidence
WHEN OLD.object IS NOT NULL AND OLD.object IS NOT NEW.object
BEGIN
    INSERT INTO removed_objects VALUES (OLD.object, CAST(unixepoch('subsec') * 1000 AS INTEGER));
END;
