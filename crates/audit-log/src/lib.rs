//! The audit log: append-only, each row sealed by a hash over itself and the row before.
//!
//! Who keeps the log (a server) and who checks it (anybody) share this crate, so that a reader needs no
//! trust in who keeps it.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

use aws_lc_rs::digest;

/// A SHA-256 digest.
pub type Sha256 = [u8; 32];

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number: 1, 2, 3, … without gaps.
    pub seq: i64,
    /// When.
    pub at_ms: i64,
    /// Who.
    pub actor: String,
    /// What, as `object.verb`: `host.disconnect`.
    pub action: String,
    /// On what, as `kind:id`.
    pub subject: String,
    /// More about it (JSON).
    pub detail_json: String,
    /// SHA-256 over the hash of the row before (zeros before the first) and this row's fields:
    /// `seq` and `at_ms` as eight bytes big-endian, each text after its length in eight bytes.
    pub sha256: Sha256,
}

impl AuditRow {
    /// What [`AuditRow::sha256`] must be after a row with hash `before`.
    #[must_use]
    pub fn seal(&self, before: &Sha256) -> Sha256 {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(before);
        hash.update(&self.seq.to_be_bytes());
        hash.update(&self.at_ms.to_be_bytes());
        for text in [&self.actor, &self.action, &self.subject, &self.detail_json] {
            hash.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let mut out = [0; 32];
        out.copy_from_slice(hash.finish().as_ref());
        out
    }
}

/// Checks audit rows, one after the other from the first.
///
/// It finds rows that were changed, removed from the middle, or put in by someone who did not
/// recompute all that follow. It cannot see rows cut off the end: compare [`AuditChain::head`]
/// with one that was written down elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditChain {
    seq: i64,
    sha256: Sha256,
}

/// The first row that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditBreak {
    /// Rows are missing before this one.
    #[error("audit row {expected} is missing, row {found} follows")]
    Gap {
        /// The number that should come.
        expected: i64,
        /// The number that came.
        found: i64,
    },
    /// The row, or one before it, was changed.
    #[error("audit row {seq} does not match its seal")]
    Seal {
        /// The row.
        seq: i64,
    },
}

impl AuditChain {
    /// Takes the next row.
    ///
    /// # Errors
    /// The row does not follow the one before.
    pub fn check(&mut self, row: &AuditRow) -> Result<(), AuditBreak> {
        let expected = self.seq.saturating_add(1);
        if row.seq != expected {
            return Err(AuditBreak::Gap { expected, found: row.seq });
        }
        if row.seal(&self.sha256) != row.sha256 {
            return Err(AuditBreak::Seal { seq: row.seq });
        }
        self.seq = row.seq;
        self.sha256 = row.sha256;
        Ok(())
    }

    /// Number and hash of the last row taken; 0 and zeros before the first.
    #[must_use]
    pub fn head(&self) -> (i64, Sha256) {
        (self.seq, self.sha256)
    }
}
