//! Events whose digest is a separator's, whatever their type says.

use tpm_wire::{Digest, TpmAlgId};

use crate::hash::hash;
use crate::log::Event;

/// The values of EV_SEPARATOR. [PFP-1.06 §10.4.1] The four bytes are what was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeparatorValue {
    /// 00000000h: the firmware hands over.
    Zero,
    /// FFFFFFFFh: the same, of older firmware.
    Ones,
    /// 00000001h: the firmware met an error and booted nevertheless.
    Error,
}

impl SeparatorValue {
    /// Each value.
    pub const ALL: [Self; 3] = [Self::Zero, Self::Ones, Self::Error];

    /// What was hashed.
    pub const fn bytes(self) -> [u8; 4] {
        match self {
            Self::Zero => [0; 4],
            Self::Ones => [0xff; 4],
            Self::Error => [1, 0, 0, 0],
        }
    }
}

/// The digests of separators, made once for a log.
#[derive(Clone, Debug)]
pub struct SeparatorDigests {
    of: Vec<(TpmAlgId, SeparatorValue, Digest)>,
}

impl SeparatorDigests {
    /// Those of `banks`; a bank that we have no hash for is left out.
    pub fn new(banks: impl IntoIterator<Item = TpmAlgId>) -> Self {
        let of = banks.into_iter().flat_map(|alg| {
            let of_value =
                move |value: SeparatorValue| Some((alg, value, hash(alg, &[&value.bytes()])?));
            SeparatorValue::ALL.into_iter().filter_map(of_value)
        });
        Self { of: of.collect() }
    }

    /// The separator that `event` is by its digest in one of `banks`, whatever its type says.
    /// Types are not covered by a digest: a separator can be renamed, but not made to be none.
    pub fn value_of(
        &self,
        event: &Event<'_>,
        banks: impl IntoIterator<Item = TpmAlgId>,
    ) -> Option<SeparatorValue> {
        banks.into_iter().find_map(|bank| {
            let have = event.digests.of(bank)?;
            let same = |(alg, _, digest): &&(TpmAlgId, SeparatorValue, Digest)| {
                *alg == bank && digest.as_bytes() == have
            };
            self.of.iter().find(same).map(|(_, value, _)| *value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventType, LogWriter, parse};

    #[test]
    fn a_separator_is_known_by_its_digest_alone() {
        let banks = [TpmAlgId::SHA1, TpmAlgId::SHA256];
        let mut log = LogWriter::new(banks);
        log.measure(7, EventType::IPL, &[0; 4], b"looks like grub");
        log.measure(7, EventType::SEPARATOR, &[0xff; 4], &[0xff; 4]);
        log.measure(7, EventType::UNUSED, &[1, 0, 0, 0], b"an error");
        log.measure(7, EventType::SEPARATOR, &[0, 0, 0, 1], &[0, 0, 0, 1]);
        // The digest over two separators one behind the other is none.
        log.measure(7, EventType::SEPARATOR, &[0; 8], &[0; 4]);
        let bytes = log.finish();
        let log = parse(&bytes).log;
        let digests = SeparatorDigests::new(banks);
        let values: Vec<_> =
            log.events()[1..].iter().map(|event| digests.value_of(event, banks)).collect();
        let [zero, ones, error] = SeparatorValue::ALL.map(Some);
        assert_eq!(values, [zero, ones, error, None, None]);
    }
}
