-- API tokens of some hosts only, who made them, and whether anybody still uses them.

-- Labels that a host must have, a JSON object of texts; {}: all hosts.
ALTER TABLE api_tokens ADD COLUMN hosts_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE api_tokens ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN last_used_at_ms INTEGER;
