-- The inventory as people order it: labels, and hosts that somebody works on.

-- A JSON object of texts.
ALTER TABLE hosts ADD COLUMN labels_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE hosts ADD COLUMN maintenance_since_ms INTEGER;
ALTER TABLE hosts ADD COLUMN maintenance_until_ms INTEGER;
ALTER TABLE hosts ADD COLUMN maintenance_reason TEXT;
ALTER TABLE hosts ADD COLUMN maintenance_by TEXT;
-- What hosts get that join with it.
ALTER TABLE join_tokens ADD COLUMN labels_json TEXT NOT NULL DEFAULT '{}';

-- Which hosts have a label: kept by triggers out of labels_json, which is what counts.
CREATE TABLE host_labels (
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    host_id TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    PRIMARY KEY (key, value, host_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX host_labels_by_host ON host_labels (host_id);
CREATE TRIGGER host_labels_come AFTER INSERT ON hosts WHEN NEW.labels_json <> '{}'
BEGIN
    INSERT INTO host_labels SELECT key, value, NEW.id FROM json_each(NEW.labels_json);
END;
CREATE TRIGGER host_labels_change AFTER UPDATE OF labels_json ON hosts
WHEN NEW.labels_json <> OLD.labels_json
BEGIN
    DELETE FROM host_labels WHERE host_id = NEW.id;
    INSERT INTO host_labels SELECT key, value, NEW.id FROM json_each(NEW.labels_json);
END;

-- Hosts of one verdict, in the order of lists.
CREATE INDEX hosts_by_verdict ON hosts (last_verdict, name, id);
