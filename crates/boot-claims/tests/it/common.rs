//! From a log to claims, as a verifier would go.

use boot_claims::{Belief, BootClaims, BootPath, Part};
use event_log::{Rules, compare, parse, read_and_compare, replay};
use testkit::log::BuiltLog;
use tpm_wire::PcrBank;

/// What `read` says of the claims of `bytes` against `quoted`.
pub(crate) fn claims_with<T>(
    bytes: &[u8],
    quoted: &[PcrBank],
    rules: Rules,
    read: impl FnOnce(&BootClaims<'_>) -> T,
) -> T {
    let log = parse(bytes).log;
    let replay = replay(&log, log.algorithms());
    let comparison = compare(&log, &replay, quoted, &rules);
    read(&BootClaims::read(&comparison.replayed))
}

/// The same with the PCRs that belong to the log.
pub(crate) fn claims_of<T>(built: &BuiltLog, read: impl FnOnce(&BootClaims<'_>) -> T) -> T {
    claims_with(&built.bytes, &built.pcrs, Rules::default(), read)
}

/// What `read` says of the path of `bytes` against `quoted`.
pub(crate) fn path_with<T>(
    bytes: &[u8],
    quoted: &[PcrBank],
    read: impl FnOnce(&BootPath<'_>) -> T,
) -> T {
    read(&BootPath::read(&read_and_compare(bytes, quoted, &Rules::default(), &[])))
}

/// The same with the PCRs that belong to the log.
pub(crate) fn path_of<T>(built: &BuiltLog, read: impl FnOnce(&BootPath<'_>) -> T) -> T {
    path_with(&built.bytes, &built.pcrs, read)
}

/// A command line with its event, and whether that is what was measured.
pub(crate) type Line = (u32, String, Belief);

/// The command lines of a path.
pub(crate) fn command_lines(path: &BootPath<'_>) -> Vec<Line> {
    let lines = path.steps.iter().filter_map(|step| match step.part {
        Part::CommandLine { text, .. } => Some((step.event, text.to_string(), step.belief)),
        _ => None,
    });
    lines.collect()
}
