//! From a log to claims, as a verifier would go.

use boot_claims::BootClaims;
use event_log::{Rules, compare, parse, replay};
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
