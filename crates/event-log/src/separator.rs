//! Events whose digest is a separator's, whatever their type says.

use std::sync::LazyLock;

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

/// The banks that we have a hash for, each with the digests of [`SeparatorValue::ALL`].
static DIGESTS: LazyLock<Vec<(TpmAlgId, [Digest; 3])>> = LazyLock::new(|| {
    let digests = TpmAlgId::HASHES.into_iter().filter_map(|alg| {
        let [zero, ones, error] = SeparatorValue::ALL.map(|value| hash(alg, &[&value.bytes()]));
        Some((alg, [zero?, ones?, error?]))
    });
    digests.collect()
});

/// The separator that `event` is by its digest in one of `banks`, whatever its type says.
/// Types are not covered by a digest: a separator can be renamed, but not made to be none.
pub fn separator_of(
    event: &Event<'_>,
    banks: impl IntoIterator<Item = TpmAlgId>,
) -> Option<SeparatorValue> {
    banks.into_iter().find_map(|bank| {
        let have = event.digests.of(bank)?;
        let (_, digests) = DIGESTS.iter().find(|(alg, _)| *alg == bank)?;
        // This is asked of each event; the first byte settles nearly all.
        let is_it = |(digest, _): &(&Digest, SeparatorValue)| {
            digest.as_bytes().first() == have.first() && digest.as_bytes() == have
        };
        digests.iter().zip(SeparatorValue::ALL).find(is_it).map(|(_, value)| value)
    })
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
        let values: Vec<_> =
            log.events()[1..].iter().map(|event| separator_of(event, banks)).collect();
        let [zero, ones, error] = SeparatorValue::ALL.map(Some);
        assert_eq!(values, [zero, ones, error, None, None]);
    }
}
