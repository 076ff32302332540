//! Up to which entry a quoted PCR stands for the list.

use event_log::hash;
use tpm_wire::{Digest, TpmAlgId};

use crate::list::{Entry, List};

/// What the kernel extends a bank with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// The hash of the bank over the template data: Linux 5.8 and later, where it has that hash.
    BankDigest,
    /// The SHA-1 over the template data, zeros behind it: kernels before, and later ones in a bank
    /// whose hash they have not loaded. Two entries that collide in SHA-1 cannot be told apart,
    /// whatever the bank.
    PaddedSha1,
}

/// A list, up to the entry that a quoted PCR stands for. Made only by [`replay`].
///
/// Trust: if the value was quoted, the TPM was extended with each of [`Self::entries`] that is of
/// this PCR, in this order.
#[derive(Clone, Debug)]
pub struct Replayed<'l, 'a> {
    list: &'l List<'a>,
    n_covered: usize,
    pcr_index: u32,
    alg: TpmAlgId,
    convention: Convention,
}

impl<'l, 'a> Replayed<'l, 'a> {
    /// The covered entries of the PCR, in order.
    pub fn entries(&self) -> impl Iterator<Item = &'l Entry<'a>> + use<'l, 'a> {
        let pcr_index = self.pcr_index;
        let covered = self.list.entries.iter().take(self.n_covered);
        covered.filter(move |entry| entry.pcr_index == pcr_index)
    }

    /// How many entries the value stands for, from the first.
    pub const fn n_covered(&self) -> usize {
        self.n_covered
    }

    /// How many came later, or are of another PCR behind the last covered one.
    pub fn n_later(&self) -> usize {
        self.list.entries.len().saturating_sub(self.n_covered)
    }

    /// The bank.
    pub const fn alg(&self) -> TpmAlgId {
        self.alg
    }

    /// What the kernel extended it with.
    pub const fn convention(&self) -> Convention {
        self.convention
    }
}

/// The list does not lead to the quoted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The quoted value.
    pub quoted: Digest,
    /// What the whole list gives where the bank's own hash is extended; `None` without such a hash.
    pub replayed: Option<Digest>,
}

/// Extends the entries of `pcr_index` until the value is the quoted one: a list grows while it is
/// read, so that a quote stands for a first part of it. Both [`Convention`]s are computed in one
/// pass, and the one that leads to the value is told; it is no second try, since each stands for
/// the same template data. A list without entries leads to zero.
pub fn replay<'l, 'a>(
    list: &'l List<'a>,
    pcr_index: u32,
    alg: TpmAlgId,
    quoted: &Digest,
) -> Result<Replayed<'l, 'a>, Box<Mismatch>> {
    let len = alg.digest_len().unwrap_or(0);
    let zero = Digest::filled(0, len);
    let (mut of_bank, mut padded) = (zero, zero);
    let done = |n_covered, convention| Replayed { list, n_covered, pcr_index, alg, convention };
    if zero.as_ref() == Some(quoted) {
        return Ok(done(0, Convention::BankDigest));
    }
    for (n, entry) in list.entries.iter().enumerate() {
        if entry.pcr_index != pcr_index {
            continue;
        }
        of_bank = extended(alg, of_bank, entry.digest(alg));
        if of_bank.as_ref() == Some(quoted) {
            return Ok(done(n + 1, Convention::BankDigest));
        }
        if alg == TpmAlgId::SHA1 {
            continue;
        }
        padded = extended(alg, padded, padded_sha1(entry, len));
        if padded.as_ref() == Some(quoted) {
            return Ok(done(n + 1, Convention::PaddedSha1));
        }
    }
    Err(Box::new(Mismatch { quoted: *quoted, replayed: of_bank }))
}

fn extended(alg: TpmAlgId, value: Option<Digest>, digest: Option<Digest>) -> Option<Digest> {
    hash(alg, &[value?.as_bytes(), digest?.as_bytes()])
}

/// The SHA-1 over the template data and zeros; of a violation ones all through.
fn padded_sha1(entry: &Entry<'_>, len: usize) -> Option<Digest> {
    if entry.is_violation() {
        return Digest::filled(0xff, len);
    }
    let mut padded = Digest::filled(0, len)?;
    let sha1 = entry.digest(TpmAlgId::SHA1)?;
    padded.as_mut_bytes().iter_mut().zip(sha1.as_bytes()).for_each(|(to, from)| *to = *from);
    Some(padded)
}
