//! Who shows tokens that are not known waits, and keeps nobody out who shows one that is.
//!
//! Tokens have 256 random bits, so nobody finds one; but each try costs a look into the store. So an address may
//! show a number of different ones that are not known, and each of those a number of times: a program whose
//! token has ended, and asks on and on, uses up its own tries and not those of its neighbours behind the same
//! router. Tokens that were good lately are looked at in any case. Each server counts by itself.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use store::Sha256;

use super::{AppError, RefusalKind, join_rate::network};

/// Between two tries, once [`AT_ONCE`] were made.
const PAUSE: Duration = Duration::from_secs(1);

/// Tries at once: a rack of hosts that were removed and ask on.
const AT_ONCE: u32 = 128;

/// Addresses, and tokens that are not known, that are remembered: 1 MiB each. Beyond it the older half is
/// forgotten, so that who has many of them keeps nobody out.
const REMEMBERED_MAX: usize = 16_384;

/// Tokens that were good lately, of each of two generations: 5 MiB, for 65,536 hosts at least. Others are looked
/// at, too, unless their address guesses just now.
const GOOD_MAX: usize = 65_536;

/// When each has all its tries again.
#[derive(Debug)]
struct Tries<K>(HashMap<K, Instant>);

impl<K> Default for Tries<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Tries<K> {
    fn has(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    fn may(&self, key: &K, now: Instant) -> bool {
        let whole_at = self.0.get(key).copied().unwrap_or(now);
        whole_at.saturating_duration_since(now) <= PAUSE * (AT_ONCE - 1)
    }

    fn take(&mut self, key: K, now: Instant) {
        if self.0.len() >= REMEMBERED_MAX && !self.has(&key) {
            self.0.retain(|_, at| *at > now);
            if self.0.len() >= REMEMBERED_MAX {
                let mut ages: Vec<_> = self.0.values().copied().collect();
                ages.sort_unstable();
                let middle = ages.get(ages.len() / 2).copied().unwrap_or(now);
                self.0.retain(|_, at| *at > middle);
            }
        }
        let at = self.0.entry(key).or_insert(now);
        *at = (*at).max(now) + PAUSE;
    }
}

#[derive(Debug, Default)]
struct Known {
    /// Different tokens of an address.
    addresses: Tries<IpAddr>,
    /// Times of a token that is not known.
    unknown: Tries<Sha256>,
    good: HashSet<Sha256>,
    good_before: HashSet<Sha256>,
}

/// Counts tokens that are not known.
#[derive(Debug, Default)]
pub(super) struct GuessRate(Mutex<Known>);

impl GuessRate {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token with this digest is looked at.
    pub(super) fn admit(
        &self,
        token: &Sha256,
        address: IpAddr,
        now: Instant,
    ) -> Result<(), AppError> {
        let known = self.known();
        let is_good = || known.good.contains(token) || known.good_before.contains(token);
        let may = match known.unknown.has(token) {
            true => known.unknown.may(token, now),
            false => known.addresses.may(&network(address), now),
        };
        if may || is_good() {
            return Ok(());
        }
        Err(AppError::refused(
            RefusalKind::TooMany,
            "too-many-guesses",
            "too many tokens that are not known were shown from this address",
            "see what shows them: a host that was removed, or a program whose token has ended; then try \
             again in some seconds",
        ))
    }

    /// The token is known, or was made just now.
    pub(super) fn was_right(&self, token: Sha256) {
        let mut known = self.known();
        if known.good.len() >= GOOD_MAX && !known.good.contains(&token) {
            known.good_before = std::mem::take(&mut known.good);
        }
        known.good.insert(token);
    }

    /// The token is not known.
    pub(super) fn was_wrong(&self, token: Sha256, address: IpAddr, now: Instant) {
        let mut known = self.known();
        known.good.remove(&token);
        known.good_before.remove(&token);
        if !known.unknown.has(&token) {
            known.addresses.take(network(address), now);
        }
        known.unknown.take(token, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn other(n: u32) -> IpAddr {
        IpAddr::from((0x0a00_0000 + n).to_be_bytes())
    }

    fn token(n: u32) -> Sha256 {
        let mut token = [0; 32];
        token[..4].copy_from_slice(&n.to_be_bytes());
        token
    }

    /// How many of these wrong ones are looked at.
    fn guess(
        rate: &GuessRate,
        address: IpAddr,
        tokens: impl IntoIterator<Item = u32>,
        now: Instant,
    ) -> u32 {
        let mut n_looked_at = 0;
        for n in tokens {
            if rate.admit(&token(n), address, now).is_ok() {
                rate.was_wrong(token(n), address, now);
                n_looked_at += 1;
            }
        }
        n_looked_at
    }

    #[test]
    fn an_address_guesses_in_a_burst_and_then_at_its_pace() {
        let (rate, now) = (GuessRate::default(), Instant::now());
        assert_eq!(guess(&rate, HERE, 0..1_000, now), AT_ONCE);
        assert_eq!(guess(&rate, HERE, 2_000..2_010, now + PAUSE - Duration::from_millis(1)), 0);
        assert_eq!(guess(&rate, HERE, 3_000..3_010, now + PAUSE), 1);
        assert_eq!(guess(&rate, HERE, 4_000..5_000, now + PAUSE * 1_000), AT_ONCE);
        // Another address is its own.
        assert_eq!(guess(&rate, other(1), 6_000..7_000, now + PAUSE * 1_000), AT_ONCE);
    }

    #[test]
    fn one_that_ended_and_is_shown_on_and_on_slows_down_itself() {
        let (rate, now) = (GuessRate::default(), Instant::now());
        assert_eq!(guess(&rate, HERE, (0..1_000).map(|_| 1), now), AT_ONCE);
        assert!(rate.admit(&token(1), other(1), now).is_err(), "wherever it is shown");
        // Its neighbours have all their tries but one.
        assert_eq!(guess(&rate, HERE, 10..1_000, now), AT_ONCE - 1);
        assert_eq!(guess(&rate, HERE, (0..10).map(|_| 1), now + PAUSE), 1);
    }

    #[test]
    fn who_shows_what_is_known_is_never_kept_out() {
        let (rate, now) = (GuessRate::default(), Instant::now());
        rate.was_right(token(1));
        guess(&rate, HERE, 10..1_000, now);
        // From another address any token is looked at; from this one those that were good.
        assert!(rate.admit(&token(2), other(1), now).is_ok());
        assert!(rate.admit(&token(1), HERE, now).is_ok());
        assert!(rate.admit(&token(2), HERE, now).is_err());
        assert!(rate.admit(&token(2), HERE, now + PAUSE).is_ok());
        // Also when many others were good since.
        for n in 0..u32::try_from(GOOD_MAX).unwrap() {
            rate.was_right(token(10_000 + n));
        }
        assert!(rate.admit(&token(1), HERE, now).is_ok());
        // One that has ended is no good one any more.
        assert_eq!(guess(&rate, HERE, (0..1_000).map(|_| 1), now), AT_ONCE);
    }

    #[test]
    fn a_subscriber_of_many_addresses_is_one() {
        let (rate, now) = (GuessRate::default(), Instant::now());
        let of = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
        let n: u32 = (0..1_000).map(|n| guess(&rate, of(n), [n.into()], now)).sum();
        assert_eq!(n, AT_ONCE);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_makes_room() {
        let (rate, now) = (GuessRate::default(), Instant::now());
        for n in 0..100_000 {
            let at = now + Duration::from_micros(n.into());
            rate.was_wrong(token(n), other(n), at);
            rate.was_right(token(1_000_000 + n));
        }
        let known = rate.known();
        assert!(known.addresses.0.len() <= REMEMBERED_MAX);
        assert!(known.unknown.0.len() <= REMEMBERED_MAX);
        assert!(known.good.len() <= GOOD_MAX && known.good_before.len() <= GOOD_MAX);
    }
}
