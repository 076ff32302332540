//! Reports that are sent by themselves: `[[report]]`.

use std::{fmt, str::FromStr};

use api::fleet_report::{ReportFormat, ReportKind};
use jiff::{
    Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Minutes of a day.
const DAY_MIN: i64 = 24 * 60;

/// Days that are looked at for the time before and the one after: a month and some.
const DAYS_MAX: i64 = 40;

/// A report, to whom and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduledReport {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub kind: ReportKind,
    /// How it is written; JSON and signature come with it.
    #[serde(default = "pdf")]
    pub format: ReportFormat,
    /// Hosts with these labels; without it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// The identifier of the host that a report of a host is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When.
    pub every: Every,
    /// The channel of mail through which it goes, to its receivers.
    pub channel: String,
}

const fn pdf() -> ReportFormat {
    ReportFormat::Pdf
}

impl ScheduledReport {
    /// What is wrong with it.
    pub(super) fn fault(&self) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let name = &self.name;
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            return Some(format!(
                "report: a name has letters, digits, `.`, `_`, `-`, 64 at most, and {name:?} is none"
            ));
        }
        if (self.kind == ReportKind::Host) != self.host.is_some() {
            return Some(format!(
                "report {name}: `host` goes with the kind host, and with no other"
            ));
        }
        let labels = self.labels.as_deref().map(api::inventory::selector);
        if let Some(Err(fault)) = labels {
            return Some(format!("report {name}: {fault}"));
        }
        None
    }
}

/// On which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Days {
    All,
    Week(Weekday),
    /// Of each month, 1 to 28: each month has those.
    Month(i8),
}

/// When something comes again: `daily 06:00 UTC`, `weekly mon 06:00 UTC`, `monthly 1 06:00 UTC`. UTC, so that
/// no hour is there twice or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every {
    days: Days,
    minute: i64,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Every {
    fn fits(self, date: Date) -> bool {
        match self.days {
            Days::All => true,
            Days::Week(day) => date.weekday() == day,
            Days::Month(day) => date.day() == day,
        }
    }

    /// The first time after `now_ms`.
    pub fn next_after(self, now_ms: i64) -> Option<i64> {
        self.times(now_ms, 0..DAYS_MAX).find(|at_ms| *at_ms > now_ms)
    }

    /// The last time up to `now_ms`.
    pub fn last_until(self, now_ms: i64) -> Option<i64> {
        self.times(now_ms, -DAYS_MAX..1).filter(|at_ms| *at_ms <= now_ms).last()
    }

    /// Its times on days from that of `now_ms` on, in order.
    fn times(self, now_ms: i64, days: std::ops::Range<i64>) -> impl Iterator<Item = i64> {
        let today = now_ms.div_euclid(DAY_MIN * 60_000);
        days.filter_map(move |n| {
            let begins_ms = today.checked_add(n)?.checked_mul(DAY_MIN * 60_000)?;
            let day = Timestamp::from_millisecond(begins_ms).ok()?;
            let date = TimeZone::UTC.to_datetime(day).date();
            self.fits(date).then(|| begins_ms + self.minute * 60_000)
        })
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.days {
            Days::All => f.write_str("daily")?,
            Days::Week(day) => {
                let word = WEEKDAYS.iter().find(|(_, known)| *known == day);
                write!(f, "weekly {}", word.map_or("", |(word, _)| word))?;
            }
            Days::Month(day) => write!(f, "monthly {day}")?,
        }
        write!(f, " {:02}:{:02} UTC", self.minute / 60, self.minute % 60)
    }
}

/// What is no [`Every`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a time is `daily 06:00 UTC`, `weekly mon 06:00 UTC` or `monthly 1 06:00 UTC`, days of a month 1 to 28"
)]
pub struct NoTime;

impl FromStr for Every {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        let words: Vec<_> = text.split_whitespace().collect();
        let (days, time) = match words.as_slice() {
            ["daily", time, "UTC"] => (Days::All, time),
            ["weekly", day, time, "UTC"] => {
                let day = WEEKDAYS.iter().find(|(word, _)| word == day).ok_or(NoTime)?;
                (Days::Week(day.1), time)
            }
            ["monthly", day, time, "UTC"] => {
                let day = day.parse().ok().filter(|day| (1..=28).contains(day)).ok_or(NoTime)?;
                (Days::Month(day), time)
            }
            _ => return Err(NoTime),
        };
        let (hour, minute) = time.split_once(':').ok_or(NoTime)?;
        let of = |text: &str, max: i64| {
            let is_two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i64>().ok().filter(|n| is_two && *n <= max).ok_or(NoTime)
        };
        Ok(Self { days, minute: of(hour, 23)? * 60 + of(minute, 59)? })
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Every {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn times_come_again_and_the_present_one_counts_as_the_last() {
        for (every, now, last, next) in [
            (
                "daily 06:00 UTC",
                "2026-11-28T05:59:59Z",
                "2026-11-27T06:00:00Z",
                "2026-11-28T06:00:00Z",
            ),
            (
                "daily 06:00 UTC",
                "2026-11-28T06:00:00Z",
                "2026-11-28T06:00:00Z",
                "2026-11-29T06:00:00Z",
            ),
            // The 28th of November 2026 is a Saturday.
            (
                "weekly mon 06:30 UTC",
                "2026-11-28T12:00:00Z",
                "2026-11-23T06:30:00Z",
                "2026-11-30T06:30:00Z",
            ),
            (
                "monthly 1 00:00 UTC",
                "2027-02-28T12:00:00Z",
                "2027-02-01T00:00:00Z",
                "2027-03-01T00:00:00Z",
            ),
            (
                "monthly 28 23:59 UTC",
                "2026-12-31T12:00:00Z",
                "2026-12-28T23:59:00Z",
                "2027-01-28T23:59:00Z",
            ),
        ] {
            let read: Every = every.parse().unwrap();
            assert_eq!(read.to_string(), every);
            assert_eq!(read.last_until(ms(now)), Some(ms(last)), "{every}, last of {now}");
            assert_eq!(read.next_after(ms(now)), Some(ms(next)), "{every}, next of {now}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "daily",
            "daily 06:00",
            "daily 24:00 UTC",
            "daily 06:60 UTC",
            "daily 6:00 UTC",
            "weekly 06:00 UTC",
            "weekly foo 06:00 UTC",
            "monthly 29 06:00 UTC",
            "monthly 0 06:00 UTC",
            "daily +6:00 UTC",
            "daily 06:00 CET",
        ] {
            assert_eq!(wrong.parse::<Every>(), Err(NoTime), "{wrong:?}");
        }
        assert_eq!("daily 06:00 UTC".parse::<Every>().unwrap().next_after(i64::MAX), None);
    }
}
