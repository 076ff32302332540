//! Event logs: read, write back, replay, compare, what booted.

use boot_claims::{ATTEMPTS_MAX, BootClaims, BootPath, DRIVERS_MAX, STEPS_MAX};
use event_log::untrusted::EventData;
use event_log::{
    BankTrust, LOG_BYTES_MAX, Rules, UnloggedExits, check_data, compare, encode, parse,
    read_and_compare, repeated_tail, replay,
};
use tpm_wire::{PcrBank, PcrSet, TpmAlgId};

/// A log that was read whole is written back byte for byte; no event lies outside of the log; and
/// compared with the PCRs that it adds up to itself, no PCR differs.
pub(crate) fn event_log(bytes: &[u8]) {
    let parsed = parse(bytes);
    let log = &parsed.log;
    if parsed.problems.is_empty() {
        assert!(bytes.len() <= LOG_BYTES_MAX && !log.events().is_empty());
        assert_eq!(encode(log), bytes, "written as it was read");
    }
    let mut end = 0;
    for event in log.events() {
        assert!(event.offset >= end, "events lie one behind the other");
        end = event.offset + event.untrusted_data.len();
        assert!(end <= bytes.len());
        assert!(event.pcr_index < 24 || !event.is_extended());
        super::show(event);
        super::show(&event.digests);
        super::show(&check_data(event, |_| true));
        let data = EventData::read(event, log.format());
        assert_eq!(data.to_bytes(), event.untrusted_data, "data is written as it was read");
        assert!(!data.to_string().contains(char::is_control), "{data}");
    }
    if let Some(tail) = repeated_tail(log) {
        assert_eq!(usize::try_from(tail.first_event + tail.n_events), Ok(log.events().len()));
    }
    let replay = replay(log, TpmAlgId::HASHES);
    let values: Vec<PcrBank> = replay.banks().cloned().collect();
    let rules = Rules {
        continued: PcrSet::EMPTY,
        banks: BankTrust::PermitWeak,
        unlogged_exits: UnloggedExits::Permitted,
    };
    let comparison = compare(log, &replay, &values, &rules);
    assert_eq!((&comparison.mismatches[..], &comparison.continued[..]), (&[][..], &[][..]));
    super::show(&BootClaims::read(&comparison.replayed));
    let path = BootPath::read(&read_and_compare(bytes, &values, &rules, &[]));
    assert!(path.steps.len() <= DRIVERS_MAX + STEPS_MAX && path.attempts.len() <= ATTEMPTS_MAX);
    super::show(&path);
    parsed.problems.iter().for_each(|problem| drop(problem.to_string()));
    replay.startup_problems.iter().for_each(|problem| drop(problem.to_string()));
}
