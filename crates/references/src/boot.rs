//! The boot that is compared.

use event_log::{Event, Log};
use tpm_wire::{PcrBank, PcrSet, TpmAlgId};

/// A boot log with what the quote says of it.
///
/// Trust: `quoted` must come out of a verified quote, and `replayed` out of the comparison of this
/// `log` with it.
#[derive(Clone, Copy, Debug)]
pub struct Boot<'b, 'a> {
    /// The log.
    pub log: &'b Log<'a>,
    /// PCRs that have events and replay, per bank.
    pub replayed: &'b [(TpmAlgId, PcrSet)],
    /// The quoted values.
    pub quoted: &'b [PcrBank],
}

impl<'b, 'a> Boot<'b, 'a> {
    /// The strong banks in which the events of `pcr_index` replay. A weak bank proves nothing.
    pub(crate) fn banks_of(self, pcr_index: u32) -> impl Iterator<Item = TpmAlgId> + 'b {
        let banks = self.replayed.iter();
        banks
            .filter(move |(alg, pcrs)| alg.is_strong_hash() && pcrs.contains(pcr_index))
            .map(|(alg, _)| *alg)
    }

    /// Whether `pcr_index` is quoted in a strong bank, and was never extended in one.
    pub(crate) fn is_untouched(self, pcr_index: u32) -> bool {
        let strong = self.quoted.iter().filter(|bank| bank.alg().is_strong_hash());
        let mut values = strong.filter_map(|bank| bank.get(pcr_index)).peekable();
        values.peek().is_some() && values.all(tpm_wire::Digest::is_zero)
    }

    /// The events that the TPM says to have been extended with, if their PCR replays.
    pub(crate) fn events(self) -> impl Iterator<Item = &'b Event<'a>> {
        self.log.events().iter().filter(|event| event.is_extended())
    }
}
