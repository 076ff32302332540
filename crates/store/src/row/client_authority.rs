//! Authorities of client certificates, one after the other.

/// An authority that is known: it issues, did so, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAuthorityRow {
    /// Its number among those of its name: 1, 2, 3, …
    pub number: i64,
    /// From when on it issues, until the next one begins.
    pub begins_at_ms: i64,
    /// Certificate and sealed key, as the server writes them.
    pub material: Vec<u8>,
}

/// An authority that is about to be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClientAuthority {
    /// What those that follow each other have in common: their trust domain.
    pub name: String,
    /// Its number: one more than the last.
    pub number: i64,
    /// From when on it issues.
    pub begins_at_ms: i64,
    /// Certificate and sealed key.
    pub material: Vec<u8>,
    /// What is said in the audit log (JSON).
    pub detail: serde_json::Value,
}

/// What the audit log calls an authority.
pub(crate) fn subject(name: &str, number: i64) -> String {
    format!("{name}:{number}")
}
