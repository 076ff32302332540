//! The hashes of PCR banks.

use sha1::Sha1;
use sha2::digest::core_api::Block;
use sha2::digest::{Digest as Hasher, Output};
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

/// Whether `digest` is the hash `alg` over `parts`; never where we have no such hash.
pub(crate) fn is_hash_of(alg: TpmAlgId, parts: &[&[u8]], digest: &[u8]) -> bool {
    match alg {
        TpmAlgId::SHA1 => finish::<Sha1>(parts)[..] == *digest,
        TpmAlgId::SHA256 => sha256(parts)[..] == *digest,
        TpmAlgId::SHA384 => finish::<Sha384>(parts)[..] == *digest,
        TpmAlgId::SHA512 => finish::<Sha512>(parts)[..] == *digest,
        TpmAlgId::SM3_256 => finish::<Sm3>(parts)[..] == *digest,
        _ => false,
    }
}

/// new = H(old ‖ digest), in place. [TPM2-P1-1.59 §17.2] `false`, and nothing is changed, where we
/// have no such hash or `old` is not of its length.
pub(crate) fn extend(alg: TpmAlgId, old: &mut [u8], digest: &[u8]) -> bool {
    #[cfg(test)]
    tests::N_EXTENDS.set(tests::N_EXTENDS.get() + 1);
    if alg == TpmAlgId::SHA256 {
        let (Ok(old), Ok(digest)) = (old.try_into(), digest.try_into()) else { return false };
        extend_sha256(old, digest);
        return true;
    }
    match hash(alg, &[old, digest]) {
        Some(new) if new.as_bytes().len() == old.len() => {
            old.copy_from_slice(new.as_bytes());
            true
        }
        _ => false,
    }
}

/// SHA-256 over `parts`, one behind the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    match *parts {
        [part] => short_sha256(part).unwrap_or_else(|| finish::<Sha256>(parts).into()),
        _ => finish::<Sha256>(parts).into(),
    }
}

/// The state of SHA-256 before its first block. [FIPS 180-4 §5.3.3]
const SHA256_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256 over `data` of up to 183 bytes, its three blocks with padding at most in one go, without
/// the buffer of a hasher: most events are as short. `None` where there is more.
fn short_sha256(data: &[u8]) -> Option<[u8; 32]> {
    const BLOCK_LEN: usize = 64;
    // Behind the data come a bit 1 and the length of 8 bytes.
    let n_blocks = data.len().checked_add(9)?.div_ceil(BLOCK_LEN);
    let mut blocks = [Block::<Sha256>::default(); 3];
    let blocks = blocks.get_mut(..n_blocks)?;
    let mut pieces = data.chunks(BLOCK_LEN);
    for block in blocks.iter_mut() {
        match pieces.next() {
            Some(piece) => block.get_mut(..piece.len())?.copy_from_slice(piece),
            None => break,
        }
    }
    *blocks.get_mut(data.len().checked_div(BLOCK_LEN)?)?.get_mut(data.len() % BLOCK_LEN)? = 0x80;
    let n_bits = u64::try_from(data.len()).ok()?.checked_mul(8)?;
    blocks.last_mut()?.last_chunk_mut().map(|len| *len = n_bits.to_be_bytes())?;
    let mut state = SHA256_START;
    sha2::compress256(&mut state, blocks);
    let mut digest = [0; 32];
    write_state(&state, &mut digest);
    Some(digest)
}

fn write_state(state: &[u32; 8], to: &mut [u8; 32]) {
    let words = to.chunks_exact_mut(4).zip(state);
    words.for_each(|(to, word)| to.copy_from_slice(&word.to_be_bytes()));
}

/// SHA-256 over two halves of a block: that block and the one of padding in one go, without the
/// buffer of a hasher. Most of the time of a replay is spent here.
fn extend_sha256(old: &mut [u8; 32], digest: &[u8; 32]) {
    let mut state = SHA256_START;
    let mut blocks = [Block::<Sha256>::default(); 2];
    let [message, padding] = &mut blocks;
    if let Some((left, right)) = message.split_at_mut_checked(32) {
        left.copy_from_slice(old);
        right.copy_from_slice(digest);
    }
    // A bit 1, zeros, and the length of the message: 512 bits.
    if let [first, .., second_last, _] = padding.as_mut_slice() {
        (*first, *second_last) = (0x80, 2);
    }
    sha2::compress256(&mut state, &blocks);
    write_state(&state, old);
}

/// Whether [`hash`] has this algorithm.
pub const fn is_supported(alg: TpmAlgId) -> bool {
    matches!(
        alg,
        TpmAlgId::SHA1 | TpmAlgId::SHA256 | TpmAlgId::SHA384 | TpmAlgId::SHA512 | TpmAlgId::SM3_256
    )
}

fn run<H: Hasher>(parts: &[&[u8]]) -> Option<Digest> {
    Digest::new(&finish::<H>(parts))
}

fn finish<H: Hasher>(parts: &[&[u8]]) -> Output<H> {
    let mut hasher = H::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// Extends that were computed in this thread.
        pub(crate) static N_EXTENDS: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn an_extend_is_the_hash_of_both() {
        for alg in TpmAlgId::HASHES {
            let len = alg.digest_len().unwrap();
            let mut value = Digest::filled(0, len).unwrap();
            for byte in 0..=255 {
                let digest = Digest::filled(byte, len).unwrap();
                let expected = hash(alg, &[value.as_bytes(), digest.as_bytes()]);
                let before = value;
                let extended = extend(alg, value.as_mut_bytes(), digest.as_bytes());
                assert_eq!(extended, expected.is_some());
                assert_eq!(value, expected.unwrap_or(before), "{alg}");
            }
            let mut short = Digest::filled(0, 31).unwrap();
            assert!(!extend(alg, short.as_mut_bytes(), &[0; 31]) && short.is_zero(), "{alg}");
        }
    }

    #[test]
    fn short_data_hashes_as_a_hasher_does() {
        let data: Vec<u8> = (0..=255).cycle().take(400).collect();
        for n in 0..data.len() {
            let expected: [u8; 32] = finish::<Sha256>(&[&data[..n]]).into();
            assert_eq!(short_sha256(&data[..n]), (n <= 183).then_some(expected), "{n}");
            assert_eq!(sha256(&[&data[..n]]), expected);
            assert!(is_hash_of(TpmAlgId::SHA256, &[&data[..n]], &expected));
        }
    }

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
