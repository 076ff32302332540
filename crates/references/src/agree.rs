//! The pass over a log that decides; what it finds to differ is explained elsewhere.

use event_log::Event;
use tpm_wire::{PCR_COUNT, PcrSet, TpmAlgId};

use crate::baseline::{Baseline, IMAGE_PCR};
use crate::boot::Boot;
use crate::content::{Expected, ExpectedImage};

/// In which PCRs a boot is what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Equal, event by event.
    pub equal: PcrSet,
    /// Not equal.
    pub differing: PcrSet,
    /// The boot does not tell: the PCR has events and does not replay, is not quoted, or there is
    /// no bank of SHA-256 or better that both have.
    pub incomparable: PcrSet,
}

impl Agreement {
    /// The same of these PCRs only.
    #[must_use]
    pub fn within(self, pcrs: PcrSet) -> Self {
        Self {
            equal: self.equal.intersection(pcrs),
            differing: self.differing.intersection(pcrs),
            incomparable: self.incomparable.intersection(pcrs),
        }
    }

    /// Whether the boot is what is expected. Nothing compared is no agreement.
    pub fn is_match(&self) -> bool {
        self.differing.is_empty() && self.incomparable.is_empty() && !self.equal.is_empty()
    }
}

/// How the events of a boot are held against those that are expected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As the log has them: what it calls another type is another event.
    ByType,
    /// By what the TPM was extended with alone. What the log says beyond that, and what it leaves out,
    /// speaks neither for nor against the boot.
    ByDigests,
}

/// Where one PCR stands in the pass.
#[derive(Clone, Copy, Default)]
struct Cursor {
    n_events: usize,
    differs: bool,
}

impl Baseline {
    /// Compares `boot` with what is expected of `pcrs`, in one pass over the log.
    pub fn agrees(&self, boot: &Boot<'_, '_>, pcrs: PcrSet) -> Agreement {
        self.read(boot, pcrs, Reading::ByType)
    }

    /// The same for what is refused: a boot must not become another one because the log gives an event
    /// another type, has one more that was not measured, or leaves those of a PCR out.
    pub fn agrees_by_digests(&self, boot: &Boot<'_, '_>, pcrs: PcrSet) -> Agreement {
        self.read(boot, pcrs, Reading::ByDigests)
    }

    fn read(&self, boot: &Boot<'_, '_>, pcrs: PcrSet, reading: Reading) -> Agreement {
        let complete = self.content().complete;
        let looked_at = pcrs.intersection(complete);
        let banks: [Banks; PCR_COUNT] = core::array::from_fn(|at| {
            let pcr = u32::try_from(at).unwrap_or(u32::MAX);
            if looked_at.contains(pcr) { Banks::common(self, boot, pcr) } else { Banks::default() }
        });
        let mut cursors = [Cursor::default(); PCR_COUNT];
        for event in boot.events().filter(|event| looked_at.contains(event.pcr_index)) {
            if reading == Reading::ByDigests && !event.may_be_in(boot.banks_of(event.pcr_index)) {
                continue;
            }
            let Ok(at) = usize::try_from(event.pcr_index) else { continue };
            let (Some(cursor), Some(banks)) = (cursors.get_mut(at), banks.get(at)) else {
                continue;
            };
            let expected = self.event_of(event.pcr_index, cursor.n_events);
            cursor.differs |= expected.is_none_or(|expected| match reading {
                Reading::ByType => !banks.is_same(expected, event),
                Reading::ByDigests => !banks.is_same_digest(expected, event),
            });
            cursor.n_events = cursor.n_events.saturating_add(1);
        }
        let none = PcrSet::EMPTY;
        let mut agreement = Agreement { equal: none, differing: none, incomparable: none };
        for ((pcr, cursor), banks) in (0..).zip(&cursors).zip(&banks) {
            if !looked_at.contains(pcr) {
                continue;
            }
            let n_expected = self.events_of(pcr).len();
            let is_same = !cursor.differs && cursor.n_events == n_expected;
            let set = match (n_expected, cursor.n_events) {
                (0, 0) if boot.is_untouched(pcr) => &mut agreement.equal,
                (0, 0) => &mut agreement.incomparable,
                (_, 0) if reading == Reading::ByDigests && !boot.is_untouched(pcr) => {
                    &mut agreement.incomparable
                }
                (_, 0) => &mut agreement.differing,
                (0, _) if boot.banks_of(pcr).next().is_some() => &mut agreement.differing,
                (0, _) => &mut agreement.incomparable,
                _ if banks.n == 0 => &mut agreement.incomparable,
                _ if is_same => &mut agreement.equal,
                _ => &mut agreement.differing,
            };
            *set = set.with(pcr);
        }
        self.agree_values(boot, pcrs, &mut agreement);
        if pcrs.contains(IMAGE_PCR)
            && !complete.contains(IMAGE_PCR)
            && !self.content().images.is_empty()
        {
            self.agree_images(boot, &mut agreement);
        }
        agreement
    }

    fn agree_values(&self, boot: &Boot<'_, '_>, pcrs: PcrSet, agreement: &mut Agreement) {
        let values = &self.content().values;
        let named: PcrSet = values.iter().map(|value| value.pcr_index).collect();
        for pcr in named.intersection(pcrs).iter() {
            let of_pcr = values.iter().filter(|value| value.pcr_index == pcr);
            let mut known = of_pcr
                .filter_map(|value| {
                    let bank = boot.quoted.iter().find(|bank| bank.alg() == value.alg)?;
                    Some(value.any_of.contains(bank.get(pcr)?))
                })
                .peekable();
            let is_known = known.peek().is_some();
            match (is_known, known.all(|fits| fits)) {
                (false, _) => agreement.incomparable = agreement.incomparable.with(pcr),
                (true, false) => agreement.differing = agreement.differing.with(pcr),
                (true, true) => agreement.equal = agreement.equal.with(pcr),
            }
        }
        let not_equal = agreement.differing.union(agreement.incomparable);
        agreement.equal = agreement.equal.minus(not_equal);
    }

    /// PCR 4 may hold what firmware says of itself, separators, and the images, of which one must
    /// be there.
    fn agree_images(&self, boot: &Boot<'_, '_>, agreement: &mut Agreement) {
        let mut n_images = 0usize;
        let mut differs = false;
        for event in boot.events().filter(|event| event.pcr_index == IMAGE_PCR) {
            match self.image_of(boot, event) {
                Ok(Some(_)) => n_images = n_images.saturating_add(1),
                Ok(None) => {}
                Err(Unexpected) => differs = true,
            }
        }
        let is_told = boot.banks_of(IMAGE_PCR).next().is_some();
        let set = match (is_told, differs || n_images == 0) {
            (false, _) => &mut agreement.incomparable,
            (true, true) => &mut agreement.differing,
            (true, false) => &mut agreement.equal,
        };
        *set = set.with(IMAGE_PCR);
    }

    /// The image that `event` of PCR 4 is; `None` where it is a separator or an action, and its
    /// digest says so.
    pub(crate) fn image_of(
        &self,
        boot: &Boot<'_, '_>,
        event: &Event<'_>,
    ) -> Result<Option<&ExpectedImage>, Unexpected> {
        let known = self.content().images.iter().find(|image| {
            let mut n = 0usize;
            let same = boot.banks_of(IMAGE_PCR).all(|alg| {
                let expected = image.digests.iter().find(|(have, _)| *have == alg);
                expected.is_none_or(|(_, digest)| {
                    n = n.saturating_add(1);
                    event.digests.of(alg) == Some(digest.as_bytes())
                })
            });
            same && n > 0
        });
        match known {
            Some(image) => Ok(Some(image)),
            None if is_of_firmware(boot, event) => Ok(None),
            None => Err(Unexpected),
        }
    }
}

/// An event of PCR 4 that is no expected image and nothing else that may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unexpected;

/// Whether the digests of `event` are those of a separator or of an action that a specification
/// names: no program.
fn is_of_firmware(boot: &Boot<'_, '_>, event: &Event<'_>) -> bool {
    use event_log::untrusted::KnownAction;
    let mut banks = boot.banks_of(event.pcr_index).peekable();
    let is = |bytes: &[u8]| {
        let mut banks = boot.banks_of(event.pcr_index);
        banks.all(|alg| match event_log::hash(alg, &[bytes]) {
            Some(digest) => event.digests.of(alg) == Some(digest.as_bytes()),
            None => false,
        })
    };
    let texts = KnownAction::ALL.iter().map(|action| action.text().as_bytes());
    banks.peek().is_some() && (is(&[0; 4]) || is(&[0xff; 4]) || texts.into_iter().any(is))
}

/// The strong banks that a PCR replays in and that the baseline has digests of.
#[derive(Clone, Copy, Default)]
pub(crate) struct Banks {
    algs: [Option<TpmAlgId>; tpm_wire::BANKS_MAX],
    pub(crate) n: usize,
}

impl Banks {
    pub(crate) fn common(baseline: &Baseline, boot: &Boot<'_, '_>, pcr_index: u32) -> Self {
        let expected = baseline.banks_of(pcr_index);
        let mut banks = Self::default();
        for alg in boot.banks_of(pcr_index).filter(|alg| expected.contains(alg)) {
            if let Some(slot) = banks.algs.get_mut(banks.n) {
                *slot = Some(alg);
                banks.n = banks.n.saturating_add(1);
            }
        }
        banks
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = TpmAlgId> {
        self.algs.iter().copied().flatten()
    }

    /// Whether `event` is the expected one: its type, and its digest in each of these banks.
    pub(crate) fn is_same(&self, expected: &Expected, event: &Event<'_>) -> bool {
        expected.event_type == event.untrusted_event_type && self.is_same_digest(expected, event)
    }

    fn is_same_digest(&self, expected: &Expected, event: &Event<'_>) -> bool {
        self.n > 0
            && self.iter().all(|alg| {
                let digest = expected.digests.iter().find(|(have, _)| *have == alg);
                digest.is_some_and(|(_, digest)| event.digests.of(alg) == Some(digest.as_bytes()))
            })
    }
}
