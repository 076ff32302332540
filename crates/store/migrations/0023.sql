-- Which hosts have a finding: kept by triggers out of the findings of the last judgement and of the last enrolment,
-- which are what counts. A list by a finding that few hosts have reads those few.
CREATE TABLE host_findings (
    code    TEXT NOT NULL,
    host_id TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    PRIMARY KEY (code, host_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX host_findings_by_host ON host_findings (host_id, code);

-- A document that is none, or of another form, has no codes: it must not keep a judgement from being written.
CREATE TRIGGER host_findings_come AFTER INSERT ON hosts
WHEN NEW.last_findings_json IS NOT NULL OR NEW.enrolment_problem_json IS NOT NULL
BEGIN
    INSERT INTO host_findings SELECT code, NEW.id FROM (
        SELECT CASE type WHEN 'object' THEN value ->> '$.code' END AS code
            FROM json_each(CASE WHEN json_valid(NEW.last_findings_json) THEN NEW.last_findings_json ELSE '[]' END)
        UNION SELECT CASE type WHEN 'object' THEN value ->> '$.code' END
            FROM json_each(CASE WHEN json_valid(NEW.enrolment_problem_json) THEN NEW.enrolment_problem_json ELSE '[]' END))
    WHERE code IS NOT NULL;
END;
-- Only what differs is written: most new judgements find what the one before found.
CREATE TRIGGER host_findings_change AFTER UPDATE OF last_findings_json, enrolment_problem_json ON hosts
WHEN (NEW.last_findings_json, NEW.enrolment_problem_json) IS NOT (OLD.last_findings_json, OLD.enrolment_problem_json)
BEGIN
    DELETE FROM host_findings WHERE host_id = NEW.id AND NOT EXISTS (SELECT 1 FROM (
        SELECT CASE type WHEN 'object' THEN value ->> '$.code' END AS code
            FROM json_each(CASE WHEN json_valid(NEW.last_findings_json) THEN NEW.last_findings_json ELSE '[]' END)
        UNION SELECT CASE type WHEN 'object' THEN value ->> '$.code' END
            FROM json_each(CASE WHEN json_valid(NEW.enrolment_problem_json) THEN NEW.enrolment_problem_json ELSE '[]' END)) AS found
    WHERE found.code = host_findings.code);
    INSERT OR IGNORE INTO host_findings SELECT code, NEW.id FROM (
        SELECT CASE type WHEN 'object' THEN value ->> '$.code' END AS code
            FROM json_each(CASE WHEN json_valid(NEW.last_findings_json) THEN NEW.last_findings_json ELSE '[]' END)
        UNION SELECT CASE type WHEN 'object' THEN value ->> '$.code' END
            FROM json_each(CASE WHEN json_valid(NEW.enrolment_problem_json) THEN NEW.enrolment_problem_json ELSE '[]' END))
    WHERE code IS NOT NULL;
END;

INSERT OR IGNORE INTO host_findings
    SELECT finding.value ->> '$.code', hosts.id FROM hosts,
        json_each(CASE WHEN json_valid(last_findings_json) THEN last_findings_json ELSE '[]' END) AS finding
    WHERE CASE finding.type WHEN 'object' THEN finding.value ->> '$.code' END IS NOT NULL;
INSERT OR IGNORE INTO host_findings
    SELECT finding.value ->> '$.code', hosts.id FROM hosts,
        json_each(CASE WHEN json_valid(enrolment_problem_json) THEN enrolment_problem_json ELSE '[]' END) AS finding
    WHERE CASE finding.type WHEN 'object' THEN finding.value ->> '$.code' END IS NOT NULL;

-- Lists by verdict go by how hosts stood.
DROP INDEX hosts_by_verdict;
