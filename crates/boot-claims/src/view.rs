//! The replayed log with what is asked of each event again and again.

use std::borrow::Cow;

use efi::{Guid, VariableData};
use event_log::{Convention, DataCheck, Event, Format, Replayed, SeparatorValue, separator_of};
use tpm_wire::TpmAlgId;

use crate::belief::{Belief, Doubt};

/// The replayed log, and of each of its events the data check and the separator it is.
pub(crate) struct View<'r, 'l, 'a> {
    pub(crate) replayed: &'r Replayed<'l, 'a>,
    checks: Cow<'r, [DataCheck]>,
    separators: Vec<Option<SeparatorValue>>,
    /// Whether a PCR that replays has an event without a digest of the banks that it replays in.
    has_unmeasured: bool,
    /// The first event of PCR 7 that is a separator by its digest.
    pub(crate) fence7: Option<u32>,
}

impl<'r, 'l, 'a> View<'r, 'l, 'a> {
    pub(crate) fn new(replayed: &'r Replayed<'l, 'a>, checks: Cow<'r, [DataCheck]>) -> Self {
        let log = replayed.log();
        // The banks that its PCR replays in decide; where there is none, any bank of the log: the
        // event is then not believed anyway.
        let separator = |event: &Event<'_>| {
            let mut replayed = replayed.banks_of(event.pcr_index).peekable();
            match replayed.peek() {
                _ if !event.is_extended() => None,
                Some(_) => separator_of(event, replayed),
                None => separator_of(event, log.algorithms()),
            }
        };
        let separators = log
            .events()
            .iter()
            .zip(checks.iter())
            .map(|(event, check)| separator(event).filter(|_| !is_boot_order(event, *check)));
        let separators: Vec<_> = separators.collect();
        let is_fence = |(event, value): &(&Event<'_>, &Option<SeparatorValue>)| {
            event.pcr_index == 7 && value.is_some()
        };
        let fence7 = log.events().iter().zip(&separators).find(is_fence).map(|(e, _)| e.number);
        // Nearly every event has a digest of each algorithm, which its length tells.
        let n_bytes_all = match log.format() {
            Format::CryptoAgile(spec_id) => {
                spec_id.algorithms().map(|(_, len)| len.saturating_add(2)).sum()
            }
            Format::Sha1 => 20,
        };
        let mut extended = log.events().iter().filter(|event| event.is_extended());
        let has_unmeasured = extended
            .any(|event| event.digests.n_bytes() < n_bytes_all && !is_measured(replayed, event));
        Self { replayed, checks, separators, has_unmeasured, fence7 }
    }

    /// Each event that firmware says it extended, covered or not: but for those that were not, since
    /// their PCR replays without them. Such an event says nothing of a boot, and must not stand in
    /// front of one that does.
    pub(crate) fn events(&self) -> impl Iterator<Item = &'l Event<'a>> {
        let extended = self.replayed.log().events().iter().filter(|event| event.is_extended());
        extended.filter(|event| !self.has_unmeasured || is_measured(self.replayed, event))
    }

    pub(crate) fn check(&self, event: &Event<'_>) -> DataCheck {
        let i = usize::try_from(event.number).unwrap_or(usize::MAX);
        self.checks.get(i).copied().unwrap_or(DataCheck::Unverifiable)
    }

    pub(crate) fn belief(&self, event: &Event<'_>) -> Belief {
        match self.check(event) {
            DataCheck::Contradicts(_) => Belief::Contradicted,
            _ if !self.replayed.covers(event) => Belief::Unverifiable(Doubt::NotReplayed),
            DataCheck::Matches(_) => Belief::Verified,
            DataCheck::Unverifiable | DataCheck::NotMeasured => {
                Belief::Unverifiable(Doubt::DataNotMeasured)
            }
        }
    }

    /// The separator that the event is by its digest, whatever its type says.
    pub(crate) fn separator_value(&self, event: &Event<'_>) -> Option<SeparatorValue> {
        self.separators.get(usize::try_from(event.number).ok()?).copied().flatten()
    }

    /// Whether the event comes before the separator of PCR 7. Without a separator nothing does.
    pub(crate) fn is_before_fence7(&self, event: &Event<'_>) -> bool {
        self.fence7.is_some_and(|fence| event.number < fence)
    }

    /// Whether the log can have digests of SHA-256 and better at all.
    pub(crate) fn is_sha1_log(&self) -> bool {
        self.replayed.log().format() == Format::Sha1
            || !self.replayed.log().algorithms().any(TpmAlgId::is_strong_hash)
    }
}

fn is_measured(replayed: &Replayed<'_, '_>, event: &Event<'_>) -> bool {
    event.may_be_in(replayed.banks_of(event.pcr_index))
}

/// Whether `event` is the order of boot entries, measured without its name. First entry 1, then entry 0
/// are the four bytes of the separator that tells of an error; one of those is in the other PCRs, too.
fn is_boot_order(event: &Event<'_>, check: DataCheck) -> bool {
    event.pcr_index == 1
        && check == DataCheck::Matches(Convention::VariableValue)
        && VariableData::parse(event.untrusted_data)
            .is_ok_and(|variable| variable.is(Guid::GLOBAL_VARIABLE, "BootOrder"))
}
