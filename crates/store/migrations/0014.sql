-- Endorsement keys of purchases, and who looks at which hosts.

CREATE TABLE ek_lists (
    name          TEXT PRIMARY KEY,
    labels_json   TEXT NOT NULL,
    approval      TEXT NOT NULL,
    note          TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    created_by    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE listed_eks (
    list   TEXT NOT NULL REFERENCES ek_lists (name) ON DELETE CASCADE,
    kind   TEXT NOT NULL,
    digest BLOB NOT NULL,
    note   TEXT NOT NULL,
    PRIMARY KEY (list, kind, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX listed_eks_by_digest ON listed_eks (digest, kind);

-- SHA-256 of the key's public area: what a TPM's name of it has. Filled when keys are enrolled.
ALTER TABLE identities ADD COLUMN ek_public_sha256 BLOB;
CREATE INDEX identities_by_ek_public ON identities (ek_public_sha256);

-- Whose keys a join token admits: any where it is empty, those on any list with *, else those on that list.
ALTER TABLE join_tokens ADD COLUMN listed_on TEXT;

-- Up to when one of several servers looks at a host that is due.
ALTER TABLE hosts ADD COLUMN look_lease_ms INTEGER NOT NULL DEFAULT 0;
