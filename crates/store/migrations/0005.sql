-- Alarms: what stands against hosts, from when to when, and what people said about it.

-- When a host is to be looked at again, since what counts of it may have changed: 0 after a change, else
-- the time at which age alone changes it. The sequence tells a change that came while somebody looked.
ALTER TABLE hosts ADD COLUMN look_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN look_seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX hosts_to_look_at ON hosts (look_at_ms);

CREATE TRIGGER look_after_change AFTER UPDATE OF connection, approval, tpm, enrolment_problem_json,
    identity_version, last_verdict, last_findings_json ON hosts
WHEN (NEW.connection, NEW.approval, NEW.tpm, NEW.enrolment_problem_json, NEW.identity_version,
      NEW.last_verdict, NEW.last_findings_json)
  IS NOT (OLD.connection, OLD.approval, OLD.tpm, OLD.enrolment_problem_json, OLD.identity_version,
      OLD.last_verdict, OLD.last_findings_json)
BEGIN
    UPDATE hosts SET look_at_ms = 0, look_seq = look_seq + 1 WHERE id = NEW.id;
END;
CREATE TRIGGER look_after_candidate AFTER INSERT ON candidates
BEGIN
    UPDATE hosts SET look_at_ms = 0, look_seq = look_seq + 1 WHERE id = NEW.host_id;
END;
CREATE TRIGGER look_after_candidate_change AFTER UPDATE OF candidate_ek_sha256,
    candidate_approved_at_ms ON candidates
BEGIN
    UPDATE hosts SET look_at_ms = 0, look_seq = look_seq + 1 WHERE id = NEW.host_id;
END;
CREATE TRIGGER look_after_candidate_went AFTER DELETE ON candidates
BEGIN
    UPDATE hosts SET look_at_ms = 0, look_seq = look_seq + 1 WHERE id = OLD.host_id;
END;

CREATE TABLE alarms (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    host_id       TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    code          TEXT NOT NULL,
    severity      TEXT NOT NULL,
    cause         TEXT NOT NULL,
    raised_at_ms  INTEGER NOT NULL,
    cleared_at_ms INTEGER,
    ack_at_ms     INTEGER,
    ack_by        TEXT,
    ack_reason    TEXT,
    ack_until_ms  INTEGER
) STRICT;
CREATE UNIQUE INDEX alarms_open ON alarms (host_id, code) WHERE cleared_at_ms IS NULL;
CREATE INDEX alarms_open_by_code ON alarms (code, id) WHERE cleared_at_ms IS NULL;
CREATE INDEX alarms_by_host ON alarms (host_id, id);
