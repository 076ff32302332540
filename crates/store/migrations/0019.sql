-- Lists of hosts in other orders than by name.

-- What counted of a host when somebody last looked at it: 0 not accepted, 1 not appraised, 2 accepted. All are
-- looked at when a server starts.
ALTER TABLE hosts ADD COLUMN stood_rank INTEGER NOT NULL DEFAULT 1;
UPDATE hosts SET stood_rank = CASE last_verdict WHEN 'accepted' THEN 2 WHEN 'not accepted' THEN 0 ELSE 1 END;

-- The expressions are those of the lists (store::row::host_order), to the letter.
CREATE INDEX hosts_by_standing ON hosts (stood_rank, name, id);
CREATE INDEX hosts_by_model ON hosts (coalesce(cohort, ''), name, id);
CREATE INDEX hosts_by_judgement ON hosts (coalesce(last_at_ms, 0), id);
CREATE INDEX hosts_by_contact ON hosts
    ((CASE connection WHEN 'disconnected' THEN 4503599627370496 ELSE 0 END + coalesce(last_seen_at_ms, 0)), id);
CREATE INDEX hosts_by_joining ON hosts (created_at_ms, id);

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
