//! Which PCRs of which banks.

use core::fmt;

use crate::alg::TpmAlgId;
use crate::error::{ParseError, ParseErrorKind};
use crate::pcr::{BANKS_MAX, PcrSet};
use crate::reader::Reader;
use crate::writer::Writer;

/// TPML_PCR_SELECTION: banks in the order in which they were said, each at most once.
/// [TPM2-P2-1.59 §10.9.7] A count (UINT32), then for each bank its hash (UINT16), sizeofSelect
/// (UINT8) and the bitmap. The order counts: PCR values are hashed in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PcrSelection {
    banks: [(TpmAlgId, PcrSet); BANKS_MAX],
    n_banks: usize,
}

impl PcrSelection {
    /// No bank.
    pub const EMPTY: Self =
        Self { banks: [(TpmAlgId::NULL, PcrSet::EMPTY); BANKS_MAX], n_banks: 0 };

    /// `set` of one bank.
    #[must_use]
    pub const fn one(alg: TpmAlgId, set: PcrSet) -> Self {
        let mut banks = Self::EMPTY.banks;
        banks[0] = (alg, set);
        Self { banks, n_banks: 1 }
    }

    /// `set` of each of `algs`, in this order; `None` for more than [`BANKS_MAX`] or a repeated one.
    pub fn of_banks(algs: impl IntoIterator<Item = TpmAlgId>, set: PcrSet) -> Option<Self> {
        let mut selection = Self::EMPTY;
        for alg in algs {
            if !selection.push(alg, set) {
                return None;
            }
        }
        Some(selection)
    }

    /// Puts a bank behind the others. `false`, and nothing is changed, where the bank is there
    /// already or [`BANKS_MAX`] are.
    #[must_use]
    pub fn push(&mut self, alg: TpmAlgId, set: PcrSet) -> bool {
        if self.bank(alg).is_some() {
            return false;
        }
        match self.banks.get_mut(self.n_banks) {
            Some(slot) => {
                *slot = (alg, set);
                self.n_banks = self.n_banks.saturating_add(1);
                true
            }
            None => false,
        }
    }

    /// The banks in their order. A bank may have no PCR.
    pub fn banks(&self) -> &[(TpmAlgId, PcrSet)] {
        self.banks.get(..self.n_banks).unwrap_or(&[])
    }

    /// The PCRs of the bank of `alg`, or `None` where the bank is not named.
    pub fn bank(&self, alg: TpmAlgId) -> Option<PcrSet> {
        self.banks().iter().find(|(bank, _)| *bank == alg).map(|(_, set)| *set)
    }

    /// Whether no PCR of any bank is selected.
    pub fn is_empty(&self) -> bool {
        self.banks().iter().all(|(_, set)| set.is_empty())
    }

    /// PCRs of all banks together.
    pub fn n_pcrs(&self) -> u32 {
        self.banks().iter().map(|(_, set)| set.len()).sum()
    }

    /// Each bank and index in the order in which a TPM hashes them.
    pub fn iter(&self) -> impl Iterator<Item = (TpmAlgId, u32)> + '_ {
        self.banks().iter().flat_map(|(alg, set)| set.iter().map(move |index| (*alg, index)))
    }

    /// Reads one off the front of `from`. A bank that is named twice is refused, and so are more
    /// than [`BANKS_MAX`] banks, a sizeofSelect outside 1 to 4, and a PCR over 23. An empty bitmap
    /// is read: whether it is enough is for the caller.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, ParseError> {
        let n_banks = from.count("TPML_PCR_SELECTION.count", BANKS_MAX)?;
        let mut selection = Self::EMPTY;
        for _ in 0..n_banks {
            let field = *from;
            let alg = TpmAlgId(from.u16("TPMS_PCR_SELECTION.hash")?);
            let set = read_set(from)?;
            if !selection.push(alg, set) {
                let kind = ParseErrorKind::Duplicate { have: u64::from(alg.0) };
                return Err(field.error("TPMS_PCR_SELECTION.hash", kind));
            }
        }
        Ok(selection)
    }

    /// Writes it with three octets for each bank, as PC Client TPMs do.
    pub fn write(&self, to: &mut Writer) {
        let n_banks = u32::try_from(self.n_banks).unwrap_or(u32::MAX);
        to.u32(n_banks);
        for (alg, set) in self.banks() {
            to.u16(alg.0);
            to.u8(3);
            to.bytes(&set.to_octets());
        }
    }
}

/// TPMS_PCR_SELECTION.pcrSelect with its size. [TPM2-P2-1.59 §10.6.2]
fn read_set(from: &mut Reader<'_>) -> Result<PcrSet, ParseError> {
    let field = *from;
    let size = from.u8("TPMS_PCR_SELECTION.sizeofSelect")?;
    if !(1..=4).contains(&size) {
        let kind = ParseErrorKind::Value { have: u64::from(size) };
        return Err(field.error("TPMS_PCR_SELECTION.sizeofSelect", kind));
    }
    let field = *from;
    let octets = from.take("TPMS_PCR_SELECTION.pcrSelect", usize::from(size))?;
    let mut padded = [0; 4];
    for (to, octet) in padded.iter_mut().zip(octets) {
        *to = *octet;
    }
    let [a, b, c, over] = padded;
    if over != 0 {
        let kind = ParseErrorKind::Value { have: u64::from(u32::from_le_bytes(padded)) };
        return Err(field.error("TPMS_PCR_SELECTION.pcrSelect", kind));
    }
    Ok(PcrSet::from_octets([a, b, c]))
}

/// `sha256:0-7+sha384:0-7`, or `none` without a bank.
impl fmt::Display for PcrSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.n_banks == 0 {
            return f.write_str("none");
        }
        for (n, (alg, set)) in self.banks().iter().enumerate() {
            let plus = if n == 0 { "" } else { "+" };
            write!(f, "{plus}{alg}:{set}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PcrSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PcrSelection({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<PcrSelection, ParseError> {
        let mut from = Reader::new(bytes);
        let selection = PcrSelection::read(&mut from)?;
        from.finish("TPML_PCR_SELECTION")?;
        Ok(selection)
    }

    #[test]
    fn order_of_banks_is_kept() {
        let selection =
            PcrSelection::of_banks([TpmAlgId::SHA384, TpmAlgId::SHA256], PcrSet::FIRMWARE).unwrap();
        let mut to = Writer::new();
        selection.write(&mut to);
        let bytes = to.finish().unwrap();
        assert_eq!(bytes, [0, 0, 0, 2, 0, 0xc, 3, 0xff, 0, 0, 0, 0xb, 3, 0xff, 0, 0]);
        assert_eq!(read(&bytes), Ok(selection));
        assert_eq!(selection.to_string(), "sha384:0-7+sha256:0-7");
        let first = selection.iter().next();
        assert_eq!(first, Some((TpmAlgId::SHA384, 0)));
    }

    #[test]
    fn what_no_tpm_says_is_refused() {
        let twice = [0, 0, 0, 2, 0, 0xb, 1, 1, 0, 0xb, 1, 2];
        assert!(matches!(read(&twice).unwrap_err().kind, ParseErrorKind::Duplicate { have: 0xb }));
        let nine = [0, 0, 0, 9];
        assert!(matches!(read(&nine).unwrap_err().kind, ParseErrorKind::Limit { max: 8, have: 9 }));
        let size_0 = [0, 0, 0, 1, 0, 0xb, 0];
        assert!(matches!(read(&size_0).unwrap_err().kind, ParseErrorKind::Value { have: 0 }));
        let size_5 = [0, 0, 0, 1, 0, 0xb, 5, 0, 0, 0, 0, 0];
        assert!(matches!(read(&size_5).unwrap_err().kind, ParseErrorKind::Value { have: 5 }));
        let pcr_24 = [0, 0, 0, 1, 0, 0xb, 4, 0, 0, 0, 1];
        assert!(matches!(read(&pcr_24).unwrap_err().kind, ParseErrorKind::Value { .. }));
        let wide = [0, 0, 0, 1, 0, 0xb, 4, 1, 0, 0, 0];
        assert_eq!(read(&wide).unwrap().bank(TpmAlgId::SHA256), Some(PcrSet::EMPTY.with(0)));
    }

    #[test]
    fn a_bank_without_pcrs_is_empty_and_still_named() {
        let none = PcrSelection::one(TpmAlgId::SHA256, PcrSet::EMPTY);
        assert!(none.is_empty());
        assert_eq!(none.bank(TpmAlgId::SHA256), Some(PcrSet::EMPTY));
        assert_eq!(none.bank(TpmAlgId::SHA1), None);
    }
}
