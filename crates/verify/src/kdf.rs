//! The key derivation functions of the TPM. [TPM2-P1-1.59 §11.4.10]

use aws_lc_rs::{digest, hmac};
use zeroize::Zeroizing;

use crate::hash::StrongHash;

/// KDFa: `len` bytes out of `key`, for `label` (which gets its NUL here), with both contexts one
/// behind the other. [TPM2-P1-1.59 §11.4.10.2, SP800-108 counter mode]
pub(crate) fn kdfa(
    hash: StrongHash,
    key: &[u8],
    label: &str,
    context: &[u8],
    len: usize,
) -> Zeroizing<Vec<u8>> {
    let key = hmac::Key::new(hash.hmac(), key);
    let bits = u32::try_from(len.saturating_mul(8)).unwrap_or(u32::MAX);
    let mut out = Zeroizing::new(Vec::with_capacity(len + hash.digest_len()));
    let mut counter = 1_u32;
    while out.len() < len {
        let mut block = hmac::Context::with_key(&key);
        block.update(&counter.to_be_bytes());
        block.update(label.as_bytes());
        block.update(&[0]);
        block.update(context);
        block.update(&bits.to_be_bytes());
        out.extend_from_slice(block.sign().as_ref());
        counter = counter.wrapping_add(1);
    }
    out.truncate(len);
    out
}

/// KDFe for as many bytes as the hash has: the seed that two parties share whose agreed secret is
/// `z`. `party_u` is the x coordinate of the ephemeral key, `party_v` that of the static one.
/// [TPM2-P1-1.59 §11.4.10.3, SP800-56A]
pub(crate) fn kdfe(
    hash: StrongHash,
    z: &[u8],
    label: &str,
    party_u: &[u8],
    party_v: &[u8],
) -> Zeroizing<Vec<u8>> {
    let mut block = digest::Context::new(hash.digest());
    // One block is enough, and its counter is 1.
    block.update(&1_u32.to_be_bytes());
    block.update(z);
    block.update(label.as_bytes());
    block.update(&[0]);
    block.update(party_u);
    block.update(party_v);
    Zeroizing::new(block.finish().as_ref().to_vec())
}
