//! What a log costs, before it is paid.

use tpm_wire::TpmAlgId;

use crate::hash::is_supported;
use crate::log::Log;

/// What hashing one log may cost, in blocks of SHA-256. A log of 4 MiB whose data is hashed three
/// times in the bank of SHA-256 is below it, real logs of 200 KiB in four banks cost a tenth of it,
/// and with it no log costs more than about 25 ms of a processor that has instructions for SHA-256.
/// The hashes of four banks alone cost more than that for 4 MiB of data.
pub const WORK_MAX: u64 = 300_000;

/// Conventions that the data of an event is tried under, in the first bank.
const CONVENTIONS_MAX: u64 = 3;

/// What hashing 64 bytes costs, in blocks of SHA-256, as measured.
const fn weight(alg: TpmAlgId) -> u64 {
    match alg {
        TpmAlgId::SHA1 | TpmAlgId::SHA256 => 1,
        TpmAlgId::SHA384 | TpmAlgId::SHA512 => 3,
        // SM3, for which processors have no instructions.
        _ => 6,
    }
}

/// The most that replaying `log` in `banks` and checking its data there can cost, in blocks of
/// SHA-256.
pub(crate) fn work(log: &Log<'_>, banks: impl Iterator<Item = TpmAlgId>) -> u64 {
    // Nine bytes of padding, to whole blocks.
    let blocks = |n_bytes: usize| u64::try_from(n_bytes / 64).unwrap_or(u64::MAX).saturating_add(2);
    let extended = log.events().iter().filter(|event| event.is_extended());
    let (mut n_events, mut n_blocks) = (0u64, 0u64);
    for event in extended {
        n_events = n_events.saturating_add(1);
        n_blocks = n_blocks.saturating_add(blocks(event.untrusted_data.len()));
    }
    let supported = banks.filter(|alg| is_supported(*alg));
    let of_bank = |(i, alg): (usize, TpmAlgId)| {
        let n_times = if i == 0 { CONVENTIONS_MAX } else { 1 };
        let extends = n_events.saturating_mul(2);
        weight(alg).saturating_mul(n_blocks.saturating_mul(n_times).saturating_add(extends))
    };
    supported.enumerate().map(of_bank).fold(0, u64::saturating_add)
}
