//! Events whose digest is a separator's, whatever their type says.

use tpm_wire::TpmAlgId;

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

/// The separator that `event` is by its digest, whatever its type says: by the first of `banks`
/// that it has a digest in. Types are not covered by a digest, so a separator can be renamed, but
/// not made to be none.
pub fn separator_value(
    event: &Event<'_>,
    banks: impl IntoIterator<Item = TpmAlgId>,
) -> Option<SeparatorValue> {
    banks.into_iter().find_map(|alg| {
        let digest = event.digests.of(alg)?;
        SeparatorValue::ALL.into_iter().find(|value| {
            hash(alg, &[&value.bytes()]).is_some_and(|hashed| hashed.as_bytes() == digest)
        })
    })
}
