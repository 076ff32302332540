//! The first entry: what ties a list to the boot before it.

use event_log::hash;
use tpm_wire::{Digest, PcrBank, TpmAlgId};

use crate::replay::Replayed;

/// The name of the first entry.
const NAME: &[u8] = b"boot_aggregate";

/// Whether a list belongs to the boot that the quote stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootAggregate {
    /// Its first entry is the hash over these PCRs, from 0, as they were quoted.
    Matches {
        /// The bank.
        alg: TpmAlgId,
        /// The last PCR: 7, or 9 where the kernel takes those of the boot loader along.
        last_pcr: u32,
    },
    /// The quoted values give another hash: the list is of another boot, or a PCR was extended
    /// after IMA began.
    Differs,
    /// Its first entry is zeros: IMA began before the TPM was there.
    Zero,
    /// The PCRs were not quoted in the bank that it is of, or the hash is none of ours.
    NotQuoted,
    /// The first covered entry is not the boot aggregate.
    Missing,
}

/// Compares the first covered entry with the `quoted` PCRs 0 to 7, and 0 to 9: a kernel of 5.8 or
/// later takes PCR 8 and 9 along in each bank but that of SHA-1. [LINUX-IMA boot_aggregate]
pub fn boot_aggregate(replayed: &Replayed<'_, '_>, quoted: &[PcrBank]) -> BootAggregate {
    let Some(first) = replayed.entries().next() else { return BootAggregate::Missing };
    let Some(measured) = first.measured().filter(|measured| measured.name == NAME) else {
        return BootAggregate::Missing;
    };
    let Some(digest) = measured.digest else { return BootAggregate::Missing };
    if digest.bytes.iter().all(|byte| *byte == 0) {
        return BootAggregate::Zero;
    }
    let Some(alg) = digest.alg else { return BootAggregate::NotQuoted };
    let Some(bank) = quoted.iter().find(|bank| bank.alg() == alg) else {
        return BootAggregate::NotQuoted;
    };
    let over = |last: u32| {
        let values: Option<Vec<&Digest>> = (0..=last).map(|index| bank.get(index)).collect();
        let values: Vec<&[u8]> = values?.into_iter().map(Digest::as_bytes).collect();
        hash(alg, &values)
    };
    let mut was_quoted = false;
    for last_pcr in [7, 9] {
        match over(last_pcr) {
            Some(hash) if hash.as_bytes() == digest.bytes => {
                return BootAggregate::Matches { alg, last_pcr };
            }
            Some(_) => was_quoted = true,
            None => {}
        }
    }
    if was_quoted { BootAggregate::Differs } else { BootAggregate::NotQuoted }
}
