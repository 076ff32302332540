//! Recorded evidence: the folder that BOOTPROOF_CORPUS names.

use std::path::PathBuf;

/// The folder; `None`, and a line that says so, where there is none.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn root() -> Option<PathBuf> {
    let root = std::env::var_os("BOOTPROOF_CORPUS").map(PathBuf::from);
    if root.is_none() {
        eprintln!("skipped: BOOTPROOF_CORPUS is not set");
    }
    root
}

/// One folder of it, by its path below the root.
pub fn folder(below: &str) -> Option<PathBuf> {
    root().map(|root| root.join(below))
}
