//! What several test programs need: a TPM in software, and the way to recorded evidence.
#![expect(dead_code, reason = "each test program uses a part of it")]
#![expect(unreachable_pub, reason = "a module that is compiled into each test program")]

pub mod ca;
pub mod tpm;

use std::path::PathBuf;

/// The recorded evidence, or `None` (and a line that says so) where it is not there.
#[expect(clippy::print_stderr, reason = "a test that does nothing has to say so")]
pub fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("BOOTPROOF_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        eprintln!("skipped: BOOTPROOF_CORPUS is not set");
    }
    corpus
}
