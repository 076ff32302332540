-- Which hosts have a finding: kept by triggers out of the findings of the last judgement and of the last enrolment,
-- which are what counts. A list by a finding that few hosts have reads those few.
CREATE TABLE host_findings (
    code    TEXT COLLATE "C" NOT NULL,
    host_id TEXT COLLATE "C" NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    PRIMARY KEY (code, host_id)
);
CREATE INDEX host_findings_by_host ON host_findings (host_id, code);

-- By their form in the text, not by reading it as JSON: that fails on a zero character, which a host may have sent,
-- and must not keep a judgement from being written. A quotation mark inside of a text has a backslash before it, so
-- that none is found in what a host sent.
CREATE FUNCTION finding_codes(text, text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT found[1]
    FROM regexp_matches(coalesce($1, '') || coalesce($2, ''), '"code" *: *"([a-z0-9-]+)"', 'g') AS found
$$;
CREATE FUNCTION host_findings_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only what differs is written: most new judgements find what the one before found.
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM host_findings WHERE host_id = NEW.id
            AND code NOT IN (SELECT finding_codes(NEW.last_findings_json, NEW.enrolment_problem_json));
    END IF;
    INSERT INTO host_findings
        SELECT finding_codes(NEW.last_findings_json, NEW.enrolment_problem_json), NEW.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER host_findings_come AFTER INSERT ON hosts FOR EACH ROW
    WHEN (NEW.last_findings_json IS NOT NULL OR NEW.enrolment_problem_json IS NOT NULL)
    EXECUTE FUNCTION host_findings_keep();
CREATE TRIGGER host_findings_change AFTER UPDATE OF last_findings_json, enrolment_problem_json ON hosts FOR EACH ROW
    WHEN ((NEW.last_findings_json, NEW.enrolment_problem_json)
        IS DISTINCT FROM (OLD.last_findings_json, OLD.enrolment_problem_json))
    EXECUTE FUNCTION host_findings_keep();

INSERT INTO host_findings SELECT finding_codes(last_findings_json, enrolment_problem_json), id FROM hosts;

-- Lists by verdict go by how hosts stood.
DROP INDEX hosts_by_verdict;
