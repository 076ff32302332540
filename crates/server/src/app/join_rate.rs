//! How fast machines of one address may join: the one request that costs the server work and a row
//! without an account behind it.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Joins a second of one address, where the configuration does not say: a thousand hosts of one site in
/// half a minute.
pub const PER_SECOND: u32 = 32;

/// Seconds whose joins may come at once: some racks behind one router that are switched on together.
const BURST_S: u32 = 8;

/// Addresses that are remembered: 1 MiB. One that was not heard of for [`BURST_S`] seconds has nothing
/// to remember.
const ADDRESSES_MAX: usize = 16_384;

/// When the allowance of each address is whole again.
#[derive(Debug)]
pub(super) struct JoinRate {
    /// Time after which one address may join once more.
    pause: Duration,
    whole_at: Mutex<HashMap<IpAddr, Instant>>,
}

impl JoinRate {
    /// So many joins a second of one address.
    pub(super) fn new(per_second: u32) -> Self {
        let pause = Duration::from_secs(1) / per_second.max(1);
        Self { pause, whole_at: Mutex::default() }
    }

    /// Whether a machine of `address` may join at `now`; it counts then.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> bool {
        let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if whole_at.len() >= ADDRESSES_MAX && !whole_at.contains_key(&address) {
            whole_at.retain(|_, at| *at > now);
            if whole_at.len() >= ADDRESSES_MAX {
                return false;
            }
        }
        let at = whole_at.entry(address).or_insert(now);
        let next = (*at).max(now) + self.pause;
        let fits = next.saturating_duration_since(now) <= Duration::from_secs(BURST_S.into());
        if fits {
            *at = next;
        }
        fits
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
        let n_max = u32::try_from(ADDRESSES_MAX).unwrap();
        for n in 0..n_max + 10 {
            assert_eq!(rate.take(of(n), start), n < n_max, "{n}");
        }
        assert!(rate.take(of(n_max), start + PAUSE), "those that are whole again make room");
        assert!(rate.whole_at.lock().unwrap().len() <= 1);
    }
}
