-- Alarms: what stands against hosts, from when to when, and what people said about it.

-- When a host is to be looked at again, since what counts of it may have changed: 0 after a change, else
-- the time at which age alone changes it. The sequence tells a change that came while somebody looked.
ALTER TABLE hosts ADD COLUMN look_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN look_seq BIGINT NOT NULL DEFAULT 0;
CREATE INDEX hosts_to_look_at ON hosts (look_at_ms);

-- Before the change, so that the row is written once.
CREATE FUNCTION look_after_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.look_at_ms := 0;
    NEW.look_seq := OLD.look_seq + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER look_after_change BEFORE UPDATE OF connection, approval, tpm, enrolment_problem_json,
    identity_version, last_verdict, last_findings_json ON hosts
    FOR EACH ROW
    WHEN ((NEW.connection, NEW.approval, NEW.tpm, NEW.enrolment_problem_json, NEW.identity_version,
           NEW.last_verdict, NEW.last_findings_json)
        IS DISTINCT FROM (OLD.connection, OLD.approval, OLD.tpm, OLD.enrolment_problem_json,
           OLD.identity_version, OLD.last_verdict, OLD.last_findings_json))
    EXECUTE FUNCTION look_after_change();

CREATE FUNCTION look_after_candidate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE hosts SET look_at_ms = 0, look_seq = look_seq + 1
        WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.host_id ELSE NEW.host_id END;
    RETURN NULL;
END $$;
CREATE TRIGGER look_after_candidate
    AFTER INSERT OR DELETE OR UPDATE OF candidate_ek_sha256, candidate_approved_at_ms ON candidates
    FOR EACH ROW EXECUTE FUNCTION look_after_candidate();

CREATE TABLE alarms (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host_id       TEXT COLLATE "C" NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    code          TEXT COLLATE "C" NOT NULL,
    severity      TEXT NOT NULL,
    cause         TEXT NOT NULL,
    raised_at_ms  BIGINT NOT NULL,
    cleared_at_ms BIGINT,
    ack_at_ms     BIGINT,
    ack_by        TEXT,
    ack_reason    TEXT,
    ack_until_ms  BIGINT
);
CREATE UNIQUE INDEX alarms_open ON alarms (host_id, code) WHERE cleared_at_ms IS NULL;
CREATE INDEX alarms_open_by_code ON alarms (code, id) WHERE cleared_at_ms IS NULL;
CREATE INDEX alarms_by_host ON alarms (host_id, id);
