//! A second start that the processor measured -> finding.

use findings::{Argument, Code, Finding};
use tpm_wire::{PcrBank, PcrSet};

use crate::claims::QuoteStatus;

/// [`PcrSet::DYNAMIC_LAUNCH`] holds ones from the start on. _TPM_Hash_Start sets them to zeros, and no software can:
/// any other value says that there was one, or that somebody with locality 2 extended PCR 17.
/// [PTP-1.05 §4.6.2] The last is no lesser thing to know of.
pub(crate) fn finding(quote: &QuoteStatus) -> Option<Finding> {
    let QuoteStatus::Verified(quote) = quote else { return None };
    let changed: PcrSet = quote.values().iter().flat_map(changed).collect();
    let first = changed.iter().next()?;
    Some(Finding::new(Code::DynamicLaunch).in_pcr(first).with("pcrs", Argument::Pcrs(changed)))
}

fn changed(bank: &PcrBank) -> impl Iterator<Item = u32> {
    let is_changed = |(index, value): &(u32, &tpm_wire::Digest)| {
        PcrSet::DYNAMIC_LAUNCH.contains(*index) && value.as_bytes().iter().any(|byte| *byte != 0xff)
    };
    bank.iter().filter(is_changed).map(|(index, _)| index)
}
