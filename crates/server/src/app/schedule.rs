//! When a host is judged next, and for how long its verdict counts.
//!
//! The policy says so by labels, else the configuration for all. All hosts that begin, boot or come back
//! at one time are spread over their interval once, and drift apart by the jitter from then on.

use appraise::Schedule;
use store::{Host, Labels};

use crate::config::Config;

/// Milliseconds by which a judgement may come late and still be the one that was due: an agent waits in
/// its poll, and its TPM takes some time to sign.
const ON_TIME_MS: i64 = 5_000;

/// What counts of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing<'a> {
    interval_ms: i64,
    jitter_pct: i64,
    pub(super) good_for_ms: i64,
    /// The schedule of the policy that says so, with its number from 1 on.
    by: Option<(usize, &'a Schedule)>,
}

impl<'a> Timing<'a> {
    /// The first schedule that fits `labels`, else what all others have.
    pub(super) fn of(labels: &Labels, config: &'a Config) -> Self {
        let mut numbered = (1..).zip(&config.schedules);
        let ms = |seconds: u64| i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        match numbered.find(|(_, schedule)| schedule.fits(labels)) {
            Some((number, schedule)) => Self {
                interval_ms: ms(schedule.interval_s),
                jitter_pct: schedule.jitter_pct.into(),
                good_for_ms: ms(schedule.verdict_good_for_s),
                by: Some((number, schedule)),
            },
            None => Self {
                interval_ms: ms(config.attest_interval_s),
                jitter_pct: Schedule::JITTER_PCT.into(),
                good_for_ms: ms(config.verdict_good_for().as_secs()),
                by: None,
            },
        }
    }

    /// When a host that is judged at `now_ms` is due again. `chance` is any number, each as likely.
    pub(super) fn next_due_ms(&self, host: &Host, now_ms: i64, chance: u16) -> i64 {
        let share = |span_ms: i64| {
            let part = i128::from(span_ms) * i128::from(chance) / i128::from(u16::MAX);
            i64::try_from(part).unwrap_or(0)
        };
        let (least_ms, span_ms) = match self.was_on_time(host, now_ms) {
            true => {
                let jitter_ms = self.jitter_ms();
                (self.interval_ms - jitter_ms, jitter_ms.saturating_mul(2))
            }
            // Others may have begun at this very moment, too.
            false => (self.interval_ms / 10, self.interval_ms - self.interval_ms / 10),
        };
        now_ms.saturating_add(least_ms).saturating_add(share(span_ms))
    }

    /// Whether the judgement at `now_ms` is the one that the schedule asked for: not the first one, none
    /// after a boot, none that a person asked for, and none that was long due.
    fn was_on_time(&self, host: &Host, now_ms: i64) -> bool {
        let late_ms_max = self.jitter_ms().max(ON_TIME_MS);
        host.attest_requested_at_ms.is_none()
            && host
                .next_due_at_ms
                .is_some_and(|due_ms| (0..=late_ms_max).contains(&(now_ms - due_ms)))
    }

    fn jitter_ms(&self) -> i64 {
        i64::try_from(i128::from(self.interval_ms) * i128::from(self.jitter_pct) / 100).unwrap_or(0)
    }

    /// When `host` is due: as was said when it was judged, but not later than its schedule of now lets it
    /// be, which labels or another policy may have changed. `None`: it was never judged.
    pub(super) fn due_at_ms(&self, host: &Host) -> Option<i64> {
        let due_ms = host.next_due_at_ms?;
        let longest_ms = self.interval_ms.saturating_add(self.jitter_ms());
        let latest_ms = host.last.as_ref().map(|last| last.at_ms.saturating_add(longest_ms));
        Some(latest_ms.map_or(due_ms, |latest_ms| due_ms.min(latest_ms)))
    }

    /// The same for who asks why.
    pub(super) fn view(&self) -> api::admin::Schedule {
        let seconds = |ms: i64| u64::try_from(ms / 1000).unwrap_or(0);
        let because = match self.by {
            None => "attest_interval_s of the server's configuration".to_owned(),
            Some((number, schedule)) if schedule.labels.is_empty() => {
                format!("schedule {number} of the policy, for all hosts that none before it fits")
            }
            Some((number, schedule)) => {
                let labels = schedule.labels.iter().map(|(key, value)| format!("{key}={value}"));
                let labels: Vec<_> = labels.collect();
                format!("schedule {number} of the policy, for {}", labels.join(","))
            }
        };
        api::admin::Schedule {
            interval_s: seconds(self.interval_ms),
            jitter_pct: u8::try_from(self.jitter_pct).unwrap_or(u8::MAX),
            verdict_good_for_s: seconds(self.good_for_ms),
            because,
        }
    }
}

/// For how long a verdict counts of the host for which it counts longest: older ones have ended.
pub(super) fn longest_good_for_ms(config: &Config) -> i64 {
    let longest_s = config.schedules.iter().map(|schedule| schedule.verdict_good_for_s).max();
    let default_s = config.verdict_good_for().as_secs();
    let longest_s = longest_s.map_or(default_s, |seconds| seconds.max(default_s));
    i64::try_from(longest_s.saturating_mul(1000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::standing::sample;

    fn schedule(labels: &[(&str, &str)], interval_s: u64, jitter_pct: u8) -> Schedule {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let labels = labels.iter().map(owned).collect();
        Schedule { labels, interval_s, jitter_pct, verdict_good_for_s: 3 * interval_s }
    }

    fn config() -> Config {
        let schedules = vec![
            schedule(&[("role", "pay"), ("site", "muc")], 60, 0),
            schedule(&[("site", "muc")], 3600, 20),
        ];
        Config { attest_interval_s: 300, schedules, ..Config::default() }
    }

    fn labelled(labels: &[(&str, &str)]) -> Host {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Host { labels: labels.iter().map(owned).collect(), ..sample::host() }
    }

    #[test]
    fn the_first_that_fits_counts_and_says_so() {
        let config = config();
        let seen = |labels: &[(&str, &str)]| {
            let view = Timing::of(&labelled(labels).labels, &config).view();
            (view.interval_s, view.verdict_good_for_s, view.because)
        };
        let (interval_s, good_for_s, because) = seen(&[("site", "muc"), ("role", "pay")]);
        assert_eq!((interval_s, good_for_s), (60, 180));
        assert_eq!(because, "schedule 1 of the policy, for role=pay,site=muc");
        assert_eq!(seen(&[("site", "muc"), ("role", "web")]).0, 3600);
        let (interval_s, good_for_s, because) = seen(&[("site", "ber"), ("role", "pay")]);
        assert_eq!((interval_s, good_for_s), (300, 600));
        assert!(because.contains("attest_interval_s"), "{because}");
    }

    #[test]
    fn a_judgement_that_was_due_is_followed_by_one_within_the_jitter() {
        let config = config();
        let due = |labels: &[(&str, &str)], late_ms: i64, chance: u16| {
            let host = Host { next_due_at_ms: Some(1_000_000), ..labelled(labels) };
            let now_ms = 1_000_000 + late_ms;
            Timing::of(&host.labels, &config).next_due_ms(&host, now_ms, chance) - now_ms
        };
        let muc = [("site", "muc")];
        assert_eq!(due(&muc, 0, 0), 2_880_000);
        assert_eq!(due(&muc, 0, u16::MAX), 4_320_000);
        assert_eq!(due(&muc, 720_000, 0), 2_880_000, "late, but within the jitter");
        let exact = [("site", "muc"), ("role", "pay")];
        for chance in [0, 9_999, u16::MAX] {
            assert_eq!(due(&exact, ON_TIME_MS, chance), 60_000, "no jitter");
        }
    }

    #[test]
    fn what_no_schedule_asked_for_is_followed_by_one_at_any_time_of_the_interval() {
        let config = config();
        let host = Host { next_due_at_ms: Some(1_000_000), ..sample::host() };
        let after = |host: &Host, now_ms: i64| {
            let timing = Timing::of(&host.labels, &config);
            [0, u16::MAX].map(|chance| timing.next_due_ms(host, now_ms, chance) - now_ms)
        };
        let spread = [30_000, 300_000];
        assert_eq!(after(&host, 1_000_000), [270_000, 330_000], "it was due");
        assert_eq!(after(&host, 999_999), spread, "after a boot");
        assert_eq!(after(&host, 1_030_001), spread, "the server was away");
        let first = Host { next_due_at_ms: None, ..host.clone() };
        assert_eq!(after(&first, 1_000_000), spread, "the first one, or a reconnection");
        let asked = Host { attest_requested_at_ms: Some(1), ..host };
        assert_eq!(after(&asked, 1_000_000), spread, "a person asked");
    }

    #[test]
    fn a_fleet_that_begins_at_once_is_spread_from_its_second_judgement_on() {
        let config = Config { attest_interval_s: 300, ..Config::default() };
        let (mut by_tenth, n_hosts) = ([0_u32; 10], 10_000_u32);
        for number in 0..n_hosts {
            let host = Host { next_due_at_ms: None, ..sample::host() };
            // Each number is as likely: any walk through them all shows how they are spread.
            let chance = u16::try_from(number * 40_503 % 65_536).unwrap();
            let due_ms = Timing::of(&host.labels, &config).next_due_ms(&host, 0, chance);
            by_tenth[usize::try_from((due_ms - 30_000) * 10 / 270_001).unwrap()] += 1;
        }
        assert!(by_tenth.iter().all(|n| (900..=1_100).contains(n)), "{by_tenth:?}");
    }

    #[test]
    fn a_schedule_that_became_shorter_brings_the_due_time_forward() {
        let config = config();
        let due = |labels: &[(&str, &str)]| {
            let host = Host { next_due_at_ms: Some(4_000_000), ..labelled(labels) };
            Timing::of(&host.labels, &config).due_at_ms(&host)
        };
        assert_eq!(due(&[("site", "muc")]), Some(4_000_000), "judged at 0");
        assert_eq!(due(&[("site", "muc"), ("role", "pay")]), Some(60_000));
        assert_eq!(due(&[]), Some(330_000));
        let never = Host { next_due_at_ms: None, ..sample::host() };
        assert_eq!(Timing::of(&never.labels, &config).due_at_ms(&never), None);
    }
}
