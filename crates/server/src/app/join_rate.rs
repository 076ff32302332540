//! How fast machines of one address may join: the one request that costs the server work and a row
//! without an account behind it.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use store::Sha256;

/// Joins a second of one address, where the configuration does not say: a thousand hosts of one site in
/// half a minute.
pub const PER_SECOND: u32 = 32;

/// Seconds whose joins may come at once: some racks behind one router that are switched on together.
const BURST_S: u32 = 8;

/// Addresses, and endorsement keys, that are remembered: 1 MiB each. One that was not heard of for some time has
/// nothing to remember.
const REMEMBERED_MAX: usize = 16_384;

/// Enrolments of one endorsement key that may come at once, each of two steps, and the pause between two steps
/// afterwards: an agent that begins anew waits longer each time.
const EK_BURST: u32 = 32;
const EK_PAUSE: Duration = Duration::from_secs(2);

/// When the allowance of each key is whole again.
#[derive(Debug)]
struct Pace<K> {
    /// Time after which one may come once more.
    pause: Duration,
    /// How much of that may be used at once.
    burst: Duration,
    whole_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Pace<K> {
    fn new(pause: Duration, burst: Duration) -> Self {
        Self { pause, burst, whole_at: Mutex::default() }
    }

    /// Whether one of `key` may come at `now`, which counts then; `None` where so many keys are known that
    /// there is no place for this one.
    fn take(&self, key: K, now: Instant) -> Option<bool> {
        let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        if whole_at.len() >= REMEMBERED_MAX && !whole_at.contains_key(&key) {
            whole_at.retain(|_, at| *at > now);
            if whole_at.len() >= REMEMBERED_MAX {
                return None;
            }
        }
        let at = whole_at.entry(key).or_insert(now);
        let next = (*at).max(now) + self.pause;
        let fits = next.saturating_duration_since(now) <= self.burst;
        if fits {
            *at = next;
        }
        Some(fits)
    }
}

/// The pace of each address.
#[derive(Debug)]
pub(super) struct JoinRate(Pace<IpAddr>);

impl JoinRate {
    /// So many joins a second of one address.
    pub(super) fn new(per_second: u32) -> Self {
        let pause = Duration::from_secs(1) / per_second.max(1);
        Self(Pace::new(pause, Duration::from_secs(BURST_S.into())))
    }

    /// Whether a machine of `address` may join at `now`; it counts then.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> bool {
        self.0.take(network(address), now).unwrap_or(false)
    }
}

/// The pace of each endorsement key.
#[derive(Debug)]
pub(super) struct EkRate(Pace<Sha256>);

impl Default for EkRate {
    fn default() -> Self {
        Self(Pace::new(EK_PAUSE, EK_PAUSE * EK_BURST))
    }
}

impl EkRate {
    /// Whether the key with this digest may take a step of an enrolment at `now`; it counts then. Where too
    /// many are known it may: those who make keys up keep no host out, and have the pace of their address.
    pub(super) fn take(&self, ek_spki_sha256: Sha256, now: Instant) -> bool {
        self.0.take(ek_spki_sha256, now).unwrap_or(true)
    }
}

/// What one subscriber has: a whole /64 where it is IPv6. [RFC6177 §2]
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_micros(31_250);

    #[test]
    fn an_address_joins_in_a_burst_and_then_at_its_pace() {
        let (rate, start) = (JoinRate::new(PER_SECOND), Instant::now());
        let one = IpAddr::from([192, 0, 2, 1]);
        let n = (0..1_000).filter(|_| rate.take(one, start)).count();
        assert_eq!(n, 256);
        assert!(rate.take(IpAddr::from([192, 0, 2, 2]), start), "another address is its own");
        assert!(!rate.take(one, start + PAUSE - Duration::from_nanos(1)));
        assert!(rate.take(one, start + PAUSE));
        assert!(!rate.take(one, start + PAUSE));
        let later = start + PAUSE * 1_000;
        assert_eq!((0..1_000).filter(|_| rate.take(one, later)).count(), 256);
    }

    #[test]
    fn a_subscriber_of_many_addresses_is_one() {
        let (rate, start) = (JoinRate::new(PER_SECOND), Instant::now());
        let of = |n: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, n));
        assert_eq!((0..1_000).filter(|n| rate.take(of(*n), start)).count(), 256);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (rate, start) = (JoinRate::new(PER_SECOND), Instant::now());
        let of = |n: u32| IpAddr::from(n.to_be_bytes());
        let n_max = u32::try_from(REMEMBERED_MAX).unwrap();
        for n in 0..n_max + 10 {
            assert_eq!(rate.take(of(n), start), n < n_max, "{n}");
        }
        assert!(rate.take(of(n_max), start + PAUSE), "those that are whole again make room");
        assert!(rate.0.whole_at.lock().unwrap().len() <= 1);
    }

    #[test]
    fn a_tpm_enrols_in_a_burst_and_then_at_its_pace() {
        let (rate, start) = (EkRate::default(), Instant::now());
        let n = (0..1_000).filter(|_| rate.take([1; 32], start)).count();
        assert_eq!(n, usize::try_from(EK_BURST).unwrap());
        assert!(rate.take([2; 32], start), "another TPM is its own");
        assert!(!rate.take([1; 32], start + EK_PAUSE - Duration::from_nanos(1)));
        assert!(rate.take([1; 32], start + EK_PAUSE));
        // Made-up ones keep no other out.
        for n in 0..u32::try_from(REMEMBERED_MAX).unwrap() + 10 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            assert!(rate.take(key, start), "{n}");
        }
    }
}
