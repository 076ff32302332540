//! PCR indices, sets, selections and values.

use core::fmt;

use crate::alg::{Digest, TpmAlgId};

/// PCRs of a PC Client TPM: 0 to 23. [PTP-1.05 §4.6] Others are refused wherever they occur.
pub const PCR_COUNT: usize = 24;

/// Banks in one selection or one set of values. The registry has eight hashes; more is an attack.
pub const BANKS_MAX: usize = 8;

/// A set of PCR indices of one bank, 0 to 23.
///
/// ```
/// use tpm_wire::PcrSet;
///
/// let set = PcrSet::FIRMWARE.with(9).with(14);
/// assert_eq!(set.to_string(), "0-7,9,14");
/// assert!(set.contains_all(PcrSet::FIRMWARE));
/// assert_eq!(PcrSet::from_octets(set.to_octets()), set);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PcrSet(u32);

impl PcrSet {
    /// No PCR.
    pub const EMPTY: Self = Self(0);
    /// PCR 0 to 7: firmware and Secure Boot. The least that a verdict needs.
    pub const FIRMWARE: Self = Self(0xff);
    /// PCR 17 to 22, that only a dynamic launch sets back. [PTP-1.05 §4.6.2]
    pub const DYNAMIC_LAUNCH: Self = Self(0x7e_0000);
    /// All that the log of a boot can name: but for 16 and 23, which are for tests and applications.
    pub const NAMED_BY_LOGS: Self = Self(0x7e_ffff);
    /// PCR 0 to 23.
    pub const ALL: Self = Self(0xff_ffff);

    /// The three octets of TPMS_PCR_SELECTION.pcrSelect, PCR 0 the lowest bit of the first.
    pub const fn from_octets(octets: [u8; 3]) -> Self {
        Self(u32::from_le_bytes([octets[0], octets[1], octets[2], 0]))
    }

    /// As TPMS_PCR_SELECTION.pcrSelect.
    pub const fn to_octets(self) -> [u8; 3] {
        let [a, b, c, _] = self.0.to_le_bytes();
        [a, b, c]
    }

    /// This set and `index`; an index over 23 changes nothing.
    #[must_use]
    pub fn with(self, index: u32) -> Self {
        if index < 24 { Self(self.0 | 1 << index) } else { self }
    }

    /// This set without `index`.
    #[must_use]
    pub fn without(self, index: u32) -> Self {
        if index < 24 { Self(self.0 & !(1 << index)) } else { self }
    }

    /// Whether `index` is in the set.
    pub fn contains(self, index: u32) -> bool {
        index < 24 && self.0 & (1 << index) != 0
    }

    /// Whether each of `other` is in this set.
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// PCRs of this set or of `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// PCRs of both this set and `other`.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// PCRs of this set that are not in `other`.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The indices, ascending.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..24).filter(move |index| self.contains(*index))
    }
}

impl FromIterator<u32> for PcrSet {
    fn from_iter<I: IntoIterator<Item = u32>>(indices: I) -> Self {
        indices.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// As people write it: `0-7,9,14`; `none` where empty.
impl fmt::Display for PcrSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let mut separator = "";
        let mut index = 0;
        while index < 24 {
            if !self.contains(index) {
                index += 1;
                continue;
            }
            let first = index;
            while self.contains(index) {
                index += 1;
            }
            match index - 1 - first {
                0 => write!(f, "{separator}{first}")?,
                1 => write!(f, "{separator}{first},{}", index - 1)?,
                _ => write!(f, "{separator}{first}-{}", index - 1)?,
            }
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for PcrSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PcrSet({self})")
    }
}

/// The values of one bank, as somebody says them; an index that was not said is `None`.
#[derive(Clone, PartialEq, Eq)]
pub struct PcrBank {
    alg: TpmAlgId,
    values: [Option<Digest>; PCR_COUNT],
}

impl PcrBank {
    /// A bank without values.
    pub const fn new(alg: TpmAlgId) -> Self {
        Self { alg, values: [None; PCR_COUNT] }
    }

    /// The bank's hash algorithm.
    pub const fn alg(&self) -> TpmAlgId {
        self.alg
    }

    /// The value of `index`, where it is known.
    pub fn get(&self, index: u32) -> Option<&Digest> {
        self.values.get(usize::try_from(index).ok()?)?.as_ref()
    }

    /// The bytes of the value of `index`, to be changed in place, where it is known.
    pub fn value_mut(&mut self, index: u32) -> Option<&mut [u8]> {
        let slot = self.values.get_mut(usize::try_from(index).ok()?)?;
        slot.as_mut().map(Digest::as_mut_bytes)
    }

    /// Sets the value of `index`. `false`, and nothing is changed, where the index is over 23 or
    /// the value has not the length of the bank's hash.
    #[must_use]
    pub fn set(&mut self, index: u32, value: Digest) -> bool {
        if self.alg.digest_len() != Some(value.as_bytes().len()) {
            return false;
        }
        let Ok(index) = usize::try_from(index) else { return false };
        match self.values.get_mut(index) {
            Some(slot) => {
                *slot = Some(value);
                true
            }
            None => false,
        }
    }

    /// The indices that have a value.
    pub fn present(&self) -> PcrSet {
        (0..24).filter(|index| self.get(*index).is_some()).collect()
    }

    /// Index and value of those that have one, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Digest)> {
        (0..24).filter_map(|index| Some((index, self.get(index)?)))
    }
}

impl fmt::Debug for PcrBank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcrBank").field("alg", &self.alg).field("present", &self.present()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_as_people_write_them() {
        let set: PcrSet = [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 14].into_iter().collect();
        assert_eq!(set.to_string(), "0-7,9,11,12,14");
        assert_eq!(PcrSet::EMPTY.to_string(), "none");
        assert_eq!(PcrSet::ALL.to_string(), "0-23");
        assert_eq!(PcrSet::EMPTY.with(24), PcrSet::EMPTY);
        assert_eq!(PcrSet::from_octets(set.to_octets()), set);
    }

    #[test]
    fn a_bank_takes_only_values_of_its_length() {
        let mut bank = PcrBank::new(TpmAlgId::SHA256);
        assert!(!bank.set(0, Digest::filled(0, 20).unwrap()));
        assert!(!bank.set(24, Digest::filled(0, 32).unwrap()));
        assert!(bank.set(23, Digest::filled(7, 32).unwrap()));
        assert_eq!(bank.present(), PcrSet::EMPTY.with(23));
    }
}
