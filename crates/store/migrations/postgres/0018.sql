-- Parts of evidence may lie outside of the database, as objects.

-- The name of the object that has the bytes; NULL: they are here. And whether it was found to be missing, or to be
-- something else than was written (1).
ALTER TABLE evidence ADD COLUMN object TEXT COLLATE "C";
ALTER TABLE evidence ADD COLUMN object_lost BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX evidence_by_object ON evidence (object) WHERE object IS NOT NULL;

-- Objects that nothing refers to any more, and since when, by the database's clock. Their names are never used again.
CREATE TABLE removed_objects (
    object        TEXT COLLATE "C" PRIMARY KEY,
    removed_at_ms BIGINT NOT NULL
);
CREATE INDEX removed_objects_by_time ON removed_objects (removed_at_ms);

CREATE FUNCTION evidence_leaves_its_object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO removed_objects
        VALUES (OLD.object, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    RETURN NULL;
END $$;
CREATE TRIGGER evidence_goes AFTER DELETE ON evidence FOR EACH ROW
    WHEN (OLD.object IS NOT NULL) EXECUTE FUNCTION evidence_leaves_its_object();
CREATE TRIGGER evidence_leaves_its_object AFTER UPDATE OF object ON evidence FOR EACH ROW
    WHEN (OLD.object IS NOT NULL AND OLD.object IS DISTINCT FROM NEW.object)
    EXECUTE FUNCTION evidence_leaves_its_object();
