//! The replayed log with what is asked of each event again and again.

use std::borrow::Cow;

use event_log::{DataCheck, Event, Format, Replayed, SeparatorValue, separator_of};
use tpm_wire::TpmAlgId;

use crate::belief::{Belief, Doubt};

/// The replayed log, and of each of its events the data check and the separator it is.
pub(crate) struct View<'r, 'l, 'a> {
    pub(crate) replayed: &'r Replayed<'l, 'a>,
    checks: Cow<'r, [DataCheck]>,
    separators: Vec<Option<SeparatorValue>>,
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
        let separators: Vec<_> = log.events().iter().map(separator).collect();
        let is_fence = |(event, value): &(&Event<'_>, &Option<SeparatorValue>)| {
            event.pcr_index == 7 && value.is_some()
        };
        let fence7 = log.events().iter().zip(&separators).find(is_fence).map(|(e, _)| e.number);
        Self { replayed, checks, separators, fence7 }
    }

    /// Each event that firmware says it extended, covered or not.
    pub(crate) fn events(&self) -> impl Iterator<Item = &'l Event<'a>> + use<'l, 'a> {
        self.replayed.log().events().iter().filter(|event| event.is_extended())
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
