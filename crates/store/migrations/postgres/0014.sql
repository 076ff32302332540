-- Endorsement keys of purchases, and who looks at which hosts.

CREATE TABLE ek_lists (
    name          TEXT COLLATE "C" PRIMARY KEY,
    labels_json   TEXT NOT NULL,
    approval      TEXT NOT NULL,
    note          TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    created_by    TEXT NOT NULL
);

CREATE TABLE listed_eks (
    list   TEXT COLLATE "C" NOT NULL REFERENCES ek_lists (name) ON DELETE CASCADE,
    kind   TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    note   TEXT NOT NULL,
    PRIMARY KEY (list, kind, digest)
);
CREATE INDEX listed_eks_by_digest ON listed_eks (digest, kind);

-- SHA-256 of the key's public area: what a TPM's name of it has. Filled when keys are enrolled.
ALTER TABLE identities ADD COLUMN ek_public_sha256 BYTEA;
CREATE INDEX identities_by_ek_public ON identities (ek_public_sha256);

-- Whose keys a join token admits: any where it is empty, those on any list with *, else those on that list.
ALTER TABLE join_tokens ADD COLUMN listed_on TEXT;

-- Up to when one of several servers looks at a host that is due.
ALTER TABLE hosts ADD COLUMN look_lease_ms BIGINT NOT NULL DEFAULT 0;
