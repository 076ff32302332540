//! Who guesses passwords waits: longer with each wrong one, and nobody is locked out for good.
//!
//! Counted are wrong logins of one account from one address, of one address at all accounts, and of one
//! account from everywhere. The last has a short delay only: who floods an account slows its person down and
//! does not keep him out. Names count whether there is such an account or not. Each server counts by itself.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{AppError, RefusalKind, join_rate::network};

/// Without a wrong login for so long all is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30 * 60);

/// Accounts, addresses and pairs that are remembered, each: 2 MiB. Beyond it the older half is forgotten,
/// so that who has many addresses does not keep others out.
const REMEMBERED_MAX: usize = 16_384;

/// How wrong logins of one kind are answered.
struct Rule {
    /// Those without a delay: people mistype.
    n_free: u32,
    /// The longest delay; the first is one second, and each is twice the one before.
    delay_max: Duration,
}

const PAIR: Rule = Rule { n_free: 5, delay_max: Duration::from_secs(15 * 60) };
/// Many people may have one address.
const ADDRESS: Rule = Rule { n_free: 20, delay_max: Duration::from_secs(5 * 60) };
const ACCOUNT: Rule = Rule { n_free: 50, delay_max: Duration::from_secs(30) };

#[derive(Debug, Clone, Copy)]
struct Tries {
    n: u32,
    last: Instant,
    next_at: Instant,
}

#[derive(Debug)]
struct Counts<K>(HashMap<K, Tries>);

impl<K: Clone + Eq + Hash> Counts<K> {
    /// What is to be waited before the next try.
    fn wait(&self, key: &K, now: Instant) -> Duration {
        let tries = self.0.get(key).filter(|tries| now - tries.last < FORGOTTEN_AFTER);
        tries.map_or(Duration::ZERO, |tries| tries.next_at.saturating_duration_since(now))
    }

    fn count(&mut self, key: &K, rule: &Rule, now: Instant) {
        if self.0.len() >= REMEMBERED_MAX && !self.0.contains_key(key) {
            let mut ages: Vec<_> = self.0.values().map(|tries| tries.last).collect();
            ages.sort_unstable();
            let middle = ages.get(ages.len() / 2).copied().unwrap_or(now);
            self.0.retain(|_, tries| tries.last > middle);
        }
        let tries = self.0.entry(key.clone()).or_insert(Tries { n: 0, last: now, next_at: now });
        if now - tries.last >= FORGOTTEN_AFTER {
            tries.n = 0;
        }
        tries.n = tries.n.saturating_add(1);
        tries.last = now;
        let n_over = tries.n.saturating_sub(rule.n_free);
        let delay = match n_over {
            0 => Duration::ZERO,
            // 2^20 s is above every longest delay.
            n => Duration::from_secs(1 << (n - 1).min(20)).min(rule.delay_max),
        };
        tries.next_at = now + delay;
    }

    /// The last try was no wrong one.
    fn take_back(&mut self, key: &K, now: Instant) {
        if let Some(tries) = self.0.get_mut(key) {
            tries.n = tries.n.saturating_sub(1);
            tries.next_at = now;
        }
    }
}

#[derive(Debug)]
struct Known {
    pairs: Counts<(String, IpAddr)>,
    addresses: Counts<IpAddr>,
    accounts: Counts<String>,
}

/// Counts logins.
#[derive(Debug)]
pub(super) struct LoginRate(Mutex<Known>);

impl Default for LoginRate {
    fn default() -> Self {
        let (pairs, addresses, accounts) = Default::default();
        Self(Mutex::new(Known {
            pairs: Counts(pairs),
            addresses: Counts(addresses),
            accounts: Counts(accounts),
        }))
    }
}

impl LoginRate {
    /// Begins a try, which counts as a wrong one until [`Self::was_right`]: many at once are as slow as one
    /// after the other.
    pub(super) fn begin(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), AppError> {
        let address = network(address);
        let pair = (name.to_owned(), address);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = known
            .pairs
            .wait(&pair, now)
            .max(known.addresses.wait(&address, now))
            .max(known.accounts.wait(&pair.0, now));
        if !wait.is_zero() {
            return Err(AppError::refused(
                RefusalKind::TooMany,
                "login-delayed",
                "too many wrong logins",
                format!("try again in {} s", wait.as_secs() + 1),
            ));
        }
        known.pairs.count(&pair, &PAIR, now);
        known.addresses.count(&address, &ADDRESS, now);
        known.accounts.count(&pair.0, &ACCOUNT, now);
        Ok(())
    }

    /// The try that was begun was right: its person has nothing to wait for here any more.
    pub(super) fn was_right(&self, name: &str, address: IpAddr, now: Instant) {
        let address = network(address);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.pairs.0.remove(&(name.to_owned(), address));
        known.addresses.take_back(&address, now);
        known.accounts.take_back(&name.to_owned(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn other(n: u32) -> IpAddr {
        IpAddr::from((0x0a00_0000 + n).to_be_bytes())
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_delay_grows_with_each_wrong_login() {
        let (rate, mut now) = (LoginRate::default(), Instant::now());
        for _ in 0..PAIR.n_free {
            rate.begin("alice", HERE, now).unwrap();
        }
        // The one that is over is let in, and begins the first delay.
        rate.begin("alice", HERE, now).unwrap();
        for delay in [1, 2, 4, 8] {
            assert!(rate.begin("alice", HERE, now + s(delay) - s(1) / 1000).is_err(), "{delay}");
            now += s(delay);
            rate.begin("alice", HERE, now).unwrap();
        }
        assert!(rate.begin("alice", HERE, now).is_err());
        // Another account and another address are their own.
        rate.begin("bob", HERE, now).unwrap();
        rate.begin("alice", other(1), now).unwrap();
        // A quarter of an hour is the most, and half an hour forgets.
        for _ in 0..20 {
            now += PAIR.delay_max;
            rate.begin("alice", HERE, now).unwrap();
        }
        now += FORGOTTEN_AFTER;
        for _ in 0..PAIR.n_free {
            rate.begin("alice", HERE, now).unwrap();
        }
    }

    #[test]
    fn right_logins_have_no_delay() {
        let (rate, now) = (LoginRate::default(), Instant::now());
        for _ in 0..1_000 {
            rate.begin("alice", HERE, now).unwrap();
            rate.was_right("alice", HERE, now);
        }
    }

    #[test]
    fn one_address_at_many_accounts_waits() {
        let (rate, now) = (LoginRate::default(), Instant::now());
        let n = (0..1_000).filter(|n| rate.begin(&format!("a{n}"), HERE, now).is_ok()).count();
        assert_eq!(n, 21);
    }

    #[test]
    fn an_account_that_is_flooded_is_slow_and_not_shut() {
        let (rate, now) = (LoginRate::default(), Instant::now());
        let n = (0..1_000).filter(|n| rate.begin("alice", other(*n), now).is_ok()).count();
        assert_eq!(n, 51);
        let mut at = now;
        for n in 0..20 {
            at += ACCOUNT.delay_max;
            rate.begin("alice", other(2_000 + n), at).unwrap();
        }
        assert!(rate.begin("alice", HERE, at).is_err());
        rate.begin("alice", HERE, at + ACCOUNT.delay_max).unwrap();
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (rate, now) = (LoginRate::default(), Instant::now());
        for n in 0..100_000 {
            let _ = rate.begin(&format!("a{n}"), other(n), now + Duration::from_micros(n.into()));
        }
        let known = rate.0.lock().unwrap();
        assert!(known.pairs.0.len() <= REMEMBERED_MAX);
        assert!(known.addresses.0.len() <= REMEMBERED_MAX);
        assert!(known.accounts.0.len() <= REMEMBERED_MAX);
    }
}
