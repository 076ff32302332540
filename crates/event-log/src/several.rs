//! Several logs behind one another: what some systems keep of earlier boots, in one report.

use crate::log::Parsed;
use crate::parse::{padding_run, parse_padded};
use crate::problem::ProblemKind;

/// The logs that `bytes` holds, in order, each up to where the next one's Spec ID event begins. The
/// last is that of the current boot: whoever collects logs appends. One log is one piece, whatever
/// is wrong with it.
pub fn split_logs(bytes: &[u8]) -> Vec<&[u8]> {
    let mut logs = Vec::new();
    let mut left = bytes;
    let run = padding_run(bytes);
    while let Some((log, next)) = next_log(&parse_padded(left, run), left) {
        logs.push(log);
        left = next;
    }
    logs.push(left);
    logs
}

/// Reads the last log that `bytes` holds, and says how many lie before it. Offsets count from where
/// that log begins.
pub fn parse_last(bytes: &[u8]) -> (Parsed<'_>, LogPlace) {
    let mut place = LogPlace { n_earlier: 0, offset: 0, n_bytes: bytes.len() };
    let mut left = bytes;
    let run = padding_run(bytes);
    loop {
        let parsed = parse_padded(left, run);
        let Some((_, next)) = next_log(&parsed, left) else { return (parsed, place) };
        left = next;
        place = LogPlace {
            n_earlier: place.n_earlier.saturating_add(1),
            offset: bytes.len().saturating_sub(next.len()),
            n_bytes: next.len(),
        };
    }
}

/// Where among several logs one lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// Logs before it.
    pub n_earlier: usize,
    /// Where it begins, in bytes.
    pub offset: usize,
    /// Its bytes.
    pub n_bytes: usize,
}

/// What `parsed` was read of, and what is behind it, where another log begins there.
fn next_log<'a>(parsed: &Parsed<'a>, bytes: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let another = parsed.problems.iter().find(|found| found.kind == ProblemKind::AnotherLog)?;
    // Never of no byte: what is read next would be the same.
    bytes.split_at_checked(another.offset).filter(|(log, _)| !log.is_empty())
}
