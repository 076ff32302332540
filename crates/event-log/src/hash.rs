//! The hashes of PCR banks.

use sha1::Sha1;
use sha2::digest::Digest as Hasher;
use sha2::{Sha256, Sha384, Sha512};
use sm3::Sm3;
use tpm_wire::{Digest, TpmAlgId};

/// The hash `alg` over `parts`, one behind the other; `None` where we have no such hash (SHA-3).
/// Each call starts with a fresh state, so that no digest can hold what another was made of.
pub fn hash(alg: TpmAlgId, parts: &[&[u8]]) -> Option<Digest> {
    match alg {
        TpmAlgId::SHA1 => run::<Sha1>(parts),
        TpmAlgId::SHA256 => run::<Sha256>(parts),
        TpmAlgId::SHA384 => run::<Sha384>(parts),
        TpmAlgId::SHA512 => run::<Sha512>(parts),
        TpmAlgId::SM3_256 => run::<Sm3>(parts),
        _ => None,
    }
}

/// Whether [`hash`] has this algorithm.
pub(crate) const fn is_supported(alg: TpmAlgId) -> bool {
    matches!(
        alg,
        TpmAlgId::SHA1 | TpmAlgId::SHA256 | TpmAlgId::SHA384 | TpmAlgId::SHA512 | TpmAlgId::SM3_256
    )
}

fn run<H: Hasher>(parts: &[&[u8]]) -> Option<Digest> {
    let mut hasher = H::new();
    for part in parts {
        hasher.update(part);
    }
    Digest::new(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        for (alg, expected) in [
            (TpmAlgId::SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (TpmAlgId::SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (TpmAlgId::SM3_256, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        ] {
            assert_eq!(hash(alg, &[b"a", b"", b"bc"]).unwrap().to_string(), expected);
        }
        assert_eq!(hash(TpmAlgId::SHA3_256, &[b"abc"]), None);
        for alg in TpmAlgId::HASHES {
            assert_eq!(hash(alg, &[]).is_some(), is_supported(alg));
        }
    }
}
