//! Private keys in PEM. [RFC7468 §10]

use crate::{Removed, Secret};

const BEGIN: &str = "-----BEGIN ";
const IS_PRIVATE: &str = "PRIVATE KEY-----";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Lines that a key may have: one of RSA-16384 has below 200. Where a log was cut inside a key, what
/// comes after it is seen again from there.
const LINES_MAX: u16 = 400;

/// Takes keys out of line after line.
#[derive(Debug, Default)]
pub(crate) struct PrivateKeys {
    /// Lines that may still be of the key that has begun.
    inside: Option<u16>,
}

impl PrivateKeys {
    /// The line without keys; `None` where all of it is one's.
    pub(crate) fn take_out(&mut self, line: &str, removed: &mut Removed) -> Option<String> {
        let mut kept = String::new();
        let mut rest = line;
        if let Some(left) = self.inside {
            match behind_end(rest) {
                Some(behind) => {
                    self.inside = None;
                    if behind.trim().is_empty() {
                        return None;
                    }
                    rest = behind;
                }
                None => {
                    self.inside = left.checked_sub(1);
                    return None;
                }
            }
        }
        while let Some((front, inner)) = begin(rest) {
            kept.push_str(front);
            kept.push_str(&Secret::PrivateKey.mark());
            removed.count(Secret::PrivateKey);
            match behind_end(inner) {
                Some(behind) => rest = behind,
                None => {
                    self.inside = Some(LINES_MAX);
                    return Some(kept);
                }
            }
        }
        kept.push_str(rest);
        Some(kept)
    }
}

/// What stands before the beginning of a private key, and what stands behind it.
fn begin(line: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(at) = line.get(from..)?.find(BEGIN).map(|at| from + at) {
        let name = line.get(at + BEGIN.len()..)?;
        let label = name.find(DASHES).and_then(|end| name.get(..end + DASHES.len()));
        if label.is_some_and(|label| label.ends_with(IS_PRIVATE)) {
            return Some((line.get(..at)?, name));
        }
        from = at + BEGIN.len();
    }
    None
}

fn behind_end(line: &str) -> Option<&str> {
    let label = line.get(line.find(END)? + END.len()..)?;
    label.get(label.find(DASHES)? + DASHES.len()..)
}
