//! What Secure Boot is held against beyond being on.

use std::sync::Arc;

use secure_boot_facts::{Date, Revocations};

/// Lists and minimums. The default asks for nothing beyond the lists of this release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecureBootRules {
    /// What is revoked. Shared, since it can have thousands of entries.
    pub revocations: Arc<Revocations>,
    /// SHA-256 of the certificates, or the digests of images, that may allow something to run;
    /// `None`: whatever db has.
    pub allowed_authorities: Option<Vec<[u8; 32]>>,
    /// The oldest release of dbx.
    pub minimum_dbx: Option<Date>,
    /// The oldest level of SBAT, as its stamp of ten digits.
    pub minimum_sbat: Option<String>,
}
