-- What waits for a person, found without looking at all hosts.

CREATE INDEX hosts_waiting ON hosts (created_at_ms, id) WHERE approval = 'waiting';
CREATE INDEX references_waiting ON boot_references (seq) WHERE state = 'pending';

-- When a person said that another TPM does not take the enrolled one's place.
ALTER TABLE candidates ADD COLUMN candidate_refused_at_ms INTEGER;
