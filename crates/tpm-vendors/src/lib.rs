//! What is known of TPM chips and those who make them, as tables: whose authority a certificate is
//! of, which firmware has a known fault, which keys are weak, and which TPMs are software.
//!
//! Facts of the outside world with their source and date, no judgement: that is `appraise`'s.
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

mod advisory;
mod authority;
mod firmware;
mod software;
mod table;
mod vendor;
mod weak_key;

pub use advisory::{ADVISORIES, Advisory, UNDECIDABLE, advisories};
pub use authority::{Authority, Kind, authority};
pub use firmware::FirmwareVersion;
pub use software::{SoftwareTpm, software_tpm};
pub use table::AUTHORITIES;
pub use vendor::Vendor;
pub use weak_key::is_roca_weak;
