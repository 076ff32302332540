-- Lists of hosts in other orders than by name.

-- What counted of a host when somebody last looked at it: 0 not accepted, 1 not appraised, 2 accepted. All are
-- looked at when a server starts.
ALTER TABLE hosts ADD COLUMN stood_rank INTEGER NOT NULL DEFAULT 1;
UPDATE hosts SET stood_rank = CASE last_verdict WHEN 'accepted' THEN 2 WHEN 'not accepted' THEN 0 ELSE 1 END;

-- The hours since 1970 in which a host was judged last and heard of last, kept by triggers. Lists are ordered by them,
-- and not by the times: an index over what each attestation changes would be written with each.
ALTER TABLE hosts ADD COLUMN judged_hour INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN seen_hour INTEGER NOT NULL DEFAULT 0;
UPDATE hosts SET judged_hour = coalesce(last_at_ms, 0) / 3600000, seen_hour = coalesce(last_seen_at_ms, 0) / 3600000;
CREATE TRIGGER hosts_have_hours AFTER UPDATE OF last_at_ms, last_seen_at_ms ON hosts
WHEN coalesce(NEW.last_at_ms, 0) / 3600000 <> NEW.judged_hour
    OR coalesce(NEW.last_seen_at_ms, 0) / 3600000 <> NEW.seen_hour
BEGIN
    UPDATE hosts SET judged_hour = coalesce(NEW.last_at_ms, 0) / 3600000,
        seen_hour = coalesce(NEW.last_seen_at_ms, 0) / 3600000
    WHERE id = NEW.id;
END;
CREATE TRIGGER hosts_begin_with_hours AFTER INSERT ON hosts
WHEN NEW.last_at_ms IS NOT NULL OR NEW.last_seen_at_ms IS NOT NULL
BEGIN
    UPDATE hosts SET judged_hour = coalesce(NEW.last_at_ms, 0) / 3600000,
        seen_hour = coalesce(NEW.last_seen_at_ms, 0) / 3600000
    WHERE id = NEW.id;
END;

-- The expressions are those of the lists (store::row::host_order), to the letter.
CREATE INDEX hosts_by_standing ON hosts (stood_rank, name, id);
CREATE INDEX hosts_by_model ON hosts (coalesce(cohort, ''), name, id);
CREATE INDEX hosts_by_judgement ON hosts (judged_hour, name, id);
CREATE INDEX hosts_by_contact ON hosts
    ((CASE connection WHEN 'disconnected' THEN 4294967296 ELSE 0 END + seen_hour), name, id);
CREATE INDEX hosts_by_joining ON hosts (created_at_ms, id);

-- Whose alarms are muted: few, if any.
CREATE INDEX hosts_in_maintenance ON hosts (id) WHERE maintenance_since_ms IS NOT NULL;

-- The finding that decided a judgement, for lists of a host's history: its code and its cause, both empty where
-- nothing stood against the host. NULL: judged before this was noted; the judgement's document says it.
ALTER TABLE appraisals ADD COLUMN deciding_code TEXT;
ALTER TABLE appraisals ADD COLUMN deciding_cause TEXT;

-- Lists of hosts that somebody keeps under a name: a person, by their name in the audit log, or everybody ('').
CREATE TABLE host_views (
    owner      TEXT NOT NULL,
    name       TEXT NOT NULL,
    query_json TEXT NOT NULL,
    kept_at_ms INTEGER NOT NULL,
    kept_by    TEXT NOT NULL,
    PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;
