//! A support bundle: logs, settings, facts and findings in one `.tar.gz`, for somebody who helps.
//!
//! [`Bundle`] takes files one by one and lets nothing in as it is: logs and documents go through
//! [`redaction::text`], settings through an allow-list. The exception has a name, [`Bundle::verbatim`]:
//! evidence is of use only as it was. `MANIFEST.json` has each file with its digest, what was removed,
//! and what was left out. `bootproof diagnose` reads the archive as it is.
//!
//! Layout: `MANIFEST.json`, `facts.json`, `findings.json`, `doctor.json`, `logs/*.log`, `config/…`,
//! `evidence/…`.

mod bundle;
mod document;
mod journal;
mod name;
mod tail;
mod tar;

pub use bundle::{Bundle, BundleError, Maker, Written};
pub use journal::{Journal, kernel, unit};
pub use name::file_name;
pub use tail::{LOG_BYTES_MAX, tail};
