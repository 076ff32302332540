//! The end of boot services, which firmware measures into PCR 5 when loaders and kernels have taken their copy of
//! the log: one that does not look into the table of final events hands over a log without it.

use tpm_wire::{Digest, TpmAlgId};

use crate::hash::{extend, hash};
use crate::log::{Event, Log};
use crate::untrusted::KnownAction::{
    self, ExitBootServicesFailed as Failed, ExitBootServicesInvocation as Invoked,
    ExitBootServicesSucceeded as Succeeded,
};

/// The PCR of it. [PFP-1.06 §10.4.4]
const PCR_INDEX: u32 = 5;

/// What is measured of it: firmware that tells of the call alone, calls that succeed, and those that had to be made
/// again, since the map of memory had changed. More than two failures nobody has seen. [UEFI-2.10 §7.4.6]
const COURSES: [&[KnownAction]; 4] = [
    &[Invoked],
    &[Invoked, Succeeded],
    &[Invoked, Failed, Invoked, Succeeded],
    &[Invoked, Failed, Invoked, Failed, Invoked, Succeeded],
];

/// The end of boot services is in PCR 5, and not or not all of it in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnloggedExit {
    /// The bank.
    pub alg: TpmAlgId,
    /// How many events the log lacks.
    pub n_events: u32,
    /// Number of the last event that it has of this PCR.
    pub last_event: u32,
}

impl UnloggedExit {
    /// The PCR that it is about.
    pub const PCR_INDEX: u32 = PCR_INDEX;

    /// What the log lacks, where all its events of PCR 5 and a whole end of boot services lead to `quoted`. Each of
    /// its own events of that end has its place in it, so that no event counts that was not extended.
    pub(crate) fn of(
        log: &Log<'_>,
        alg: TpmAlgId,
        pcr_index: u32,
        quoted: &Digest,
    ) -> Option<Self> {
        if pcr_index != PCR_INDEX {
            return None;
        }
        let of_pcr = || {
            let is_of = |event: &&Event<'_>| event.pcr_index == pcr_index && event.is_extended();
            log.events().iter().filter(is_of)
        };
        let last_event = of_pcr().next_back()?.number;
        let digests: Vec<&[u8]> = of_pcr().filter_map(|event| event.digests.of(alg)).collect();
        let measured = |action: KnownAction| hash(alg, &[action.text().as_bytes()]);
        let texts = [measured(Invoked)?, measured(Failed)?, measured(Succeeded)?];
        let is_exit = |digest: &&&[u8]| texts.iter().any(|text| text.as_bytes() == **digest);
        let n_logged = digests.iter().rev().take_while(is_exit).count();
        let (before, logged) = digests.split_at(digests.len().saturating_sub(n_logged));
        let extended = |from: &Digest, digests: &[&[u8]]| {
            let mut value = *from;
            let mut all = digests.iter();
            all.all(|digest| extend(alg, value.as_mut_bytes(), digest)).then_some(value)
        };
        let before = extended(&Digest::filled(0, alg.digest_len()?)?, before)?;
        COURSES.iter().find_map(|course| {
            let course: Vec<Digest> = course.iter().copied().filter_map(measured).collect();
            let course: Vec<&[u8]> = course.iter().map(Digest::as_bytes).collect();
            let n_lacking = course.len().checked_sub(logged.len()).filter(|n| *n > 0)?;
            let mut rest = course.iter();
            let in_order = logged.iter().all(|digest| rest.any(|other| other == digest));
            let n_events = u32::try_from(n_lacking).ok()?;
            let leads = in_order && extended(&before, &course)? == *quoted;
            leads.then_some(Self { alg, n_events, last_event })
        })
    }
}
