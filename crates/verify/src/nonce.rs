//! Challenges that a server recognises as its own without keeping them.

use core::fmt;

use aws_lc_rs::hmac;
use tpm_wire::QUALIFYING_DATA_LEN_MAX;
use zeroize::Zeroizing;

/// How far ahead of our clock a challenge of our own may lie: it was made by another server of
/// the fleet, whose clock runs ahead, or before our clock was set back.
pub const FUTURE_MS_MAX: u64 = 5_000;

const TIME_LEN: usize = 8;
const RANDOM_LEN: usize = 8;
const MAC_LEN: usize = 16;
/// A TPM takes as qualifying data what its largest hash allows: 34 bytes where that is SHA-256.
const CHALLENGE_LEN: usize = TIME_LEN + RANDOM_LEN + MAC_LEN;

/// What a quote has to have signed: exact bytes, never empty, as many as a TPM takes at most.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce {
    len: usize,
    bytes: [u8; QUALIFYING_DATA_LEN_MAX],
}

impl Nonce {
    /// These bytes, or `None` where they are none or more than a TPM takes.
    pub fn new(nonce: &[u8]) -> Option<Self> {
        let mut bytes = [0; QUALIFYING_DATA_LEN_MAX];
        bytes.get_mut(..nonce.len())?.copy_from_slice(nonce);
        (!nonce.is_empty()).then_some(Self { len: nonce.len(), bytes })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A challenge that is still open does not belong into a log.
        write!(f, "Nonce({} bytes)", self.len)
    }
}

/// When a challenge was made, in milliseconds since 1970. A host's next accepted challenge has to
/// be newer than its last: that makes each work once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssuedAt(pub u64);

/// Why a challenge does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NonceError {
    /// Not made by a server with our key, or for another host.
    #[error("the challenge was not made here for this host")]
    Foreign,
    /// Ours, but too old.
    #[error("the challenge is {age_ms} ms old, the limit is {age_ms_max} ms")]
    Stale {
        /// Its age.
        age_ms: u64,
        /// The limit.
        age_ms_max: u64,
    },
    /// Ours, but further in the future than clocks of one fleet should differ.
    #[error("the challenge lies {ahead_ms} ms in the future")]
    Future {
        /// How far.
        ahead_ms: u64,
    },
}

/// The key under which servers recognise their challenges; servers of one fleet share it.
/// Forgotten when dropped.
#[derive(Clone)]
pub struct NonceKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey(..)")
    }
}

impl NonceKey {
    /// A key; the bytes have to be random.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key for another purpose: what one of them made, the other calls foreign.
    #[must_use]
    pub fn for_purpose(&self, purpose: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        let mut mac = hmac::Context::with_key(&key);
        mac.update(b"bootproof challenge key 1\0");
        mac.update(purpose.as_bytes());
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(mac.sign().as_ref()).for_each(|(to, from)| *to = *from);
        Self::new(bytes)
    }

    /// A challenge for one host, 32 bytes: time (8, big-endian), random (8), and the first 16 of
    /// HMAC-SHA-256 over both and the host.
    pub fn challenge(&self, host_id: &[u8], now_ms: u64, random: [u8; RANDOM_LEN]) -> Nonce {
        let time = now_ms.to_be_bytes();
        let mac = self.mac(host_id, &time, &random);
        let mut bytes = [0; QUALIFYING_DATA_LEN_MAX];
        let content = time.iter().chain(&random).chain(mac.as_ref()).take(CHALLENGE_LEN);
        bytes.iter_mut().zip(content).for_each(|(to, from)| *to = *from);
        Nonce { len: CHALLENGE_LEN, bytes }
    }

    /// Whether `nonce` is a challenge of ours for this host (in constant time), not older than
    /// `age_ms_max`, and not from the future.
    pub fn check(
        &self,
        host_id: &[u8],
        nonce: &Nonce,
        now_ms: u64,
        age_ms_max: u64,
    ) -> Result<IssuedAt, NonceError> {
        let (time, rest) =
            nonce.as_bytes().split_first_chunk::<TIME_LEN>().ok_or(NonceError::Foreign)?;
        let (random, mac) = rest.split_first_chunk::<RANDOM_LEN>().ok_or(NonceError::Foreign)?;
        let expected = self.mac(host_id, time, random);
        let expected = expected.as_ref().get(..MAC_LEN).ok_or(NonceError::Foreign)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(mac, expected)
            .map_err(|_| NonceError::Foreign)?;
        let issued_ms = u64::from_be_bytes(*time);
        let ahead_ms = issued_ms.saturating_sub(now_ms);
        if ahead_ms > FUTURE_MS_MAX {
            return Err(NonceError::Future { ahead_ms });
        }
        let age_ms = now_ms.saturating_sub(issued_ms);
        if age_ms > age_ms_max {
            return Err(NonceError::Stale { age_ms, age_ms_max });
        }
        Ok(IssuedAt(issued_ms))
    }

    fn mac(&self, host_id: &[u8], time: &[u8], random: &[u8]) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        let mut mac = hmac::Context::with_key(&key);
        mac.update(b"bootproof challenge 1\0");
        // Of fixed length first, so that no host's identifier can reach into it.
        mac.update(time);
        mac.update(random);
        mac.update(host_id);
        mac.sign()
    }
}
